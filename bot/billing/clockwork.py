"""The jobs of billing: those that follow events, and those that run by the clock."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import procrastinate
import structlog

from bot.billing.deletion import Deletion
from bot.billing.marketplace_sync import GitHubListing, MarketplaceSync
from bot.billing.settings import BillingSettings
from bot.billing.stripe_client import (
    NoStripe,
    RealStripe,
    Stripe,
    StripeRefusedError,
    StripeUnavailableError,
)
from bot.billing.stripe_sync import StripeSync
from bot.billing.usage import UsageReporting
from bot.github import GitHub, GitHubRefusedError, GitHubUnavailableError
from marketplace.books import Books, Cause
from marketplace.stripe_subscriptions import About
from storage.billing_jobs import (
    DELETE_DUE,
    FOLLOW_PURCHASE,
    FOLLOW_STRIPE,
    RECONCILE_BILLING,
    RECONCILE_STRIPE,
    REPORT_USAGE,
    BillingJobs,
)
from storage.database import Database
from storage.jobs import OTHERS
from storage.lookups import all_tenants
from storage.subscriptions import tenant_of_account, tenants_of_stripe


class BillingClockwork:
    """Registers its jobs with a queue. Each of them can be repeated at any time."""

    def __init__(
        self,
        database: Database,
        github: GitHub,
        settings: BillingSettings,
        jobs: BillingJobs,
        clock: Callable[[], datetime],
        stripe: Stripe | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._jobs = jobs
        self._clock = clock
        self._listing = GitHubListing(github)
        self._stripe = stripe
        self._log = structlog.get_logger(__name__)

    def register(self, queue: procrastinate.App) -> None:
        """Adds the jobs of what the settings name. Obligations stay when selling is switched off."""
        if self._settings.marketplace is not None:
            self._register_marketplace(queue)
        if self._settings.stripe is not None:
            self._register_stripe(queue, self._stripe or RealStripe(self._settings.stripe))
        else:
            self._register_usage(queue, NoStripe())

    async def close(self) -> None:
        """Ends the connections to Stripe."""
        if self._stripe is not None:
            await self._stripe.close()

    def _register_marketplace(self, queue: procrastinate.App) -> None:
        sync = MarketplaceSync(self._database, self._listing, self._settings, self._jobs, self._clock)
        deletion = Deletion(self._database, self._listing, sync, self._clock, self._settings.grace)

        async def follow(
            account: int, action: str, effective_at: str | None, delivery: str, tries: int = 0
        ) -> None:
            at = datetime.fromisoformat(effective_at) if effective_at else None
            cause = Cause("marketplace", action, delivery, at)
            try:
                await sync.follow(account, cause, tries)
            except GitHubUnavailableError as problem:
                await sync.follow_later(account, cause, tries, problem.retry_at)
            else:
                await self._tell_owner_of(account)

        async def reconcile(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's argument
            await self._reconcile(sync)

        async def delete(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's argument
            await deletion.run()

        retry = procrastinate.RetryStrategy(max_attempts=5, exponential_wait=4)
        queue.task(name=FOLLOW_PURCHASE, queue=OTHERS, retry=retry)(follow)
        for name, cron, work in (
            (RECONCILE_BILLING, "20 4 * * *", reconcile),
            (DELETE_DUE, "* * * * *", delete),
        ):
            task = queue.task(name=name, queue=OTHERS, queueing_lock=name, lock=name)(work)
            queue.periodic(cron=cron)(task)

    def _register_stripe(self, queue: procrastinate.App, stripe: Stripe) -> None:
        self._stripe = stripe
        sync = StripeSync(self._database, stripe, self._settings, self._clock)

        async def follow(**about: Any) -> None:
            await sync.follow(About(**about))
            await self._tell_owners_of(About(**about))

        async def reconcile(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's argument
            try:
                await sync.reconcile()
            except (StripeUnavailableError, StripeRefusedError) as problem:  # Tomorrow finds the same.
                self._log.error("not compared with Stripe", reason=str(problem))

        # Stripe itself repeats for three days, but not what we have answered with 200.
        retry = procrastinate.RetryStrategy(max_attempts=6, exponential_wait=4)
        queue.task(name=FOLLOW_STRIPE, queue=OTHERS, retry=retry)(follow)
        task = queue.task(name=RECONCILE_STRIPE, queue=OTHERS, queueing_lock=RECONCILE_STRIPE)(reconcile)
        queue.periodic(cron="40 1 * * *")(task)
        self._register_usage(queue, stripe)

    def _register_usage(self, queue: procrastinate.App, stripe: Stripe) -> None:
        reporting = UsageReporting(self._database, stripe, self._settings, self._clock)

        async def report(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's argument
            await reporting.run()

        task = queue.task(name=REPORT_USAGE, queue=OTHERS, queueing_lock=REPORT_USAGE, lock=REPORT_USAGE)(
            report
        )
        queue.periodic(cron="0 2 * * *")(task)

    async def _tell_owner_of(self, account: int) -> None:
        """What was bought or cancelled may be something that the account's owner has to hear of."""
        async with self._database.nobody() as connection:
            organization_id = await tenant_of_account(connection, account)
            if organization_id is not None:
                await self._jobs.tell_owner(connection, organization_id=organization_id)

    async def _tell_owners_of(self, about: About) -> None:
        async with self._database.nobody() as connection:
            for organization_id in await tenants_of_stripe(connection, about.customer, about.subscription):
                await self._jobs.tell_owner(connection, organization_id=organization_id)

    async def _reconcile(self, sync: MarketplaceSync) -> None:
        try:
            await sync.reconcile()
        except (GitHubUnavailableError, GitHubRefusedError) as problem:  # Tomorrow finds the same.
            self._log.error("not compared with the Marketplace's listing", reason=str(problem))
        async with self._database.nobody() as connection:
            tenants = await all_tenants(connection)
        for organization_id in tenants:
            async with self._database.tenant(organization_id) as tenant:
                await Books(tenant, self._clock(), self._settings.grace).settle()
