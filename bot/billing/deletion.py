"""Deletes the data of accounts that cancelled on the Marketplace, once their deadline has passed."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from bot.billing.card_purchases import CardPurchases
from bot.billing.marketplace_sync import MarketplaceListing, MarketplaceSync
from bot.billing.stripe_port import StripeRefusedError, StripeUnavailableError
from bot.github.client import GitHubRefusedError, GitHubUnavailableError
from marketplace.subscription_ledger import LedgerCause, SubscriptionLedger
from storage.database import Database
from storage.deadlines import Deadlines, tenants_to_delete
from storage.subscriptions import Subscriptions

# If a seller is unreachable, a purchase may exist; delete nothing.
_SELLER_FAILURES = (GitHubUnavailableError, GitHubRefusedError, StripeUnavailableError, StripeRefusedError)


class Deletion:
    """Deletes due accounts, after asking GitHub and Stripe once more: accounts that pay keep their data."""

    def __init__(
        self,
        database: Database,
        listing: MarketplaceListing,
        sync: MarketplaceSync | None,
        clock: Callable[[], datetime],
        grace: timedelta,
        card: CardPurchases | None = None,
    ) -> None:
        """`sync` and `card` are None where the Marketplace, or Stripe, is not set up."""
        self._database = database
        self._listing = listing
        self._sync = sync
        self._clock = clock
        self._grace = grace
        self._card = card
        self._log = structlog.get_logger(__name__)

    async def run(self) -> int:
        """Delete all due accounts, and return how many were deleted. The next run retries failed ones."""
        async with self._database.unscoped() as connection:
            due = await tenants_to_delete(connection)
        deleted_count = 0
        for organization_id in due:
            with structlog.contextvars.bound_contextvars(organization=organization_id):
                try:
                    deleted_count += await self._delete(organization_id)
                except (*_SELLER_FAILURES, DBAPIError) as problem:
                    self._log.warning("deletion postponed", reason=str(problem))
                except Exception:  # noqa: BLE001 - a bug with one account must not keep the others' data
                    self._log.exception("deletion postponed")
        return deleted_count

    async def _delete(self, organization_id: int) -> bool:
        async with self._database.tenant(organization_id) as tenant:
            account = await Subscriptions(tenant).account()
        if account is None:
            return False
        if await self._listing.get_account(account.github_id) is not None:
            # The account has bought again, and the event was lost.
            if self._sync is not None:
                await self._sync.follow(account.github_id, LedgerCause("clock", "reconciled", ""))
            self._log.warning("deletion stopped: GitHub lists a purchase", account=account.github_id)
            return False
        if self._card is not None and await self._card.has_live_subscription(organization_id, account):
            self._log.warning("deletion stopped: Stripe has a subscription", account=account.github_id)
            return False
        async with self._database.tenant(organization_id) as tenant:
            if await SubscriptionLedger(tenant, self._clock(), self._grace).withdraw_if_paid():
                self._log.warning("deletion stopped: a subscription is paid for", account=account.github_id)
                return False
            counts = await Deadlines(tenant).delete_everything()
        self._log.warning("account deleted, 30 days after it cancelled", account=account.github_id, **counts)
        return True
