"""The port to Stripe: a protocol, and its implementation for when Stripe is not set up.

The implementation with Stripe's own library is in `stripe_client.py`, which only a service that sells by
Stripe loads.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from bot.billing.stripe_checkout import NoCheckout, StripeCheckout
from bot.billing.stripe_errors import StripeRefusedError, StripeUnavailableError
from marketplace.seat_increases import Proration

__all__ = ["NoStripe", "Stripe", "StripeRefusedError", "StripeUnavailableError", "is_live_key"]


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
