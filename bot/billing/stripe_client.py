"""What we ask of Stripe: a small protocol, the real client, and one for who sells nothing by card."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import stripe
from stripe.params import SubscriptionListParams

from bot.billing.stripe_answers import StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_answers import plain as _plain
from bot.billing.stripe_answers import translated as _translated
from bot.billing.stripe_checkout import CheckoutCalls, NoCheckout, StripeCheckout
from bot.settings.billing import StripeSettings

__all__ = ["NoStripe", "RealStripe", "Stripe", "StripeRefusedError", "StripeUnavailableError", "is_live_key"]
from marketplace.seat_increases import Proration

_TIMEOUT_SECONDS = 15
# Repeated by the library under one idempotency key.
_RETRIES = 2
# Wherever a subscription comes from, it shows what was last invoiced and which change is announced.
_EXPANDED = ["latest_invoice", "schedule"]
_EXPANDED_IN_LISTS = [f"data.{name}" for name in _EXPANDED]


class Stripe(StripeCheckout, Protocol):
    """What we ask of Stripe. All raise StripeUnavailableError or StripeRefusedError."""

    async def subscription(self, subscription: str) -> Mapping[str, Any] | None:
        """A subscription with its latest invoice and its schedule. None if there is no such one."""

    async def invoices_of(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        """The latest hundred invoices of a subscription, of any status, newest first."""

    async def price(self, price: str) -> Mapping[str, Any] | None:
        """A price with its product. None if there is no such one."""

    async def subscriptions_of(self, customer: str) -> Sequence[Mapping[str, Any]]:
        """A customer's subscriptions, those that have ended too."""

    def live_subscriptions(self) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Every subscription that has not been canceled, whoever its customer is, a page at a time."""

    async def subscriptions_for(self, account: int, since: datetime) -> Sequence[Mapping[str, Any]]:
        """The subscriptions whose metadata name an account, by GitHub's id.

        Stripe's search may lag behind for up to an hour, so what was created after `since` is listed as well.
        """

    async def dispute(self, dispute: str) -> Mapping[str, Any] | None:
        """A dispute with its charge. None if there is no such one."""

    async def disputes_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        """The disputes that were opened after a moment, each with its charge."""

    async def refund(self, refund: str) -> Mapping[str, Any] | None:
        """A refund with its charge, if it has one. None if there is no such refund."""

    async def payment_intent(self, payment_intent: str) -> Mapping[str, Any] | None:
        """A payment intent. None if there is no such one."""

    async def refunds_of(self, charge: str) -> Sequence[Mapping[str, Any]]:
        """The refunds of a charge, each with its charge."""

    async def refunds_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        """The refunds that were made after a moment, each with its charge, if it has one."""

    async def set_quantity(
        self,
        subscription: str,
        item: str,
        quantity: int,
        key: str,
        proration: Proration = Proration.CREATE_PRORATIONS,
    ) -> Mapping[str, Any]:
        """Change the number of seats; returns the subscription.

        Where an invoice of its own is made and cannot be paid, the change is refused and nothing is left of
        it: what was paid for before stays as it is.
        """

    async def preview_seats(self, subscription: str, item: str, quantity: int, at: datetime) -> int:
        """What an invoice for another number of seats, made at a moment, would charge.

        With tax, in the smallest unit of the subscription's currency.
        """

    async def send_usage(
        self, event_name: str, customer: str, quantity: int, at: datetime, identifier: str
    ) -> None:
        """Tells of usage. One that is told already under the identifier is told by that."""

    async def usage_on(self, event_name: str, customer: str, day: date) -> int | None:
        """How much of it Stripe has counted on a UTC day. None if there is no active meter."""

    async def close(self) -> None:
        """Ends the connections."""


class NoStripe(NoCheckout):
    """Stands where Stripe is not set up: knows nothing and sells nothing."""

    async def subscription(self, subscription: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def invoices_of(self, subscription: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def price(self, price: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def subscriptions_of(self, customer: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def live_subscriptions(self) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        for page in tuple[Sequence[Mapping[str, Any]]]():
            yield page

    async def subscriptions_for(self, account: int, since: datetime) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def dispute(self, dispute: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def disputes_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def refund(self, refund: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def payment_intent(self, payment_intent: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def refunds_of(self, charge: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def refunds_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def set_quantity(
        self,
        subscription: str,
        item: str,
        quantity: int,
        key: str,
        proration: Proration = Proration.CREATE_PRORATIONS,
    ) -> Mapping[str, Any]:
        raise _not_set_up("a change of seats", subscription, item, quantity, key, proration)

    async def preview_seats(self, subscription: str, item: str, quantity: int, at: datetime) -> int:
        raise _not_set_up("a preview of an invoice", subscription, item, quantity, at)

    async def send_usage(
        self, event_name: str, customer: str, quantity: int, at: datetime, identifier: str
    ) -> None:
        raise _not_set_up("usage", event_name, customer, quantity, at, identifier)

    async def usage_on(self, event_name: str, customer: str, day: date) -> int | None:  # noqa: ARG002
        return None

    async def close(self) -> None:
        """There is nothing to end."""


def is_live_key(key: str) -> bool | None:
    """Whether an API key is one of live mode, and not of test mode; None for a key of another form."""
    modes = {"live": True, "test": False}
    kind, _, rest = key.partition("_")
    return modes.get(rest.partition("_")[0]) if kind in {"sk", "rk"} else None


def _not_set_up(what: str, *_: object) -> StripeRefusedError:
    return StripeRefusedError(f"Stripe is not set up, so there is no {what}")


class RealStripe(CheckoutCalls):
    """Stripe's own library, asynchronous and with timeouts."""

    def __init__(self, settings: StripeSettings) -> None:
        self._http = stripe.AIOHTTPClient(timeout=_TIMEOUT_SECONDS)
        url = settings.api_url
        self._client = stripe.StripeClient(
            settings.secret_key.reveal(),
            base_addresses={"api": url, "meter_events": url} if url else None,
            max_network_retries=_RETRIES,
            http_client=self._http,
        )

    async def subscription(self, subscription: str) -> Mapping[str, Any] | None:
        with _translated():
            try:
                found = await self._client.v1.subscriptions.retrieve_async(
                    subscription, {"expand": _EXPANDED}
                )
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404:
                    return None
                raise
        return _plain(found)

    async def invoices_of(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        with _translated():
            listed = await self._client.v1.invoices.list_async({"subscription": subscription, "limit": 100})
        return [_plain(invoice) for invoice in listed.data]

    async def price(self, price: str) -> Mapping[str, Any] | None:
        with _translated():
            try:
                answer = await self._client.v1.prices.retrieve_async(price, {"expand": ["product"]})
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404:
                    return None
                raise
        return _plain(answer)

    async def subscriptions_of(self, customer: str) -> Sequence[Mapping[str, Any]]:
        with _translated():
            try:
                found = await self._client.v1.subscriptions.list_async(
                    {"customer": customer, "status": "all", "limit": 100, "expand": _EXPANDED_IN_LISTS}
                )
            except stripe.InvalidRequestError as problem:
                # Under another key, or in test mode, there is no such customer.
                if problem.code == "resource_missing":
                    return ()
                raise
        return [_plain(one) for one in found.data]

    async def live_subscriptions(self) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        wanted: SubscriptionListParams = {"limit": 100, "expand": _EXPANDED_IN_LISTS}
        while True:
            with _translated():
                page = await self._client.v1.subscriptions.list_async(wanted)
            yield [_plain(subscription) for subscription in page.data]
            last = next((name for one in reversed(page.data) if (name := getattr(one, "id", None))), None)
            if not page.has_more or last is None:
                return
            wanted["starting_after"] = last

    async def subscriptions_for(self, account: int, since: datetime) -> Sequence[Mapping[str, Any]]:
        wanted: SubscriptionListParams = {"limit": 100, "expand": _EXPANDED_IN_LISTS}
        wanted["created"] = {"gte": int(since.timestamp())}
        found: list[stripe.Subscription] = []
        with _translated():
            try:
                search = await self._client.v1.subscriptions.search_async(
                    {"query": f"metadata['account']:'{account}'", "limit": 100, "expand": _EXPANDED_IN_LISTS}
                )
                found += [subscription async for subscription in search.auto_paging_iter()]
            except (stripe.InvalidRequestError, stripe.PermissionError):
                # Stripe has no search for sellers in India; the whole list tells the same, and takes longer.
                del wanted["created"]
            listed = await self._client.v1.subscriptions.list_async(wanted)
            found += [subscription async for subscription in listed.auto_paging_iter()]
        plain = {subscription.id: _plain(subscription) for subscription in found}
        return [
            subscription
            for subscription in plain.values()
            if (subscription.get("metadata") or {}).get("account") == str(account)
        ]

    async def dispute(self, dispute: str) -> Mapping[str, Any] | None:
        with _translated():
            try:
                found = await self._client.v1.disputes.retrieve_async(dispute, {"expand": ["charge"]})
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404:
                    return None
                raise
        return _plain(found)

    async def disputes_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        with _translated():
            page = await self._client.v1.disputes.list_async(
                {
                    "created": {"gte": int(since.timestamp())},
                    "limit": 100,
                    "expand": ["data.charge"],
                }
            )
            return [_plain(dispute) async for dispute in page.auto_paging_iter()]

    async def refund(self, refund: str) -> Mapping[str, Any] | None:
        with _translated():
            try:
                found = await self._client.v1.refunds.retrieve_async(refund, {"expand": ["charge"]})
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404:
                    return None
                raise
        return _plain(found)

    async def payment_intent(self, payment_intent: str) -> Mapping[str, Any] | None:
        with _translated():
            try:
                return _plain(await self._client.v1.payment_intents.retrieve_async(payment_intent))
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404:
                    return None
                raise

    async def refunds_of(self, charge: str) -> Sequence[Mapping[str, Any]]:
        with _translated():
            try:
                page = await self._client.v1.refunds.list_async(
                    {"charge": charge, "limit": 100, "expand": ["data.charge"]}
                )
                return [_plain(refund) async for refund in page.auto_paging_iter()]
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404 or problem.code == "resource_missing":
                    return ()
                raise

    async def refunds_since(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        with _translated():
            page = await self._client.v1.refunds.list_async(
                {
                    "created": {"gte": int(since.timestamp())},
                    "limit": 100,
                    "expand": ["data.charge"],
                }
            )
            return [_plain(refund) async for refund in page.auto_paging_iter()]

    async def set_quantity(
        self,
        subscription: str,
        item: str,
        quantity: int,
        key: str,
        proration: Proration = Proration.CREATE_PRORATIONS,
    ) -> Mapping[str, Any]:
        with _translated():
            found = await self._client.v1.subscriptions.update_async(
                subscription,
                {
                    "items": [{"id": item, "quantity": quantity}],
                    "proration_behavior": proration.value,
                    # Stripe's default would make the whole subscription past due for want of the added seats.
                    "payment_behavior": "error_if_incomplete",
                    "expand": _EXPANDED,
                },
                {"idempotency_key": key},
            )
        return _plain(found)

    async def preview_seats(self, subscription: str, item: str, quantity: int, at: datetime) -> int:
        with _translated():
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
        with _translated():
            try:
                await self._client.v1.billing.meter_events.create_async(
                    {
                        "event_name": event_name,
                        "payload": {"stripe_customer_id": customer, "value": str(quantity)},
                        "timestamp": int(at.timestamp()),
                        # Also what makes a repetition harmless. An idempotency key would be refused for one
                        # with another moment, as when the subscription has ended meanwhile.
                        "identifier": identifier,
                    }
                )
            except stripe.InvalidRequestError as problem:
                if not _is_told_already(problem, identifier):
                    raise

    async def usage_on(self, event_name: str, customer: str, day: date) -> int | None:
        start = datetime.combine(day, time(), UTC)
        with _translated():
            meters = await self._client.v1.billing.meters.list_async({"limit": 100})
            names = {
                meter.event_name: meter.id
                async for meter in meters.auto_paging_iter()
                if getattr(meter, "status", None) != "inactive"
            }
            meter = names.get(event_name)
            if meter is None:
                return None
            counted = await self._client.v1.billing.meters.event_summaries.list_async(
                meter,
                {
                    "customer": customer,
                    "start_time": int(start.timestamp()),
                    "end_time": int((start + timedelta(days=1)).timestamp()),
                },
            )
        return int(sum(one.aggregated_value for one in counted.data))

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]


def _is_told_already(problem: stripe.InvalidRequestError, identifier: str) -> bool:
    text = str(problem).lower()
    return "already exists" in text and ("identifier" in text or identifier.lower() in text)
