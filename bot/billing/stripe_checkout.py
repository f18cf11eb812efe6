"""What we ask of Stripe to sell a subscription: customers, checkout sessions and the billing portal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import stripe
from stripe.params.billing_portal import ConfigurationListParams
from stripe.params.checkout import SessionCreateParams

from bot.billing.stripe_answers import StripeRefusedError, plain, translated
from marketplace.plans import PlanName


@dataclass(frozen=True, slots=True)
class CheckoutTerms:
    """What a checkout session sells, to whom, and how.

    `account` is GitHub's id of the account, `plan` what its metadata name for when the price is not ours any
    more. `customer` and `price` are Stripe's ids, `quantity` is the number
    of seats. Stripe leads back to `success_url` or, from who does not buy, to `cancel_url`.
    `notice` is shown beside the button that buys.
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
        """Return the session as Stripe is asked to open it."""
        metadata = {"account": str(self.account)} | ({"plan": self.plan.value} if self.plan else {})
        needs_address = self.automatic_tax or self.tax_ids
        custom_text = {"custom_text": {"submit": {"message": self.notice}}} if self.notice else {}
        return {
            **custom_text,
            "mode": "subscription",
            "customer": self.customer,
            # What the buyer types is kept with the customer, as it would be with a new one. Stripe insists on
            # the address for automatic tax, and on the name for tax ids.
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

    def are_those_of(self, session: Mapping[str, Any]) -> bool:
        """Return whether a session sells the same. The addresses that it leads back to may differ."""
        return (
            items_of(session) == [(self.price, self.quantity)]
            and _is_enabled(session, "automatic_tax") is self.automatic_tax
            and _is_enabled(session, "tax_id_collection") is self.tax_ids
            and bool(session.get("allow_promotion_codes")) is self.promotion_codes
        )

    def have_price_of(self, session: Mapping[str, Any]) -> bool:
        """Return whether a session sells the same plan and period, whatever else differs."""
        return [price for price, _ in items_of(session)] == [self.price]


def items_of(session: Mapping[str, Any]) -> list[tuple[str | None, int | None]]:
    """The prices (Stripe's ids) that a session sells, each with its quantity."""
    lines = (session.get("line_items") or {}).get("data", [])
    return [((line.get("price") or {}).get("id"), line.get("quantity")) for line in lines]


def _is_enabled(session: Mapping[str, Any], name: str) -> bool:
    return bool((session.get(name) or {}).get("enabled"))


class StripeCheckout(Protocol):
    """What selling asks of Stripe. All raise StripeUnavailableError or StripeRefusedError."""

    async def customer(self, customer: str) -> Mapping[str, Any] | None:
        """Return a customer; None if it is deleted, or belongs to another key."""

    async def find_customers(self, account: int) -> Sequence[Mapping[str, Any]]:
        """Return the customers whose metadata name an account. One made within the last minute may be
        missing: Stripe's search lags behind.
        """

    async def create_customer(self, *, account: int, login: str, key: str) -> str:
        """Create the customer of an account, and return its id."""

    async def checkout_sessions(self, customer: str) -> Sequence[Mapping[str, Any]]:
        """Return a customer's checkout sessions with their line items, the newest first, 100 at most."""

    async def open_checkout(self, terms: CheckoutTerms, key: str) -> Mapping[str, Any]:
        """Open a checkout session. Whoever opens its `url` is signed in: never post or log it."""

    async def expire_checkout(self, session: str) -> bool:
        """Expire an open session, so that it can no longer be paid. False if it is not open any more."""

    async def open_portal(self, customer: str, return_url: str) -> str:
        """Return the address at which a customer changes and cancels. Whoever opens it is signed in."""

    async def portal_configuration(self) -> Mapping[str, Any] | None:
        """Return the default configuration of the billing portal; None while there is none.

        Its products are missing where Stripe does not show them.
        """

    async def price(self, price: str) -> Mapping[str, Any] | None:
        """Return a price; None if there is no such price."""

    async def tax_settings(self) -> Mapping[str, Any]:
        """Return the settings of Stripe Tax."""

    async def webhook_endpoints(self) -> Sequence[Mapping[str, Any]]:
        """Return the webhook endpoints of the account, in the mode of our key."""


class CheckoutCalls:
    """The calls of `StripeCheckout` by Stripe's own library."""

    _client: stripe.StripeClient

    async def customer(self, customer: str) -> Mapping[str, Any] | None:
        with translated():
            try:
                answer = plain(await self._client.v1.customers.retrieve_async(customer))
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404:
                    return None
                raise
        return None if answer.get("deleted") else answer

    async def find_customers(self, account: int) -> Sequence[Mapping[str, Any]]:
        with translated():
            answer = await self._client.v1.customers.search_async(
                {"query": _of_account(account), "limit": 100}
            )
        return [plain(customer) for customer in answer.data]

    async def create_customer(self, *, account: int, login: str, key: str) -> str:
        with translated():
            customer = await self._client.v1.customers.create_async(
                # Without name and e-mail address: the buyer types both, and Checkout keeps them.
                {"description": f"{login} on GitHub", "metadata": {"account": str(account)}},
                {"idempotency_key": key},
            )
        return customer.id

    async def checkout_sessions(self, customer: str) -> Sequence[Mapping[str, Any]]:
        with translated():
            answer = await self._client.v1.checkout.sessions.list_async(
                {"customer": customer, "limit": 100, "expand": ["data.line_items"]}
            )
        return [plain(session) for session in answer.data]

    async def open_checkout(self, terms: CheckoutTerms, key: str) -> Mapping[str, Any]:
        with translated():
            session = await self._client.v1.checkout.sessions.create_async(
                cast("SessionCreateParams", terms.params()), {"idempotency_key": key}
            )
        if not session.url:
            raise StripeRefusedError("Stripe gave no address for the checkout")
        return plain(session)

    async def expire_checkout(self, session: str) -> bool:
        with translated():
            try:
                await self._client.v1.checkout.sessions.expire_async(session)
            except stripe.InvalidRequestError:
                # Stripe's only reasons: it is complete, it has expired, or it belongs to another key.
                return False
        return True

    async def open_portal(self, customer: str, return_url: str) -> str:
        with translated():
            session = await self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer, "return_url": return_url}
            )
        return session.url

    async def portal_configuration(self) -> Mapping[str, Any] | None:
        wanted: ConfigurationListParams = {"is_default": True, "active": True, "limit": 1}
        list_async = self._client.v1.billing_portal.configurations.list_async
        with translated():
            try:
                answer = await list_async(
                    {**wanted, "expand": ["data.features.subscription_update.products"]}
                )
            except stripe.InvalidRequestError:  # Stripe has not always let the products be expanded.
                answer = await list_async(wanted)
        return plain(answer.data[0]) if answer.data else None

    async def price(self, price: str) -> Mapping[str, Any] | None:
        with translated():
            try:
                return plain(await self._client.v1.prices.retrieve_async(price))
            except stripe.InvalidRequestError as problem:
                if problem.http_status == 404:
                    return None
                raise

    async def tax_settings(self) -> Mapping[str, Any]:
        with translated():
            return plain(await self._client.v1.tax.settings.retrieve_async())

    async def webhook_endpoints(self) -> Sequence[Mapping[str, Any]]:
        with translated():
            page = await self._client.v1.webhook_endpoints.list_async({"limit": 100})
            return [plain(endpoint) async for endpoint in page.auto_paging_iter()]


class NoCheckout:
    """Stands where Stripe is not set up: nothing is found, and nothing can be opened."""

    async def customer(self, customer: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def find_customers(self, account: int) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def create_customer(self, *, account: int, login: str, key: str) -> str:  # noqa: ARG002
        raise StripeRefusedError("Stripe is not set up, so there is no customer")

    async def checkout_sessions(self, customer: str) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        return ()

    async def open_checkout(self, terms: CheckoutTerms, key: str) -> Mapping[str, Any]:  # noqa: ARG002
        raise StripeRefusedError("Stripe is not set up, so there is no checkout")

    async def expire_checkout(self, session: str) -> bool:  # noqa: ARG002
        return False

    async def open_portal(self, customer: str, return_url: str) -> str:  # noqa: ARG002
        raise StripeRefusedError("Stripe is not set up, so there is no billing portal")

    async def portal_configuration(self) -> Mapping[str, Any] | None:
        return None

    async def price(self, price: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    async def tax_settings(self) -> Mapping[str, Any]:
        return {}

    async def webhook_endpoints(self) -> Sequence[Mapping[str, Any]]:
        return ()


def _of_account(account: int) -> str:
    return f"metadata['account']:'{account}'"
