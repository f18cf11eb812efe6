"""The Stripe customer of an account: the previous one, one found by its metadata, or a new one."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from bot.billing.stripe_checkout import StripeCheckout
from bot.billing.stripe_errors import StripeRefusedError
from marketplace.customers import choose_customer
from marketplace.stripe_subscriptions import parse_account
from storage.database import Database
from storage.stripe_customers import StripeCustomers
from storage.subscriptions import Account, Subscription, tenants_of_stripe


class AccountCustomers:
    """Finds or creates the Stripe customer of an account."""

    def __init__(self, database: Database, stripe: StripeCheckout) -> None:
        self._database = database
        self._stripe = stripe
        self._log = structlog.get_logger(__name__)

    async def ensure(
        self, organization_id: int, account: Account, subscriptions: Iterable[Subscription]
    ) -> str:
        """Return Stripe's id of the account's customer, and create the customer if there is none.

        A customer that was deleted, belongs to another API key, or belongs to another account is skipped.
        Raises StripeUnavailableError or StripeRefusedError.
        """
        async with self._database.tenant(organization_id) as tenant:
            stored = await StripeCustomers(tenant).customer()
        candidates = dict.fromkeys(filter(None, (stored, choose_customer(tuple(subscriptions)))))
        customer = await self._first_usable(candidates, organization_id, account.github_id)
        if customer is None:
            customer = await self._find_by_metadata(organization_id, account.github_id)
        if customer is None:
            customer = await self._create(account, tuple(candidates))
        if customer != stored:
            async with self._database.tenant(organization_id) as tenant:
                await StripeCustomers(tenant).set_customer(customer)
        return customer

    async def _first_usable(
        self, candidates: Iterable[str], organization_id: int, account: int
    ) -> str | None:
        for candidate in candidates:
            answer = await self._stripe.get_customer(candidate)
            if answer is not None and await self._is_own(answer, organization_id, account):
                return candidate
            self._log.warning("Stripe customer passed over: deleted, of another key, or another account's")
        return None

    async def _is_own(self, customer: Mapping[str, Any], organization_id: int, account: int) -> bool:
        """Whether a customer is this account's alone: Checkout shows the customer's e-mail address."""
        owner = parse_account(customer.get("metadata"))
        if owner is not None:
            return owner == account
        async with self._database.unscoped() as connection:
            tenants = await tenants_of_stripe(connection, customer.get("id"), None)
        return set(tenants) <= {organization_id}

    async def _find_by_metadata(self, organization_id: int, account: int) -> str | None:
        """Find a customer that is no longer stored, as after a deletion of the account's data."""
        try:
            customers = await self._stripe.find_customers(account)
        except StripeRefusedError as problem:  # Stripe's search is not offered in every country.
            self._log.warning("Stripe's search was refused; a new customer is made", reason=str(problem))
            return None
        ids = [
            str(customer["id"])
            for customer in customers
            if parse_account(customer.get("metadata")) == account
        ]
        return await self._first_usable(ids, organization_id, account)

    async def _create(self, account: Account, skipped: tuple[str, ...]) -> str:
        """Create a customer. Concurrent requests create one: the key changes only if that one is skipped."""
        text = f"customer:{account.github_id}:{account.name}:{':'.join(skipped)}"
        key = hashlib.sha256(text.encode()).hexdigest()
        return await self._stripe.create_customer(account=account.github_id, login=account.name, key=key)
