"""What we ask of Stripe: a small protocol, the real client, and one for who sells nothing by card."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import stripe

from bot.billing.settings import StripeSettings
from bot.billing.stripe_answers import StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_answers import plain as _plain
from bot.billing.stripe_answers import translated as _translated
from bot.billing.stripe_checkout import CheckoutCalls, NoCheckout, StripeCheckout

__all__ = ["NoStripe", "RealStripe", "Stripe", "StripeRefusedError", "StripeUnavailableError"]

_TIMEOUT_SECONDS = 15
# Repeated by the library under one idempotency key.
_RETRIES = 2


class Stripe(StripeCheckout, Protocol):
    """What we ask of Stripe. All raise StripeUnavailableError or StripeRefusedError."""

    async def subscription(self, subscription: str) -> Mapping[str, Any] | None:
        """A subscription with its latest invoice. None if there is no such one."""

    async def subscriptions_of(self, customer: str) -> Sequence[Mapping[str, Any]]:
        """A customer's subscriptions, those that have ended too."""

    async def set_quantity(self, subscription: str, item: str, quantity: int, key: str) -> Mapping[str, Any]:
        """Other seats, prorated; returns the subscription."""

    async def send_usage(
        self, event_name: str, customer: str, quantity: int, at: datetime, identifier: str
    ) -> None:
        """Tells of usage. One that is told already under the identifier is told by that."""

    async def usage_on(self, event_name: str, customer: str, day: date) -> int | None:
        """How much of it Stripe has counted on a UTC day. None if there is no such meter."""

    async def close(self) -> None:
        """Ends the connections."""


class NoStripe(NoCheckout):
    """Stands where Stripe is not set up: knows nothing and sells nothing."""

    async def subscription(self, subscription: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def subscriptions_of(self, customer: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def set_quantity(self, subscription: str, item: str, quantity: int, key: str) -> Mapping[str, Any]:
        raise _not_set_up("a change of seats", subscription, item, quantity, key)

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

    async def set_quantity(self, subscription: str, item: str, quantity: int, key: str) -> Mapping[str, Any]:
        with _translated():
            found = await self._client.v1.subscriptions.update_async(
                subscription,
                {
                    "items": [{"id": item, "quantity": quantity}],
                    "proration_behavior": "create_prorations",
                    "expand": ["latest_invoice"],
                },
                {"idempotency_key": key},
            )
        return _plain(found)

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


def _is_told_already(problem: stripe.InvalidRequestError, identifier: str) -> bool:
    text = str(problem).lower()
    return "already exists" in text and ("identifier" in text or identifier.lower() in text)
