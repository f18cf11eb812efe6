"""Finds an account's card purchases at Stripe, by metadata and by customer."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.billing.stripe_port import Stripe
from bot.billing.stripe_sync import StripeSync
from marketplace.stripe_subscriptions import SubscriptionHint, parse_account
from storage.database import Database
from storage.subscriptions import STRIPE, Account, Subscriptions

# Stripe's search lags up to an hour behind during outages; the margin covers longer ones.
_SEARCH_LAG = timedelta(days=1)
_LIVE = frozenset({"active", "trialing", "past_due"})


class CardPurchases:
    """Finds the subscriptions of an account whose events may have been lost."""

    def __init__(
        self, database: Database, stripe: Stripe, sync: StripeSync, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._stripe = stripe
        self._sync = sync
        self._clock = clock

    async def has_live_subscription(self, organization_id: int, account: Account) -> bool:
        """Whether Stripe has a live subscription for the account; live ones are stored.

        Raises StripeUnavailableError and StripeRefusedError; then the answer is unknown.
        """
        live = [
            answer
            for answer in await self._list_subscriptions(organization_id, account)
            if answer.get("status") in _LIVE
        ]
        for answer in live:
            await self._sync.follow(SubscriptionHint("", "reconciled", None, str(answer["id"])))
        return bool(live)

    async def _list_subscriptions(self, organization_id: int, account: Account) -> list[Mapping[str, Any]]:
        """Return all subscriptions that name the account, and those of its customers that name no other."""
        answers = list(await self._stripe.find_subscriptions(account.github_id, self._clock() - _SEARCH_LAG))
        async with self._database.tenant(organization_id) as tenant:
            subscriptions = await Subscriptions(tenant).all()
        customers = {
            subscription.customer
            for subscription in subscriptions
            if subscription.source == STRIPE and subscription.customer
        }
        for customer in sorted(customers):
            answers += [
                answer
                for answer in await self._stripe.list_subscriptions(customer)
                if parse_account(answer.get("metadata")) in {None, account.github_id}
            ]
        return list({str(answer["id"]): answer for answer in answers}.values())
