"""The client of Stripe, which implements the port to it with Stripe's own library."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import stripe
from stripe.params import SubscriptionListParams

from bot.billing.stripe_answers import retrieve_or_none, to_plain, translate_errors
from bot.billing.stripe_checkout_calls import CheckoutCalls, make_account_query
from bot.billing.stripe_http import CountingHTTPClient
from bot.metrics.instruments import Instruments
from bot.settings.billing import StripeSettings
from marketplace.seat_increases import Proration

_TIMEOUT_SECONDS = 15
# The library repeats a request under one idempotency key.
_RETRIES = 2
# Every subscription is read with its latest invoice, and with the schedule of an announced change.
_EXPANDED = ["latest_invoice", "schedule"]
_EXPANDED_IN_LISTS = [f"data.{name}" for name in _EXPANDED]


class RealStripe(CheckoutCalls):
    """Implements `Stripe` with Stripe's own library, asynchronously and with timeouts."""

    def __init__(self, settings: StripeSettings, instruments: Instruments | None = None) -> None:
        """With `instruments`, the calls are counted."""
        self._http = (
            CountingHTTPClient(instruments, timeout=_TIMEOUT_SECONDS)
            if instruments
            else stripe.AIOHTTPClient(timeout=_TIMEOUT_SECONDS)
        )
        url = settings.api_url
        self._client = stripe.StripeClient(
            settings.secret_key.reveal(),
            base_addresses={"api": url, "meter_events": url} if url else None,
            max_network_retries=_RETRIES,
            http_client=self._http,
        )

    async def get_subscription(self, subscription: str) -> Mapping[str, Any] | None:
        return await retrieve_or_none(
            self._client.v1.subscriptions.retrieve_async(subscription, {"expand": _EXPANDED})
        )

    async def list_invoices(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            listed = await self._client.v1.invoices.list_async({"subscription": subscription, "limit": 100})
        return [to_plain(invoice) for invoice in listed.data]

    async def get_price(self, price: str) -> Mapping[str, Any] | None:
        return await retrieve_or_none(self._client.v1.prices.retrieve_async(price, {"expand": ["product"]}))

    async def list_subscriptions(self, customer: str) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            try:
                page = await self._client.v1.subscriptions.list_async(
                    {"customer": customer, "status": "all", "limit": 100, "expand": _EXPANDED_IN_LISTS}
                )
            except stripe.InvalidRequestError as problem:
                # The customer may belong to another API key, or to the other mode.
                if problem.code == "resource_missing":
                    return ()
                raise
        return [to_plain(subscription) for subscription in page.data]

    async def iterate_live_subscriptions(self) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        params: SubscriptionListParams = {"limit": 100, "expand": _EXPANDED_IN_LISTS}
        while True:
            with translate_errors():
                page = await self._client.v1.subscriptions.list_async(params)
            yield [to_plain(subscription) for subscription in page.data]
            last = next(
                (last_id for item in reversed(page.data) if (last_id := getattr(item, "id", None))), None
            )
            if not page.has_more or last is None:
                return
            params["starting_after"] = last

    async def find_subscriptions(self, account: int, since: datetime) -> Sequence[Mapping[str, Any]]:
        params: SubscriptionListParams = {"limit": 100, "expand": _EXPANDED_IN_LISTS}
        params["created"] = {"gte": int(since.timestamp())}
        subscriptions: list[stripe.Subscription] = []
        with translate_errors():
            try:
                search = await self._client.v1.subscriptions.search_async(
                    {"query": make_account_query(account), "limit": 100, "expand": _EXPANDED_IN_LISTS}
                )
                subscriptions += [subscription async for subscription in search.auto_paging_iter()]
            except (stripe.InvalidRequestError, stripe.PermissionError):
                # Stripe offers no search to sellers in India; the whole list holds the same, more slowly.
                del params["created"]
            listed = await self._client.v1.subscriptions.list_async(params)
            subscriptions += [subscription async for subscription in listed.auto_paging_iter()]
        by_id = {subscription.id: to_plain(subscription) for subscription in subscriptions}
        return [
            subscription
            for subscription in by_id.values()
            if (subscription.get("metadata") or {}).get("account") == str(account)
        ]

    async def get_dispute(self, dispute: str) -> Mapping[str, Any] | None:
        return await retrieve_or_none(
            self._client.v1.disputes.retrieve_async(dispute, {"expand": ["charge"]})
        )

    async def list_disputes_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            page = await self._client.v1.disputes.list_async(
                {
                    "created": {"gte": int(since.timestamp())},
                    "limit": 100,
                    "expand": ["data.charge"],
                }
            )
            return [to_plain(dispute) async for dispute in page.auto_paging_iter()]

    async def get_refund(self, refund: str) -> Mapping[str, Any] | None:
        return await retrieve_or_none(self._client.v1.refunds.retrieve_async(refund, {"expand": ["charge"]}))

    async def get_payment_intent(self, payment_intent: str) -> Mapping[str, Any] | None:
        return await retrieve_or_none(self._client.v1.payment_intents.retrieve_async(payment_intent))

    async def list_refunds(self, charge: str) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            try:
                page = await self._client.v1.refunds.list_async(
                    {"charge": charge, "limit": 100, "expand": ["data.charge"]}
                )
                return [to_plain(refund) async for refund in page.auto_paging_iter()]
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404 or problem.code == "resource_missing":
                    return ()
                raise

    async def list_refunds_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            page = await self._client.v1.refunds.list_async(
                {
                    "created": {"gte": int(since.timestamp())},
                    "limit": 100,
                    "expand": ["data.charge"],
                }
            )
            return [to_plain(refund) async for refund in page.auto_paging_iter()]

    async def set_quantity(
        self,
        subscription: str,
        item: str,
        quantity: int,
        key: str,
        proration: Proration = Proration.CREATE_PRORATIONS,
    ) -> Mapping[str, Any]:
        with translate_errors():
            updated = await self._client.v1.subscriptions.update_async(
                subscription,
                {
                    "items": [{"id": item, "quantity": quantity}],
                    "proration_behavior": proration.value,
                    # By default, an unpaid invoice for added seats makes the whole subscription past due.
                    "payment_behavior": "error_if_incomplete",
                    "expand": _EXPANDED,
                },
                {"idempotency_key": key},
            )
        return to_plain(updated)

    async def preview_seats(self, subscription: str, item: str, quantity: int, at: datetime) -> int:
        with translate_errors():
            invoice = await self._client.v1.invoices.create_preview_async(
                {
                    "subscription": subscription,
                    "subscription_details": {
                        "items": [{"id": item, "quantity": quantity}],
                        "proration_behavior": Proration.ALWAYS_INVOICE.value,
                        "proration_date": int(at.timestamp()),
                    },
                }
            )
        return int(invoice.amount_due)

    async def send_usage(
        self, event_name: str, customer: str, quantity: int, at: datetime, identifier: str
    ) -> None:
        with translate_errors():
            try:
                await self._client.v1.billing.meter_events.create_async(
                    {
                        "event_name": event_name,
                        "payload": {"stripe_customer_id": customer, "value": str(quantity)},
                        "timestamp": int(at.timestamp()),
                        # Makes a repetition harmless. An idempotency key would be refused for a repetition
                        # with another timestamp, as when the subscription has ended meanwhile.
                        "identifier": identifier,
                    }
                )
            except stripe.InvalidRequestError as problem:
                if not _is_reported_already(problem, identifier):
                    raise

    async def get_usage(self, event_name: str, customer: str, day: date) -> int | None:
        start = datetime.combine(day, time(), UTC)
        with translate_errors():
            meters = await self._client.v1.billing.meters.list_async({"limit": 100})
            names = {
                meter.event_name: meter.id
                async for meter in meters.auto_paging_iter()
                if getattr(meter, "status", None) != "inactive"
            }
            meter = names.get(event_name)
            if meter is None:
                return None
            summaries = await self._client.v1.billing.meters.event_summaries.list_async(
                meter,
                {
                    "customer": customer,
                    "start_time": int(start.timestamp()),
                    "end_time": int((start + timedelta(days=1)).timestamp()),
                },
            )
        return int(sum(summary.aggregated_value for summary in summaries.data))

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]


def _is_reported_already(problem: stripe.InvalidRequestError, identifier: str) -> bool:
    text = str(problem).lower()
    return "already exists" in text and ("identifier" in text or identifier.lower() in text)
