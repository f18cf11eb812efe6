"""What we ask of Stripe: a small protocol, the real client, and one for who sells nothing by card."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import stripe

from bot.billing.settings import StripeSettings
from marketplace.seat_increases import Proration

_TIMEOUT_SECONDS = 15
# Repeated by the library under one idempotency key.
_RETRIES = 2


class StripeUnavailableError(Exception):
    """Stripe cannot or will not answer now; asking again later makes sense."""


class StripeRefusedError(Exception):
    """Stripe understood and said no; asking again would not help."""


class Stripe(Protocol):
    """What we ask of Stripe. All raise StripeUnavailableError or StripeRefusedError."""

    async def subscription(self, subscription: str) -> Mapping[str, Any] | None:
        """A subscription with its latest invoice. None if there is no such one."""

    async def subscriptions_of(self, customer: str) -> Sequence[Mapping[str, Any]]:
        """A customer's subscriptions, those that have ended too."""

    async def open_checkout(self, *, account: int, price: str, seats: int, return_url: str, key: str) -> str:
        """The address at which a subscription is bought. Whoever opens it is signed in: never post it."""

    async def open_portal(self, customer: str, return_url: str) -> str:
        """The address at which a customer changes and cancels. Whoever opens it is signed in."""

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
        """How much of it Stripe has counted on a UTC day. None if there is no such meter."""

    async def close(self) -> None:
        """Ends the connections."""


class NoStripe:
    """Stands where Stripe is not set up: knows nothing and sells nothing."""

    async def subscription(self, subscription: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def subscriptions_of(self, customer: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def open_checkout(self, *, account: int, price: str, seats: int, return_url: str, key: str) -> str:
        raise _not_set_up("a checkout", account, price, seats, return_url, key)

    async def open_portal(self, customer: str, return_url: str) -> str:
        raise _not_set_up("the portal", customer, return_url)

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


def _not_set_up(what: str, *_: object) -> StripeRefusedError:
    return StripeRefusedError(f"Stripe is not set up, so there is no {what}")


class RealStripe:
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
                    subscription, {"expand": ["latest_invoice"]}
                )
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404:
                    return None
                raise
        return _plain(found)

    async def subscriptions_of(self, customer: str) -> Sequence[Mapping[str, Any]]:
        with _translated():
            found = await self._client.v1.subscriptions.list_async(
                {"customer": customer, "status": "all", "limit": 100, "expand": ["data.latest_invoice"]}
            )
        return [_plain(one) for one in found.data]

    async def open_checkout(self, *, account: int, price: str, seats: int, return_url: str, key: str) -> str:
        metadata = {"account": str(account)}
        with _translated():
            found = await self._client.v1.checkout.sessions.create_async(
                {
                    "mode": "subscription",
                    "line_items": [{"price": price, "quantity": seats}],
                    "client_reference_id": str(account),
                    "metadata": metadata,
                    "subscription_data": {"metadata": metadata},
                    "success_url": return_url,
                    "cancel_url": return_url,
                },
                {"idempotency_key": key},
            )
        if not found.url:
            raise StripeRefusedError("Stripe gave no address for the checkout")
        return found.url

    async def open_portal(self, customer: str, return_url: str) -> str:
        with _translated():
            found = await self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer, "return_url": return_url}
            )
        return found.url

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
                    "expand": ["latest_invoice"],
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
                        "identifier": identifier,
                    },
                    {"idempotency_key": identifier},
                )
            except stripe.InvalidRequestError as problem:
                if not _is_told_already(problem, identifier):
                    raise

    async def usage_on(self, event_name: str, customer: str, day: date) -> int | None:
        start = datetime.combine(day, time(), UTC)
        with _translated():
            meters = await self._client.v1.billing.meters.list_async({"limit": 100})
            meter = next((one.id for one in meters.data if one.event_name == event_name), None)
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


class _translated:  # noqa: N801 - reads as a word where it is used
    """Turns the library's exceptions into our two."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, stripe.APIConnectionError | stripe.RateLimitError | stripe.APIError):
            raise StripeUnavailableError(f"Stripe cannot be reached: {type(problem).__name__}") from None
        if isinstance(problem, stripe.StripeError):
            # Its own text may repeat what was sent, but never the key.
            raise StripeRefusedError(f"Stripe refused: {problem.user_message or problem}") from None


def _is_told_already(problem: stripe.InvalidRequestError, identifier: str) -> bool:
    text = str(problem).lower()
    return "already exists" in text and ("identifier" in text or identifier.lower() in text)


def _plain(found: stripe.StripeObject) -> Mapping[str, Any]:
    """Without the library's types, which tests need not have."""
    return found.to_dict()
