"""The doors for GitHub Marketplace and Stripe: verify, put into the queue, answer. Nobody is asked here."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import stripe
import structlog
from aiohttp import web
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.webhooks.request_bodies import Bodies, answer, check_before_reading, read_json, refusal, run_aside
from bot.webhooks.signatures import Signatures
from handlers.payloads import MalformedError, clean
from marketplace.github_purchases import ACTIONS, PurchaseEvent
from marketplace.stripe_refunds import PaymentHint
from marketplace.stripe_subscriptions import EVENTS, NO_METER, USAGE_REFUSED, StripeEvent, SubscriptionHint
from storage.billing_jobs import FollowPurchaseJob, FollowStripeJob, FollowStripePaymentJob
from storage.database import Database
from storage.jobs import JobMessage, Jobs
from storage.usage import RejectedUsage, record_dropped_usage, record_rejected_usage

_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, OSError)
_EVENT = msgspec.json.Decoder(StripeEvent)
_HINT = msgspec.json.Decoder(PurchaseEvent)
_RETRY_AFTER_SECONDS = 30
# https://docs.stripe.com/webhooks/signature: a time, and one signature for each secret that is in use.
_STRIPE_SIGNATURE = re.compile(r"(?=.*\bt=[0-9]{1,15}(?:,|$))(?=.*\bv1=[0-9a-f]{64}(?:,|$))[!-~ ]{1,4096}")


class MarketplaceDoor:
    """`POST /webhooks/marketplace`: the listing's webhook, which has a secret of its own."""

    def __init__(self, database: Database, jobs: Jobs, secrets: Sequence[str], bodies: Bodies) -> None:
        if not any(secrets):
            raise ValueError("the Marketplace's door needs a secret")
        self._database = database
        self._jobs = jobs
        self._signatures = Signatures(secrets)
        self._bodies = bodies
        self._log = structlog.get_logger(__name__)

    async def receive(self, request: web.Request) -> web.Response:
        """202 once it is known what to ask GitHub for; GitHub shows any other status as failed."""
        check_before_reading(request)
        # Not checked yet, and for the log alone.
        delivery = request.headers.get("X-GitHub-Delivery", "")[:100].encode("ascii", "replace").decode()
        with structlog.contextvars.bound_contextvars(delivery=delivery, github_event="marketplace_purchase"):
            try:
                signature, event, delivery = self._signatures.read_headers(request)
                async with self._bodies.read(request) as body:
                    await run_aside(len(body), self._signatures.check, signature, body)
                    return await self._read(request, body, event, delivery)
            except web.HTTPUnauthorized:
                self._log.warning("Marketplace event refused: wrong signature")
                raise

    async def _read(self, request: web.Request, body: bytearray, event: str, delivery: str) -> web.Response:
        if event != "marketplace_purchase":
            return answer(202, "ignored: not an event that we act on")
        try:
            hint = await run_aside(len(body), read_json, request, body, _HINT)
        except MalformedError as problem:
            self._log.warning("Marketplace event refused: it cannot be read", reason=str(problem))
            return answer(400, f"the body is not a purchase: {problem}")
        return await self._follow(hint, delivery)

    async def _follow(self, hint: PurchaseEvent, delivery: str) -> web.Response:
        if hint.action not in ACTIONS:
            self._log.info("Marketplace event ignored", action=hint.action)
            return answer(202, "ignored: not an action that we act on")
        try:
            async with self._database.unscoped() as connection:
                job = FollowPurchaseJob(
                    account=hint.account.id,
                    action=hint.action,
                    effective_at=hint.effective_at,
                    delivery=delivery,
                )
                await self._jobs.defer(connection, job)
        except _AWAY:
            self._log.warning("Marketplace event refused: the database is away")
            raise _away() from None
        self._log.info("Marketplace event", action=hint.action, account=hint.account.id)
        return answer(202, "stored")


class StripeDoor:
    """`POST /webhooks/stripe`."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        secrets: Sequence[str],
        clock: Callable[[], datetime],
        bodies: Bodies,
        *,
        is_live: bool | None = None,
    ) -> None:
        """`is_live`: whether our key is one of live mode; None if that cannot be told by the key."""
        if not any(secrets):
            raise ValueError("Stripe's door needs a secret")
        self._is_live = is_live
        self._bodies = bodies
        self._clock = clock
        self._database = database
        self._jobs = jobs
        self._secrets = secrets
        self._log = structlog.get_logger(__name__)

    async def receive(self, request: web.Request) -> web.Response:
        """200 once it is known what to ask Stripe for, or that it is nothing; Stripe repeats all else."""
        check_before_reading(request)
        signature = request.headers.get("Stripe-Signature", "")
        if not _STRIPE_SIGNATURE.fullmatch(signature):
            raise self._unsigned("it is not of Stripe's form")
        async with self._bodies.read(request) as body:
            if problem := await run_aside(len(body), self._problem, bytes(body), signature):
                raise self._unsigned(problem)
            try:
                event = await run_aside(len(body), read_json, request, body, _EVENT)
            except MalformedError as problem:
                self._log.warning("event of Stripe refused: it cannot be read", reason=str(problem))
                return answer(400, f"the body is no event: {problem}")
            return await self._act_on(event)

    def _unsigned(self, problem: str) -> web.HTTPException:
        self._log.warning("event of Stripe refused: wrong signature", reason=problem)
        return refusal(
            web.HTTPUnauthorized, f"the header Stripe-Signature is missing, too old or wrong: {problem}"
        )

    async def _act_on(self, event: StripeEvent) -> web.Response:
        with structlog.contextvars.bound_contextvars(stripe_event=clean(event.id)[:255], kind=event.type):
            if self._is_foreign(event):
                return answer(200, "ignored: of another account or mode than our key")
            if event.type in {USAGE_REFUSED, NO_METER}:
                return await self._alert(event)
            if payment := event.payment_hint():
                return await self._follow_payment(payment)
            about = event.subscription_hint() if event.type in EVENTS else None
            if about is None or not about.event_id:
                self._log.debug("event of Stripe ignored")
                return answer(200, "ignored: nothing that we act on")
            return await self._follow(about)

    def _is_foreign(self, event: StripeEvent) -> bool:
        """Whether our key can know nothing of it: an event of a connected account, or of the other mode."""
        if event.account is not None:
            self._log.info("event of Stripe ignored: of a connected account")
            return True
        if event.livemode is not None and self._is_live is not None and event.livemode != self._is_live:
            self._log.warning(
                "event of Stripe ignored: STRIPE_WEBHOOK_SECRET and STRIPE_SECRET_KEY are of different modes",
                livemode=event.livemode,
            )
            return True
        return False

    async def _alert(self, event: StripeEvent) -> web.Response:
        self._log.error("Stripe could not count usage that we told; its dashboard says why")
        alert = RejectedUsage(clean(event.id)[:255], self._clock())
        try:
            async with self._database.unscoped() as connection:
                await (record_dropped_usage if event.type == NO_METER else record_rejected_usage)(
                    connection, alert
                )
        except _AWAY:
            raise _away() from None
        return answer(200, "noted")

    async def _follow_payment(self, hint: PaymentHint) -> web.Response:
        job = FollowStripePaymentJob(
            event_id=hint.event_id,
            kind=hint.kind,
            reference=hint.reference,
            charge=hint.charge,
            customer=hint.customer,
        )
        return await self._store(job, reference=hint.reference)

    async def _follow(self, about: SubscriptionHint) -> web.Response:
        job = FollowStripeJob(
            event_id=about.event_id,
            kind=about.kind,
            customer=about.customer,
            subscription=about.subscription,
            account=about.account,
        )
        return await self._store(job, customer=about.customer)

    async def _store(self, job: JobMessage, **names: str | None) -> web.Response:
        """Defer the job that an event asks for; `names` go to the log."""
        try:
            async with self._database.unscoped() as connection:
                await self._jobs.defer(connection, job)
        except _AWAY:
            self._log.warning("event of Stripe refused: the database is away")
            raise _away() from None
        self._log.info("event of Stripe", **names)
        return answer(200, "stored")

    def _problem(self, body: bytes, header: str) -> str | None:
        """What is wrong with the signature by every secret; None if one fits."""
        problem = "no secret"
        for secret in self._secrets:
            try:
                stripe.WebhookSignature.verify_header(body, header, secret, stripe.Webhook.DEFAULT_TOLERANCE)
            except stripe.SignatureVerificationError as found:
                problem = str(found.user_message or found).partition(".")[0]
            except ValueError:
                problem = "the body is not UTF-8"
            else:
                return None
        return problem


def _away() -> web.HTTPException:
    """Nothing can be stored now; the sender must try again."""
    return refusal(
        web.HTTPServiceUnavailable,
        "the database is away; redeliver this later",
        retry_after=_RETRY_AFTER_SECONDS,
    )
