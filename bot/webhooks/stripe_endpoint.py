"""Stripe's webhook endpoint: verifies the event, queues a job for it, answers.

Stripe is not asked here; the job asks what holds.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime

import msgspec
import stripe
import structlog
from aiohttp import web

from bot.webhooks.delivery_writer import DATABASE_AWAY_ERRORS
from bot.webhooks.request_bodies import (
    RequestBodies,
    check_headers,
    decode_json,
    make_database_away_refusal,
    make_refusal,
    make_response,
    run_in_thread_if_large,
)
from handlers.payloads import MalformedError, clean
from marketplace.stripe_subscriptions import EVENTS, NO_METER, USAGE_REFUSED, StripeEvent
from storage.billing_jobs import FollowStripeJob, FollowStripePaymentJob
from storage.database import Database
from storage.jobs import JobMessage, Jobs
from storage.usage import RejectedUsage, record_dropped_usage, record_rejected_usage

_EVENT = msgspec.json.Decoder(StripeEvent)
# https://docs.stripe.com/webhooks/signature: a time, and one signature for each secret in use.
_STRIPE_SIGNATURE = re.compile(r"(?=.*\bt=[0-9]{1,15}(?:,|$))(?=.*\bv1=[0-9a-f]{64}(?:,|$))[!-~ ]{1,4096}")


class StripeWebhookEndpoint:
    """`POST /webhooks/stripe`: receives Stripe's events."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        secrets: Sequence[str],
        clock: Callable[[], datetime],
        bodies: RequestBodies,
        *,
        is_live: bool | None,
    ) -> None:
        """`is_live`: whether the API key is for live mode; None if the key's form does not show it.

        Raises ValueError without a secret.
        """
        if not any(secrets):
            raise ValueError("Stripe's webhook endpoint needs a secret")
        self._is_live = is_live
        self._bodies = bodies
        self._clock = clock
        self._database = database
        self._jobs = jobs
        self._secrets = secrets
        self._log = structlog.get_logger(__name__)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer 200 once the event's job is queued, or the event is ignored; Stripe repeats all others."""
        check_headers(request)
        signature = request.headers.get("Stripe-Signature", "")
        if not _STRIPE_SIGNATURE.fullmatch(signature):
            raise self._make_signature_refusal("its format is not Stripe's")
        async with self._bodies.read(request) as body:
            if problem := await run_in_thread_if_large(
                len(body), self._find_signature_problem, bytes(body), signature
            ):
                raise self._make_signature_refusal(problem)
            try:
                event = await run_in_thread_if_large(len(body), decode_json, request, body, _EVENT)
            except MalformedError as problem:
                self._log.warning("Stripe event refused: it cannot be read", reason=str(problem))
                return make_response(400, f"the body is not an event: {problem}")
            return await self._handle_event(event)

    def _make_signature_refusal(self, problem: str) -> web.HTTPException:
        self._log.warning("event of Stripe refused: wrong signature", reason=problem)
        return make_refusal(
            web.HTTPUnauthorized, f"the header Stripe-Signature is missing, too old or wrong: {problem}"
        )

    async def _handle_event(self, event: StripeEvent) -> web.Response:
        with structlog.contextvars.bound_contextvars(stripe_event=clean(event.id)[:255], kind=event.type):
            if self._is_of_other_account_or_mode(event):
                return make_response(200, "ignored: of another account or mode than STRIPE_SECRET_KEY")
            if event.type in {USAGE_REFUSED, NO_METER}:
                return await self._record_usage_alert(event)
            if payment_hint := event.payment_hint():
                payment_job = FollowStripePaymentJob(**asdict(payment_hint))
                return await self._queue(payment_job, reference=payment_hint.reference)
            subscription_hint = event.subscription_hint() if event.type in EVENTS else None
            if subscription_hint is None or not subscription_hint.event_id:
                self._log.debug("event of Stripe ignored")
                return make_response(200, "ignored: this event is not used")
            job = FollowStripeJob(**asdict(subscription_hint))
            return await self._queue(job, customer=subscription_hint.customer)

    def _is_of_other_account_or_mode(self, event: StripeEvent) -> bool:
        """Whether the API key cannot read the event's object: of a connected account or another mode."""
        if event.account is not None:
            self._log.info("Stripe event ignored: of a connected account")
            return True
        if event.livemode is not None and self._is_live is not None and event.livemode != self._is_live:
            self._log.warning(
                "Stripe event ignored: STRIPE_WEBHOOK_SECRET and STRIPE_SECRET_KEY are of different modes",
                livemode=event.livemode,
            )
            return True
        return False

    async def _record_usage_alert(self, event: StripeEvent) -> web.Response:
        self._log.error("Stripe could not count the reported usage; see its dashboard")
        alert = RejectedUsage(clean(event.id)[:255], self._clock())
        try:
            async with self._database.unscoped() as connection:
                await (record_dropped_usage if event.type == NO_METER else record_rejected_usage)(
                    connection, alert
                )
        except DATABASE_AWAY_ERRORS:
            raise make_database_away_refusal() from None
        return make_response(200, "noted")

    async def _queue(self, job: JobMessage, **log_fields: str | None) -> web.Response:
        """Queue the job of an event, and log `log_fields`."""
        try:
            async with self._database.unscoped() as connection:
                await self._jobs.defer(connection, job)
        except DATABASE_AWAY_ERRORS:
            self._log.warning("Stripe event refused: the database is unavailable")
            raise make_database_away_refusal() from None
        self._log.info("event of Stripe", **log_fields)
        return make_response(200, "stored")

    def _find_signature_problem(self, body: bytes, header: str) -> str | None:
        """Return why the signature fits with none of the secrets; None if it fits with one."""
        problem = "no secret"
        for secret in self._secrets:
            try:
                stripe.WebhookSignature.verify_header(body, header, secret, stripe.Webhook.DEFAULT_TOLERANCE)
            except stripe.SignatureVerificationError as error:
                problem = str(error.user_message or error).partition(".")[0]
            except ValueError:
                problem = "the body is not UTF-8"
            else:
                return None
        return problem
