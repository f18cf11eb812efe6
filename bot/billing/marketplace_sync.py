"""Synchronises purchases with GitHub Marketplace: after each event, and once a day for all accounts.

An event is only a hint; GitHub's current answer is what counts.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.billing.isolation import accounts_with_billing, isolated_account, isolated_work
from bot.github.client import GitHub, GitHubRefusedError
from bot.settings.billing import BillingSettings
from marketplace.github_purchases import (
    MarketplaceAccount,
    PurchaseError,
    decide_outcome,
    parse_marketplace_account,
    read_purchase,
)
from marketplace.subscription_ledger import LedgerCause, SubscriptionLedger
from storage.billing_jobs import FollowPurchaseJob
from storage.database import Database
from storage.jobs import Jobs
from storage.subscriptions import MARKETPLACE, Subscriptions, tenant_of_account, tenant_of_buyer

# GitHub's answer may lag behind its event: it is asked again after each pause, and the last answer counts.
PAUSES = (timedelta(seconds=20), timedelta(minutes=2), timedelta(minutes=15))
RECONCILED = "reconciled"


class MarketplaceListing(Protocol):
    """The listing on GitHub Marketplace."""

    async def get_account(self, account: int) -> Any | None:
        """Return the purchase of a GitHub account id, or None."""

    def list_plans(self) -> AsyncIterator[Any]:
        """Yield the plans that are on sale."""

    def list_accounts(self, plan: int) -> AsyncIterator[Any]:
        """Yield all accounts on a plan."""


class GitHubListing:
    """Reads the listing with the App's credentials.

    All methods raise GitHubUnavailableError or GitHubRefusedError.
    """

    def __init__(self, github: GitHub) -> None:
        self._app = github.app

    async def get_account(self, account: int) -> Any | None:
        try:
            return await self._app.get(f"/marketplace_listing/accounts/{account}")
        except GitHubRefusedError as refusal:
            if refusal.status == 404:
                return None
            raise

    def list_plans(self) -> AsyncIterator[Any]:
        return self._app.pages("/marketplace_listing/plans?per_page=100")

    def list_accounts(self, plan: int) -> AsyncIterator[Any]:
        return self._app.pages(f"/marketplace_listing/plans/{plan}/accounts?per_page=100")


class MarketplaceSync:
    """Brings the stored subscriptions in line with the listing."""

    def __init__(
        self,
        database: Database,
        listing: MarketplaceListing,
        settings: BillingSettings,
        jobs: Jobs,
        clock: Callable[[], datetime],
    ) -> None:
        if settings.marketplace is None:
            raise ValueError("the Marketplace is not set up")
        self._database = database
        self._listing = listing
        self._plan_of = settings.marketplace.plan
        self._plans = settings.marketplace.plans
        self._grace = settings.grace
        self._jobs = jobs
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def follow(self, account: int, cause: LedgerCause, tries: int = 0) -> None:
        """Ask GitHub for an account's purchase after an event, and store it; `tries` counts earlier tries.

        A cause without `effective_at` has no date.

        Raises GitHubUnavailableError or GitHubRefusedError; then nothing has changed.
        """
        with structlog.contextvars.bound_contextvars(account=account, cause=cause.event, delivery=cause.id):
            asked_at = self._clock()
            try:
                purchase = await self._load_purchase(account)
                await self._store(account, purchase, cause, asked_at, tries)
            except PurchaseError as problem:
                self._log.error("purchase not understood; nothing is changed", reason=str(problem))

    async def follow_later(self, account: int, cause: LedgerCause, tries: int, at: datetime) -> None:
        """Queue the event again for a time when GitHub may be asked."""
        async with self._database.unscoped() as connection:
            await self._queue(connection, account, cause, tries, at)

    async def reconcile(self) -> None:
        """Compare the stored subscriptions with all accounts of the listing. Raises as `follow` does."""
        listed_accounts = set[int]()
        ids = {listed.id for listed in self._plans}
        async for plan in self._listing.list_plans():
            ids.add(int(plan["id"]))
        for plan_id in sorted(ids):
            asked_at = self._clock()
            async for answer in self._list_accounts(plan_id):
                cause = LedgerCause("clock", RECONCILED, "")
                with (
                    structlog.contextvars.bound_contextvars(cause=RECONCILED),
                    isolated_work(self._log, "purchase not compared"),
                ):
                    try:
                        purchase = parse_marketplace_account(answer)
                        listed_accounts.add(purchase.id)
                        await self._store(purchase.id, purchase, cause, asked_at, len(PAUSES))
                    except PurchaseError as problem:
                        self._log.error("purchase not understood; nothing is changed", reason=str(problem))
        for account in await self._list_unlisted(listed_accounts):
            with isolated_work(self._log, "purchase not compared", account=account):
                await self.follow(account, LedgerCause("clock", RECONCILED, ""), len(PAUSES))

    async def _list_accounts(self, plan_id: int) -> AsyncIterator[Any]:
        """Yield a plan's accounts. A plan that the settings name may be missing in the listing."""
        try:
            async for answer in self._listing.list_accounts(plan_id):
                yield answer
        except GitHubRefusedError as refusal:
            if refusal.status != 404:
                raise
            self._log.warning("the listing has no such plan; see MARKETPLACE_PLAN_IDS", plan=plan_id)

    async def _load_purchase(self, account: int) -> MarketplaceAccount | None:
        answer = await self._listing.get_account(account)
        return None if answer is None else parse_marketplace_account(answer)

    async def _store(
        self,
        account: int,
        purchase: MarketplaceAccount | None,
        cause: LedgerCause,
        asked_at: datetime,
        tries: int,
    ) -> None:
        async with self._database.unscoped() as connection:
            tenant_id = await tenant_of_account(connection, account)
            if tenant_id is None and purchase is None:
                await self._retry_unknown_account(connection, account, cause, tries)
                return
            if purchase is not None:
                if tenant_id is None:  # A purchase that is not understood creates no tenant.
                    read_purchase(purchase, self._plan_of, asked_at, None)
                tenant_id = await tenant_of_buyer(connection, account, purchase.login, purchase.type)
        if tenant_id is None:
            return
        async with self._database.tenant(tenant_id) as tenant:
            ledger = SubscriptionLedger(tenant, self._clock(), self._grace)
            stored = await ledger.get_subscription(MARKETPLACE, "")
            read = None
            if purchase is not None:
                reading = read_purchase(purchase, self._plan_of, asked_at, stored)
                read = reading.subscription
                if reading.problem is not None:
                    self._log.error("purchase not understood; the rest of it applies", reason=reading.problem)
            result = decide_outcome(
                stored,
                read,
                cause.event,
                cause.effective_at,
                asked_at,
                is_last_try=tries >= len(PAUSES),
            )
            if result.try_again:
                await self._retry(tenant.connection, account, cause, tries)
                return
            if result.subscription is not None:
                await ledger.record(result.subscription, cause)
            # Even after a newer answer of GitHub: the data of an account that pays by now are not deleted.
            if result.cancelled_at is not None:
                await ledger.record_cancellation(result.cancelled_at, cause, is_announced=result.is_announced)

    async def _retry_unknown_account(
        self, connection: AsyncConnection, account: int, cause: LedgerCause, tries: int
    ) -> None:
        """Ask again for an account that neither the database nor GitHub has: its purchase may be new."""
        if cause.event == "purchased" and tries < len(PAUSES):
            await self._retry(connection, account, cause, tries)
        else:
            self._log.warning("GitHub lists no such account, and we know none; nothing is changed")

    async def _retry(self, connection: AsyncConnection, account: int, cause: LedgerCause, tries: int) -> None:
        await self._queue(connection, account, cause, tries + 1, self._clock() + PAUSES[tries])
        self._log.info("GitHub does not list the account; it is asked again", tries=tries + 1)

    async def _queue(
        self, connection: AsyncConnection, account: int, cause: LedgerCause, tries: int, at: datetime
    ) -> None:
        job = FollowPurchaseJob(
            account=account,
            action=cause.event,
            effective_at=cause.effective_at,
            delivery=cause.id,
            tries=tries,
        )
        await self._jobs.defer(connection, job, at)

    async def _list_unlisted(self, listed_accounts: set[int]) -> list[int]:
        """Return the accounts with a stored purchase that are not in the listing."""
        missing = list[int]()
        async for tenant_id in accounts_with_billing(self._database):
            with isolated_account(self._log, "subscriptions not read", tenant_id):
                async with self._database.tenant(tenant_id) as tenant:
                    rows = Subscriptions(tenant)
                    account, subscriptions = await rows.account(), await rows.all()
                has_purchase = any(
                    subscription.source == MARKETPLACE and not subscription.has_ended
                    for subscription in subscriptions
                )
                if account is not None and has_purchase and account.github_id not in listed_accounts:
                    missing.append(account.github_id)
        return missing
