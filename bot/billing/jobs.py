"""The jobs of billing: those that follow events, and those that run by the clock."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import procrastinate
import structlog

from bot.billing.card_purchases import CardPurchases
from bot.billing.deletion import Deletion
from bot.billing.isolation import all_accounts, isolated_account
from bot.billing.marketplace_sync import GitHubListing, MarketplaceSync
from bot.billing.refunds import StripePayments
from bot.billing.stripe_client import (
    NoStripe,
    RealStripe,
    Stripe,
    StripeRefusedError,
    StripeUnavailableError,
)
from bot.billing.stripe_sync import StripeSync
from bot.billing.usage import UsageReporting
from bot.github.client import GitHub, GitHubRefusedError, GitHubUnavailableError
from bot.settings.billing import BillingSettings
from marketplace.stripe_refunds import PaymentHint
from marketplace.stripe_subscriptions import SubscriptionHint
from marketplace.subscription_ledger import LedgerCause, SubscriptionLedger
from storage.billing_jobs import (
    DELETE_DUE,
    FOLLOW_PURCHASE,
    FOLLOW_STRIPE,
    FOLLOW_STRIPE_PAYMENT,
    RECONCILE_BILLING,
    RECONCILE_STRIPE,
    REPORT_USAGE,
    BillingJobs,
)
from storage.database import Database
from storage.jobs import OTHERS
from storage.stripe_comparison import (
    ComparisonKind,
    ComparisonResult,
    record_comparison,
    record_comparison_failure,
)
from storage.subscriptions import tenant_of_account, tenants_of_stripe


class BillingTasks:
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
        stripe_sync, stripe = None, None
        if self._settings.stripe is not None:
            stripe = self._stripe = self._stripe or RealStripe(self._settings.stripe)
            stripe_sync = StripeSync(self._database, stripe, self._settings, self._clock)
            self._register_stripe(queue, stripe_sync, StripePayments(self._database, stripe, self._clock))
        marketplace_sync = None
        if self._settings.marketplace is not None:
            marketplace_sync = MarketplaceSync(
                self._database, self._listing, self._settings, self._jobs, self._clock
            )
            self._register_marketplace(queue, marketplace_sync)
        card = (
            CardPurchases(self._database, stripe, stripe_sync, self._clock)
            if stripe and stripe_sync
            else None
        )
        self._register_deletion(queue, marketplace_sync, card)
        self._register_usage(queue, stripe or NoStripe())

    async def close(self) -> None:
        """Ends the connections to Stripe."""
        if self._stripe is not None:
            await self._stripe.close()

    def _register_marketplace(self, queue: procrastinate.App, sync: MarketplaceSync) -> None:
        async def follow(
            account: int, action: str, effective_at: str | None, delivery: str, tries: int = 0
        ) -> None:
            at = datetime.fromisoformat(effective_at) if effective_at else None
            cause = LedgerCause("marketplace", action, delivery, at)
            try:
                await sync.follow(account, cause, tries)
            except GitHubUnavailableError as problem:
                await sync.follow_later(account, cause, tries, problem.retry_at)
            else:
                await self._tell_owner_of(account)

        async def reconcile(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's argument
            try:
                await sync.reconcile()
            except (GitHubUnavailableError, GitHubRefusedError) as problem:  # Tomorrow finds the same.
                self._log.error("not compared with the Marketplace's listing", reason=str(problem))
                async with self._database.unscoped() as connection:
                    await record_comparison_failure(
                        connection, ComparisonKind.MARKETPLACE, problem, self._clock()
                    )
            else:
                result = ComparisonResult(compared_at=self._clock())
                async with self._database.unscoped() as connection:
                    await record_comparison(connection, result, ComparisonKind.MARKETPLACE)
            finally:
                await self._settle_plans()

        retry = procrastinate.RetryStrategy(max_attempts=5, exponential_wait=4)
        queue.task(name=FOLLOW_PURCHASE, queue=OTHERS, retry=retry)(follow)
        _add_periodic(queue, RECONCILE_BILLING, "20 4 * * *", reconcile)

    def _register_stripe(self, queue: procrastinate.App, sync: StripeSync, payments: StripePayments) -> None:
        async def follow(**about: Any) -> None:
            await sync.follow(SubscriptionHint(**about))
            await self._tell_owners_of(SubscriptionHint(**about))

        async def follow_payment(**hint: Any) -> None:
            await payments.follow(PaymentHint(**hint))

        async def reconcile(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's argument
            try:
                for compare in (sync.reconcile, payments.compare):
                    try:
                        await compare()
                    except (StripeUnavailableError, StripeRefusedError) as problem:  # So does tomorrow.
                        self._log.error("not compared with Stripe", reason=str(problem))
            finally:
                await self._settle_plans()

        # Stripe itself repeats for three days, but not what we have answered with 200.
        retry = procrastinate.RetryStrategy(max_attempts=6, exponential_wait=4)
        queue.task(name=FOLLOW_STRIPE, queue=OTHERS, retry=retry)(follow)
        queue.task(name=FOLLOW_STRIPE_PAYMENT, queue=OTHERS, retry=retry)(follow_payment)
        _add_periodic(queue, RECONCILE_STRIPE, "40 1 * * *", reconcile)

    def _register_deletion(
        self, queue: procrastinate.App, sync: MarketplaceSync | None, card: CardPurchases | None
    ) -> None:
        """Deadlines that were noted are kept, also where the Marketplace is not set up any more."""
        deletion = Deletion(self._database, self._listing, sync, self._clock, self._settings.grace, card)

        async def delete(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's argument
            await deletion.run()

        _add_periodic(queue, DELETE_DUE, "* * * * *", delete)

    def _register_usage(self, queue: procrastinate.App, stripe: Stripe) -> None:
        """The day that is over is told at once: an invoice is final an hour after its period's end."""
        reporting = UsageReporting(self._database, stripe, self._settings, self._clock)

        async def report(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's argument
            await reporting.run()

        _add_periodic(queue, REPORT_USAGE, "5 * * * *" if self._settings.stripe else "5 0 * * *", report)

    async def _settle_plans(self) -> None:
        """Time alone takes plans away, whichever way they were bought."""
        for organization_id in await all_accounts(self._database):
            with isolated_account(self._log, "plan not settled", organization_id):
                async with self._database.tenant(organization_id) as tenant:
                    await SubscriptionLedger(tenant, self._clock(), self._settings.grace).settle()

    async def _tell_owner_of(self, account: int) -> None:
        """What was bought or cancelled may be something that the account's owner has to hear of."""
        async with self._database.unscoped() as connection:
            organization_id = await tenant_of_account(connection, account)
            if organization_id is not None:
                await self._jobs.tell_owner(connection, organization_id=organization_id)

    async def _tell_owners_of(self, about: SubscriptionHint) -> None:
        async with self._database.unscoped() as connection:
            for organization_id in await tenants_of_stripe(connection, about.customer, about.subscription):
                await self._jobs.tell_owner(connection, organization_id=organization_id)


def _add_periodic(
    queue: procrastinate.App, name: str, cron: str, work: Callable[..., Awaitable[None]]
) -> None:
    """A job by the clock that never runs twice at once."""
    task = queue.task(name=name, queue=OTHERS, queueing_lock=name, lock=name)(work)
    queue.periodic(cron=cron)(task)
