"""Keeping up with GitHub Marketplace: GitHub is asked after each event, and once a day for everything."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.billing.isolation import all_accounts, isolated_account, isolated_work
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
from storage.billing_jobs import BillingJobs
from storage.database import Database
from storage.subscriptions import MARKETPLACE, Subscriptions, tenant_of_account, tenant_of_buyer

# GitHub's answer may lag behind its event: after so long it is asked again, then believed.
PAUSES = (timedelta(seconds=20), timedelta(minutes=2), timedelta(minutes=15))
RECONCILED = "reconciled"


class Listing(Protocol):
    """The listing on GitHub Marketplace."""

    async def account(self, account: int) -> Any | None:
        """What an account has bought, as GitHub tells it. None if nothing."""

    def plans(self) -> AsyncIterator[Any]:
        """The plans that are on sale."""

    def accounts(self, plan: int) -> AsyncIterator[Any]:
        """All accounts on a plan."""


class GitHubListing:
    """The listing, asked in the name of the App."""

    def __init__(self, github: GitHub) -> None:
        self._app = github.app

    async def account(self, account: int) -> Any | None:
        """Raises GitHubUnavailableError or GitHubRefusedError, as all of these do."""
        try:
            return await self._app.get(f"/marketplace_listing/accounts/{account}")
        except GitHubRefusedError as refusal:
            if refusal.status == 404:
                return None
            raise

    def plans(self) -> AsyncIterator[Any]:
        return self._app.pages("/marketplace_listing/plans?per_page=100")

    def accounts(self, plan: int) -> AsyncIterator[Any]:
        return self._app.pages(f"/marketplace_listing/plans/{plan}/accounts?per_page=100")


class MarketplaceSync:
    """Brings our books into line with the listing."""

    def __init__(
        self,
        database: Database,
        listing: Listing,
        settings: BillingSettings,
        jobs: BillingJobs,
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
        """Acts on an event. A cause without `effective_at` is not dated.

        Raises GitHubUnavailableError or GitHubRefusedError; then nothing has changed.
        """
        with structlog.contextvars.bound_contextvars(account=account, cause=cause.event, delivery=cause.id):
            asked_at = self._clock()
            try:
                found = await self._asked(account)
                await self._keep(account, found, cause, asked_at, tries)
            except PurchaseError as problem:
                self._log.error("purchase not understood; nothing is changed", reason=str(problem))

    async def follow_later(self, account: int, cause: LedgerCause, tries: int, at: datetime) -> None:
        """Acts on an event when GitHub may be asked again."""
        async with self._database.unscoped() as connection:
            await self._put_off(connection, account, cause, tries, at)

    async def reconcile(self) -> None:
        """Compares our books with all that the listing tells. Raises as `follow` does."""
        seen = set[int]()
        ids = {one.id for one in self._plans}
        async for plan in self._listing.plans():
            ids.add(int(plan["id"]))
        for plan_id in sorted(ids):
            asked_at = self._clock()
            async for told in self._accounts(plan_id):
                cause = LedgerCause("clock", RECONCILED, "")
                with (
                    structlog.contextvars.bound_contextvars(cause=RECONCILED),
                    isolated_work(self._log, "purchase not compared"),
                ):
                    try:
                        found = parse_marketplace_account(told)
                        seen.add(found.id)
                        await self._keep(found.id, found, cause, asked_at, len(PAUSES))
                    except PurchaseError as problem:
                        self._log.error("purchase not understood; nothing is changed", reason=str(problem))
        for account in await self._ours_but_not_in(seen):
            with isolated_work(self._log, "purchase not compared", account=account):
                await self.follow(account, LedgerCause("clock", RECONCILED, ""), len(PAUSES))

    async def _accounts(self, plan_id: int) -> AsyncIterator[Any]:
        """A plan that the settings name may be gone from the listing."""
        try:
            async for told in self._listing.accounts(plan_id):
                yield told
        except GitHubRefusedError as refusal:
            if refusal.status != 404:
                raise
            self._log.warning("the listing has no such plan; see MARKETPLACE_PLAN_IDS", plan=plan_id)

    async def _asked(self, account: int) -> MarketplaceAccount | None:
        told = await self._listing.account(account)
        return None if told is None else parse_marketplace_account(told)

    async def _keep(
        self,
        account: int,
        found: MarketplaceAccount | None,
        cause: LedgerCause,
        asked_at: datetime,
        tries: int,
    ) -> None:
        async with self._database.unscoped() as connection:
            tenant_id = await tenant_of_account(connection, account)
            if tenant_id is None and found is None:
                await self._again_or_nothing(connection, account, cause, tries)
                return
            if found is not None:
                if tenant_id is None:  # Who has bought nothing that we understand becomes no tenant.
                    read_purchase(found, self._plan_of, asked_at, None)
                tenant_id = await tenant_of_buyer(connection, account, found.login, found.type)
        if tenant_id is None:
            return
        async with self._database.tenant(tenant_id) as tenant:
            books = SubscriptionLedger(tenant, self._clock(), self._grace)
            known = await books.get_subscription(MARKETPLACE, "")
            read = None
            if found is not None:
                reading = read_purchase(found, self._plan_of, asked_at, known)
                read = reading.subscription
                if reading.problem is not None:
                    self._log.error("purchase not understood; the rest of it applies", reason=reading.problem)
            result = decide_outcome(
                known,
                read,
                cause.event,
                cause.effective_at,
                asked_at,
                is_last_try=tries >= len(PAUSES),
            )
            if result.try_again:
                await self._again(tenant.connection, account, cause, tries)
                return
            if result.subscription is not None:
                await books.record(result.subscription, cause)
            # Even if GitHub was asked again since then: what is paid for by now is not deleted.
            if result.cancelled_at is not None:
                await books.record_cancellation(result.cancelled_at, cause, is_announced=result.is_announced)

    async def _again_or_nothing(
        self, connection: AsyncConnection, account: int, cause: LedgerCause, tries: int
    ) -> None:
        """An account that neither we nor GitHub know: it may have bought a moment ago."""
        if cause.event == "purchased" and tries < len(PAUSES):
            await self._again(connection, account, cause, tries)
        else:
            self._log.warning("GitHub lists no such account, and we know none; nothing is changed")

    async def _again(self, connection: AsyncConnection, account: int, cause: LedgerCause, tries: int) -> None:
        await self._put_off(connection, account, cause, tries + 1, self._clock() + PAUSES[tries])
        self._log.info("GitHub does not list the account; it is asked again", tries=tries + 1)

    async def _put_off(
        self, connection: AsyncConnection, account: int, cause: LedgerCause, tries: int, at: datetime
    ) -> None:
        await self._jobs.follow_purchase(
            connection,
            account=account,
            action=cause.event,
            effective_at=cause.effective_at,
            delivery=cause.id,
            tries=tries,
            at=at,
        )

    async def _ours_but_not_in(self, seen: set[int]) -> list[int]:
        """The accounts whose purchase stands in our books and is not in the listing."""
        missing = list[int]()
        for tenant_id in await all_accounts(self._database):
            with isolated_account(self._log, "subscriptions not read", tenant_id):
                async with self._database.tenant(tenant_id) as tenant:
                    books = Subscriptions(tenant)
                    account, subscriptions = await books.account(), await books.all()
                is_ours = any(
                    subscription.source == MARKETPLACE and not subscription.has_ended
                    for subscription in subscriptions
                )
                if account is not None and is_ours and account.github_id not in seen:
                    missing.append(account.github_id)
        return missing
