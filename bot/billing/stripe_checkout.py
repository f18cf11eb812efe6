"""Stripe's API for selling a subscription: customers, checkout sessions and the billing portal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.billing.stripe_errors import StripeRefusedError
from marketplace.plans import PlanName


@dataclass(frozen=True, slots=True)
class CheckoutTerms:
    """The terms of a checkout session: buyer, plan, price and pages.

    `account` is GitHub's id of the account; `customer` and `price` are Stripe's ids; `quantity` is the number
    of seats. `plan` is written into the metadata for the time when the price is in no setting any more.
    Stripe redirects buyers to `success_url`, and visitors who do not buy to `cancel_url`. `notice` is shown
    beside the button that buys.
    """

    account: int
    customer: str
    price: str
    quantity: int
    success_url: str
    cancel_url: str
    automatic_tax: bool = False
    tax_ids: bool = False
    promotion_codes: bool = False
    plan: PlanName | None = None
    notice: str | None = None

    def params(self) -> dict[str, Any]:
        """Return the parameters with which Stripe opens the session."""
        metadata = {"account": str(self.account)} | ({"plan": self.plan.value} if self.plan else {})
        needs_address = self.automatic_tax or self.tax_ids
        custom_text = {"custom_text": {"submit": {"message": self.notice}}} if self.notice else {}
        return {
            **custom_text,
            "mode": "subscription",
            "customer": self.customer,
            # The buyer's input is stored with the customer, as it would be with a new one. Stripe requires
            # the address for automatic tax, and the name for tax ids.
            "customer_update": {"address": "auto", "name": "auto"},
            "line_items": [{"price": self.price, "quantity": self.quantity}],
            "client_reference_id": str(self.account),
            "metadata": metadata,
            "subscription_data": {"metadata": metadata},
            "automatic_tax": {"enabled": self.automatic_tax},
            "tax_id_collection": {"enabled": self.tax_ids},
            "allow_promotion_codes": self.promotion_codes,
            "billing_address_collection": "required" if needs_address else "auto",
            "success_url": self.success_url,
            "cancel_url": self.cancel_url,
        }

    def matches(self, session: Mapping[str, Any]) -> bool:
        """Whether a session sells the same on the same terms. The URLs that it leads back to may differ."""
        return (
            parse_line_items(session) == [(self.price, self.quantity)]
            and _is_enabled(session, "automatic_tax") is self.automatic_tax
            and _is_enabled(session, "tax_id_collection") is self.tax_ids
            and bool(session.get("allow_promotion_codes")) is self.promotion_codes
        )

    def matches_price(self, session: Mapping[str, Any]) -> bool:
        """Whether a session sells the same plan and period, whatever else differs."""
        return [price for price, _ in parse_line_items(session)] == [self.price]


def parse_line_items(session: Mapping[str, Any]) -> list[tuple[str | None, int | None]]:
    """Return the prices (Stripe's ids) that a session sells, each with its quantity."""
    lines = (session.get("line_items") or {}).get("data", [])
    return [((line.get("price") or {}).get("id"), line.get("quantity")) for line in lines]


def _is_enabled(session: Mapping[str, Any], name: str) -> bool:
    return bool((session.get(name) or {}).get("enabled"))


class StripeCheckout(Protocol):
    """The calls to Stripe for selling. All raise StripeUnavailableError or StripeRefusedError."""

    async def get_customer(self, customer: str) -> Mapping[str, Any] | None:
        """Return a customer; None if it is deleted, or belongs to another API key."""

    async def find_customers(self, account: int) -> Sequence[Mapping[str, Any]]:
        """Return the customers whose metadata name an account, by GitHub's id.

        A customer created within the last minute may be missing: Stripe's search lags behind.
        """

    async def create_customer(self, *, account: int, login: str, key: str) -> str:
        """Create the customer of an account, and return its id."""

    async def list_checkout_sessions(self, customer: str) -> Sequence[Mapping[str, Any]]:
        """Return a customer's checkout sessions with their line items, the newest first, 100 at most."""

    async def open_checkout(self, terms: CheckoutTerms, key: str) -> Mapping[str, Any]:
        """Open a checkout session. Its `url` signs in every visitor: never post or log it."""

    async def expire_checkout(self, session: str) -> bool:
        """Expire an open session, so that it can no longer be paid. False if it is not open any more."""

    async def open_portal(self, customer: str, return_url: str) -> str:
        """Return the URL of the portal in which a customer changes and cancels. It signs in every visitor."""

    async def get_portal_configuration(self) -> Mapping[str, Any] | None:
        """Return the default configuration of the billing portal; None while there is none.

        Its products are missing if Stripe does not show them to the API key.
        """

    async def get_price(self, price: str) -> Mapping[str, Any] | None:
        """Return a price; None if there is no such price."""

    async def get_tax_settings(self) -> Mapping[str, Any]:
        """Return the settings of Stripe Tax."""

    async def list_webhook_endpoints(self) -> Sequence[Mapping[str, Any]]:
        """Return the webhook endpoints of the account, in the mode of the API key."""


class NoCheckout:
    """Implements `StripeCheckout` where Stripe is not set up: finds nothing, and can open nothing."""

    async def get_customer(self, customer: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def find_customers(self, account: int) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def create_customer(self, *, account: int, login: str, key: str) -> str:  # noqa: ARG002
        raise StripeRefusedError("Stripe is not set up, so there is no customer")

    async def list_checkout_sessions(self, customer: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def open_checkout(self, terms: CheckoutTerms, key: str) -> Mapping[str, Any]:  # noqa: ARG002
        raise StripeRefusedError("Stripe is not set up, so there is no checkout")

    async def expire_checkout(self, session: str) -> bool:  # noqa: ARG002
        return False

    async def open_portal(self, customer: str, return_url: str) -> str:  # noqa: ARG002
        raise StripeRefusedError("Stripe is not set up, so there is no billing portal")

    async def get_portal_configuration(self) -> Mapping[str, Any] | None:
        return None

    async def get_price(self, price: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def get_tax_settings(self) -> Mapping[str, Any]:
        return {}

    async def list_webhook_endpoints(self) -> Sequence[Mapping[str, Any]]:
        return ()
