"""The calls to Stripe for selling, made with Stripe's own library."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import stripe
from stripe.params.billing_portal import ConfigurationListParams
from stripe.params.checkout import SessionCreateParams

from bot.billing.stripe_answers import retrieve_or_none, to_plain, translate_errors
from bot.billing.stripe_checkout import CheckoutTerms
from bot.billing.stripe_errors import StripeRefusedError


class CheckoutCalls:
    """Implements `StripeCheckout` with Stripe's own library."""

    _client: stripe.StripeClient

    async def get_customer(self, customer: str) -> Mapping[str, Any] | None:
        answer = await retrieve_or_none(self._client.v1.customers.retrieve_async(customer))
        return None if answer is None or answer.get("deleted") else answer

    async def find_customers(self, account: int) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            answer = await self._client.v1.customers.search_async(
                {"query": make_account_query(account), "limit": 100}
            )
        return [to_plain(customer) for customer in answer.data]

    async def create_customer(self, *, account: int, login: str, key: str) -> str:
        with translate_errors():
            customer = await self._client.v1.customers.create_async(
                # Without name and e-mail address: the buyer enters both, and Checkout stores them.
                {"description": f"{login} on GitHub", "metadata": {"account": str(account)}},
                {"idempotency_key": key},
            )
        return customer.id

    async def list_checkout_sessions(self, customer: str) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            answer = await self._client.v1.checkout.sessions.list_async(
                {"customer": customer, "limit": 100, "expand": ["data.line_items"]}
            )
        return [to_plain(session) for session in answer.data]

    async def open_checkout(self, terms: CheckoutTerms, key: str) -> Mapping[str, Any]:
        with translate_errors():
            session = await self._client.v1.checkout.sessions.create_async(
                cast("SessionCreateParams", terms.params()), {"idempotency_key": key}
            )
        if not session.url:
            raise StripeRefusedError("Stripe gave no address for the checkout")
        return to_plain(session)

    async def expire_checkout(self, session: str) -> bool:
        with translate_errors():
            try:
                await self._client.v1.checkout.sessions.expire_async(session)
            except stripe.InvalidRequestError:
                # Stripe refuses only if the session is complete, has expired, or belongs to another key.
                return False
        return True

    async def open_portal(self, customer: str, return_url: str) -> str:
        with translate_errors():
            session = await self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer, "return_url": return_url}
            )
        return session.url

    async def get_portal_configuration(self) -> Mapping[str, Any] | None:
        params: ConfigurationListParams = {"is_default": True, "active": True, "limit": 1}
        list_async = self._client.v1.billing_portal.configurations.list_async
        with translate_errors():
            try:
                answer = await list_async(
                    {**params, "expand": ["data.features.subscription_update.products"]}
                )
            except stripe.InvalidRequestError:  # Older versions of the API cannot expand the products.
                answer = await list_async(params)
        return to_plain(answer.data[0]) if answer.data else None

    async def get_price(self, price: str) -> Mapping[str, Any] | None:
        return await retrieve_or_none(self._client.v1.prices.retrieve_async(price))

    async def get_tax_settings(self) -> Mapping[str, Any]:
        with translate_errors():
            return to_plain(await self._client.v1.tax.settings.retrieve_async())

    async def list_webhook_endpoints(self) -> Sequence[Mapping[str, Any]]:
        with translate_errors():
            page = await self._client.v1.webhook_endpoints.list_async({"limit": 100})
            return [to_plain(endpoint) async for endpoint in page.auto_paging_iter()]


def make_account_query(account: int) -> str:
    """Return the search query for objects whose metadata name an account, by GitHub's id."""
    return f"metadata['account']:'{account}'"
