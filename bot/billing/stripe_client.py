"""The port to Stripe: a protocol, the client that implements it, and one for when Stripe is not set up."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import stripe
from stripe.params import SubscriptionListParams

from bot.billing.stripe_answers import (
    StripeRefusedError,
    StripeUnavailableError,
    retrieve_or_none,
    to_plain,
    translate_errors,
)
from bot.billing.stripe_checkout import CheckoutCalls, NoCheckout, StripeCheckout, make_account_query
from bot.billing.stripe_http import CountingHTTPClient
from bot.metrics.instruments import Instruments
from bot.settings.billing import StripeSettings
from marketplace.seat_increases import Proration

__all__ = ["NoStripe", "RealStripe", "Stripe", "StripeRefusedError", "StripeUnavailableError", "is_live_key"]

_TIMEOUT_SECONDS = 15
# The library repeats a request under one idempotency key.
_RETRIES = 2
# Every subscription is read with its latest invoice, and with the schedule of an announced change.
_EXPANDED = ["latest_invoice", "schedule"]
_EXPANDED_IN_LISTS = [f"data.{name}" for name in _EXPANDED]


class Stripe(StripeCheckout, Protocol):
    """The calls to Stripe. All raise StripeUnavailableError or StripeRefusedError."""

    async def get_subscription(self, subscription: str) -> Mapping[str, Any] | None:
        """Return a subscription with its latest invoice and its schedule. None if it does not exist."""

    async def list_invoices(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        """Return the latest hundred invoices of a subscription, of any status, newest first."""

    async def get_price(self, price: str) -> Mapping[str, Any] | None:
        """Return a price with its product. None if there is no such price."""

    async def list_subscriptions(self, customer: str) -> Sequence[Mapping[str, Any]]:
        """Return a customer's latest hundred subscriptions, ended ones included."""

    def iterate_live_subscriptions(self) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Yield all subscriptions that are not canceled, of any customer, a page at a time, newest first."""

    async def find_subscriptions(self, account: int, since: datetime) -> Sequence[Mapping[str, Any]]:
        """Return the subscriptions whose metadata name an account, by GitHub's id.

        Stripe's search may lag behind for up to an hour, so those created after `since` are listed as well.
        Where Stripe offers no search, all subscriptions are listed.
        """

    async def get_dispute(self, dispute: str) -> Mapping[str, Any] | None:
        """Return a dispute with its charge. None if there is no such dispute."""

    async def list_disputes_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        """Return the disputes that were opened after a moment, each with its charge."""

    async def get_refund(self, refund: str) -> Mapping[str, Any] | None:
        """Return a refund with its charge, if it has one. None if there is no such refund."""

    async def get_payment_intent(self, payment_intent: str) -> Mapping[str, Any] | None:
        """Return a payment intent. None if there is no such payment intent."""

    async def list_refunds(self, charge: str) -> Sequence[Mapping[str, Any]]:
        """Return the refunds of a charge, each with its charge."""

    async def list_refunds_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        """Return the refunds that were made after a moment, each with its charge, if it has one."""

    async def set_quantity(
        self,
        subscription: str,
        item: str,
        quantity: int,
        key: str,
        proration: Proration = Proration.CREATE_PRORATIONS,
    ) -> Mapping[str, Any]:
        """Change the number of seats, and return the subscription. Idempotent per `key`.

        If the change is invoiced immediately and the invoice cannot be paid, Stripe refuses the change, and
        the subscription stays as it was.
        """

    async def preview_seats(self, subscription: str, item: str, quantity: int, at: datetime) -> int:
        """Return the amount due if the number of seats changed at a moment.

        The amount includes tax, in the smallest unit of the subscription's currency.
        """

    async def send_usage(
        self, event_name: str, customer: str, quantity: int, at: datetime, identifier: str
    ) -> None:
        """Report usage to the meter of an event name. Idempotent per `identifier`."""

    async def get_usage(self, event_name: str, customer: str, day: date) -> int | None:
        """Return the usage that Stripe has counted on a UTC day. None if there is no active meter."""

    async def close(self) -> None:
        """Close the connections."""


class NoStripe(NoCheckout):
    """Implements `Stripe` where Stripe is not set up: finds nothing and sells nothing."""

    async def get_subscription(self, subscription: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def list_invoices(self, subscription: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def get_price(self, price: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def list_subscriptions(self, customer: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def iterate_live_subscriptions(self) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        for page in tuple[Sequence[Mapping[str, Any]]]():
            yield page

    async def find_subscriptions(self, account: int, since: datetime) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def get_dispute(self, dispute: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def list_disputes_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def get_refund(self, refund: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def get_payment_intent(self, payment_intent: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def list_refunds(self, charge: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def list_refunds_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def set_quantity(
        self,
        subscription: str,
        item: str,
        quantity: int,
        key: str,
        proration: Proration = Proration.CREATE_PRORATIONS,
    ) -> Mapping[str, Any]:
        raise _make_refusal("a change of seats", subscription, item, quantity, key, proration)

    async def preview_seats(self, subscription: str, item: str, quantity: int, at: datetime) -> int:
        raise _make_refusal("a preview of an invoice", subscription, item, quantity, at)

    async def send_usage(
        self, event_name: str, customer: str, quantity: int, at: datetime, identifier: str
    ) -> None:
        raise _make_refusal("usage", event_name, customer, quantity, at, identifier)

    async def get_usage(self, event_name: str, customer: str, day: date) -> int | None:  # noqa: ARG002
        return None

    async def close(self) -> None:
        """Do nothing; there are no connections."""


def is_live_key(key: str) -> bool | None:
    """Whether an API key is for live mode, not test mode; None for a key of another form."""
    modes = {"live": True, "test": False}
    kind, _, rest = key.partition("_")
    return modes.get(rest.partition("_")[0]) if kind in {"sk", "rk"} else None


def _make_refusal(subject: str, *_: object) -> StripeRefusedError:
    return StripeRefusedError(f"Stripe is not set up, so there is no {subject}")


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
