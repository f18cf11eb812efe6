"""One Stripe customer for an account: the one it bought by before, found again, or a new one."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from bot.billing.stripe_answers import StripeRefusedError
from bot.billing.stripe_checkout import StripeCheckout
from marketplace.customers import choose_customer
from marketplace.stripe_subscriptions import parse_account
from storage.database import Database
from storage.stripe_customers import StripeCustomers
from storage.subscriptions import Account, Subscription, tenants_of_stripe


class AccountCustomers:
    """Finds or makes the customer by whom an account buys."""

    def __init__(self, database: Database, stripe: StripeCheckout) -> None:
        self._database = database
        self._stripe = stripe
        self._log = structlog.get_logger(__name__)

    async def ensure(
        self, organization_id: int, account: Account, subscriptions: Iterable[Subscription]
    ) -> str:
        """Return Stripe's id of the account's customer, and create the customer if there is none.

        A customer who was deleted, who belongs to another key, or who belongs to another account is passed
        over. Raises StripeUnavailableError or StripeRefusedError.
        """
        async with self._database.tenant(organization_id) as tenant:
            kept = await StripeCustomers(tenant).customer()
        candidates = dict.fromkeys(filter(None, (kept, choose_customer(tuple(subscriptions)))))
        customer = await self._first_usable(candidates, organization_id, account.github_id)
        if customer is None:
            customer = await self._find(organization_id, account.github_id)
        if customer is None:
            customer = await self._create(account, tuple(candidates))
        if customer != kept:
            async with self._database.tenant(organization_id) as tenant:
                await StripeCustomers(tenant).set_customer(customer)
        return customer

    async def _first_usable(
        self, candidates: Iterable[str], organization_id: int, account: int
    ) -> str | None:
        for candidate in candidates:
            answer = await self._stripe.customer(candidate)
            if answer is not None and await self._is_own(answer, organization_id, account):
                return candidate
            self._log.warning("Stripe customer passed over: deleted, of another key, or another account's")
        return None

    async def _is_own(self, customer: Mapping[str, Any], organization_id: int, account: int) -> bool:
        """Whether it is this account's alone: Checkout shows its visitor the customer's e-mail address."""
        owner = parse_account(customer.get("metadata"))
        if owner is not None:
            return owner == account
        async with self._database.unscoped() as connection:
            tenants = await tenants_of_stripe(connection, customer.get("id"), None)
        return set(tenants) <= {organization_id}

    async def _find(self, organization_id: int, account: int) -> str | None:
        """A customer that we do not know any more, as after a deletion of the account's data."""
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

    async def _create(self, account: Account, passed_over: tuple[str, ...]) -> str:
        """Two visitors at once create one customer: the key changes only when that one is passed over."""
        text = f"customer:{account.github_id}:{account.name}:{':'.join(passed_over)}"
        key = hashlib.sha256(text.encode()).hexdigest()
        return await self._stripe.create_customer(account=account.github_id, login=account.name, key=key)
