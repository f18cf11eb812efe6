"""The doors for GitHub Marketplace and Stripe: verify, put into the queue, answer. Nobody is asked here."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import stripe
import structlog
from aiohttp import web
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from handlers.payloads import clean
from marketplace.github_purchases import ACTIONS, Hint
from marketplace.stripe_subscriptions import EVENTS, USAGE_REFUSED, About, Event
from storage.billing_jobs import BillingJobs
from storage.database import Database
from storage.usage import Uncounted, note_uncounted

_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, OSError)
_EVENT = msgspec.json.Decoder(Event)
_HINT = msgspec.json.Decoder(Hint)


class MarketplaceDoor:
    """`POST /webhooks/marketplace`: the listing's webhook, which has a secret of its own."""

    def __init__(self, database: Database, jobs: BillingJobs, secrets: Sequence[str]) -> None:
        if not any(secrets):
            raise ValueError("the Marketplace's door needs a secret")
        self._database = database
        self._jobs = jobs
        self._secrets = [secret.encode() for secret in secrets]
        self._log = structlog.get_logger(__name__)

    async def receive(self, request: web.Request) -> web.Response:
        """202 once it is known what to ask GitHub for; GitHub shows any other status as failed."""
        body = await request.read()
        delivery = clean(request.headers.get("X-GitHub-Delivery", ""))[:100]
        with structlog.contextvars.bound_contextvars(delivery=delivery, github_event="marketplace_purchase"):
            if not self._is_signed(request.headers.get("X-Hub-Signature-256", ""), body):
                self._log.warning("Marketplace event refused: wrong signature")
                return answer(401, "the signature X-Hub-Signature-256 is missing or does not fit the body")
            event = request.headers.get("X-GitHub-Event", "")
            if not event or not delivery:
                return answer(400, "the headers X-GitHub-Event and X-GitHub-Delivery are needed")
            if event != "marketplace_purchase":
                return answer(202, "ignored: not an event that we act on")
            try:
                hint = _HINT.decode(body)
            except msgspec.DecodeError as problem:
                self._log.warning("Marketplace event refused: it cannot be read", reason=str(problem))
                return answer(400, f"the body is not a purchase: {problem}")
            return await self._follow(hint, delivery)

    async def _follow(self, hint: Hint, delivery: str) -> web.Response:
        if hint.action not in ACTIONS:
            self._log.info("Marketplace event ignored", action=hint.action)
            return answer(202, "ignored: not an action that we act on")
        try:
            async with self._database.nobody() as connection:
                await self._jobs.follow_purchase(
                    connection,
                    account=hint.account.id,
                    action=hint.action,
                    effective_at=hint.effective_date,
                    delivery=delivery,
                )
        except _AWAY:
            self._log.warning("Marketplace event refused: the database is away")
            return answer(503, "the database is away; redeliver this later")
        self._log.info("Marketplace event", action=hint.action, account=hint.account.id)
        return answer(202, "stored")

    def _is_signed(self, signature: str, body: bytes) -> bool:
        given = signature.encode("utf-8", "surrogateescape")
        return any(
            hmac.compare_digest(given, b"sha256=" + hmac.digest(secret, body, hashlib.sha256).hex().encode())
            for secret in self._secrets
        )


class StripeDoor:
    """`POST /webhooks/stripe`."""

    def __init__(
        self, database: Database, jobs: BillingJobs, secrets: Sequence[str], clock: Callable[[], datetime]
    ) -> None:
        if not any(secrets):
            raise ValueError("Stripe's door needs a secret")
        self._clock = clock
        self._database = database
        self._jobs = jobs
        self._secrets = secrets
        self._log = structlog.get_logger(__name__)

    async def receive(self, request: web.Request) -> web.Response:
        """200 once it is known what to ask Stripe for, or that it is nothing; Stripe repeats all else."""
        body = await request.read()
        if problem := self._problem(body, request.headers.get("Stripe-Signature")):
            self._log.warning("event of Stripe refused: wrong signature", reason=problem)
            return answer(401, f"the header Stripe-Signature is missing, too old or wrong: {problem}")
        try:
            event = _EVENT.decode(body)
        except msgspec.DecodeError as problem:
            self._log.warning("event of Stripe refused: it cannot be read", reason=str(problem))
            return answer(400, f"the body is no event: {problem}")
        with structlog.contextvars.bound_contextvars(stripe_event=clean(event.id)[:255], kind=event.type):
            if event.type == USAGE_REFUSED:
                return await self._alert(Uncounted(clean(event.id)[:255], self._clock()))
            about = event.about() if event.type in EVENTS else None
            if about is None or not about.event_id:
                self._log.debug("event of Stripe ignored")
                return answer(200, "ignored: nothing that we act on")
            return await self._follow(about)

    async def _alert(self, told: Uncounted) -> web.Response:
        self._log.error("Stripe could not count usage that we told; its dashboard says why")
        try:
            async with self._database.nobody() as connection:
                await note_uncounted(connection, told)
        except _AWAY:
            return answer(503, "the database is away")
        return answer(200, "noted")

    async def _follow(self, about: About) -> web.Response:
        try:
            async with self._database.nobody() as connection:
                await self._jobs.follow_stripe(
                    connection,
                    event_id=about.event_id,
                    kind=about.kind,
                    customer=about.customer,
                    subscription=about.subscription,
                    account=about.account,
                )
        except _AWAY:
            self._log.warning("event of Stripe refused: the database is away")
            return answer(503, "the database is away")
        self._log.info("event of Stripe", customer=about.customer)
        return answer(200, "stored")

    def _problem(self, body: bytes, header: str | None) -> str | None:
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


def answer(status: int, message: str) -> web.Response:
    """What the sender reads."""
    return web.json_response({"message": message}, status=status)
