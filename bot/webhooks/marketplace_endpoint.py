"""GitHub Marketplace's webhook endpoint: verifies the event, queues a job for it, answers.

GitHub is not asked here; the job asks what holds.
"""

from collections.abc import Sequence

import msgspec
import structlog
from aiohttp import web

from bot.webhooks.delivery_writer import DATABASE_AWAY_ERRORS
from bot.webhooks.request_bodies import (
    RequestBodies,
    decode_json,
    make_database_away_refusal,
    make_response,
    run_in_thread_if_large,
)
from bot.webhooks.signatures import SignedDeliveryReader
from handlers.payloads import MalformedError
from marketplace.github_purchases import ACTIONS, PurchaseEvent
from storage.billing_jobs import FollowPurchaseJob
from storage.database import Database
from storage.jobs import Jobs

_HINT = msgspec.json.Decoder(PurchaseEvent)


class MarketplaceWebhookEndpoint:
    """`POST /webhooks/marketplace`: receives the listing's webhook, which has its own secret."""

    def __init__(self, database: Database, jobs: Jobs, secrets: Sequence[str], bodies: RequestBodies) -> None:
        """Raises ValueError without a secret."""
        self._database = database
        self._jobs = jobs
        self._reader = SignedDeliveryReader(secrets, bodies)
        self._log = structlog.get_logger(__name__)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer 202 once the purchase's job is queued; GitHub shows any other status as failed."""
        # The id is not verified yet, and serves the log alone.
        delivery = request.headers.get("X-GitHub-Delivery", "")[:100].encode("ascii", "replace").decode()
        with structlog.contextvars.bound_contextvars(delivery=delivery, github_event="marketplace_purchase"):
            try:
                async with self._reader.read(request) as (event, delivery, body):
                    return await self._handle_event(request, body, event, delivery)
            except web.HTTPUnauthorized:
                self._log.warning("Marketplace event refused: wrong signature")
                raise

    async def _handle_event(
        self, request: web.Request, body: bytearray, event: str, delivery: str
    ) -> web.Response:
        if event != "marketplace_purchase":
            return make_response(202, "ignored: this event is not used")
        try:
            hint = await run_in_thread_if_large(len(body), decode_json, request, body, _HINT)
        except MalformedError as problem:
            self._log.warning("Marketplace event refused: it cannot be read", reason=str(problem))
            return make_response(400, f"the body is not a purchase: {problem}")
        return await self._queue(hint, delivery)

    async def _queue(self, hint: PurchaseEvent, delivery: str) -> web.Response:
        if hint.action not in ACTIONS:
            self._log.info("Marketplace event ignored", action=hint.action)
            return make_response(202, "ignored: this action is not used")
        try:
            async with self._database.unscoped() as connection:
                job = FollowPurchaseJob(
                    account=hint.account.id,
                    action=hint.action,
                    effective_at=hint.effective_at,
                    delivery=delivery,
                )
                await self._jobs.defer(connection, job)
        except DATABASE_AWAY_ERRORS:
            self._log.warning("Marketplace event refused: the database is unavailable")
            raise make_database_away_refusal() from None
        self._log.info("Marketplace event", action=hint.action, account=hint.account.id)
        return make_response(202, "stored")
