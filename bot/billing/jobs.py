"""The jobs of billing: reactions to events, and periodic tasks."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from procrastinate import RetryStrategy

from bot.billing.card_purchases import CardPurchases
from bot.billing.deletion import Deletion
from bot.billing.isolation import accounts_with_billing, isolated_account
from bot.billing.issue import BillingIssue
from bot.billing.marketplace_sync import GitHubListing, MarketplaceSync
from bot.billing.refunds import StripePayments
from bot.billing.stripe_port import NoStripe, Stripe, StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_sync import StripeSync
from bot.billing.usage import UsageReporting
from bot.github.client import GitHub, GitHubRefusedError, GitHubUnavailableError
from bot.job_blueprint import JobBlueprint, JobServices
from bot.services import Services
from bot.settings.billing import BillingSettings
from marketplace.stripe_refunds import PaymentHint
from marketplace.stripe_subscriptions import SubscriptionHint
from marketplace.subscription_ledger import LedgerCause, SubscriptionLedger
from storage.billing_jobs import (
    DELETE_DUE,
    RECONCILE_BILLING,
    RECONCILE_STRIPE,
    REPORT_USAGE,
    TELL_OWNERS,
    FollowPurchaseJob,
    FollowStripeJob,
    FollowStripePaymentJob,
)
from storage.job_priority import Priority
from storage.job_types import TellOwnerJob
from storage.jobs import Jobs
from storage.stripe_comparison import (
    ComparisonKind,
    ComparisonResult,
    record_comparison,
    record_comparison_failure,
)
from storage.subscriptions import tenant_of_account, tenants_of_stripe

# Stripe repeats webhooks for three days, but not those that were answered with 200.
_RETRY_STRIPE = RetryStrategy(max_attempts=6, exponential_wait=4)
_RETRY = RetryStrategy(max_attempts=5, exponential_wait=4)

tasks = JobBlueprint()
marketplace_tasks = JobBlueprint()
stripe_tasks = JobBlueprint()
tasks_without_stripe = JobBlueprint()
_log = structlog.get_logger(__name__)


def blueprints_for(settings: BillingSettings) -> list[JobBlueprint]:
    """Return the jobs that the settings require. Obligations stay when selling is switched off."""
    blueprints = [tasks, stripe_tasks if settings.stripe is not None else tasks_without_stripe]
    return blueprints + ([marketplace_tasks] if settings.marketplace is not None else [])


@asynccontextmanager
async def open_billing_services(base: Services, github: GitHub, jobs: Jobs) -> AsyncIterator[list[object]]:
    """Provide the objects that do the work of these jobs. The connection to Stripe is closed at the end."""
    settings, database, clock = base.settings.billing, base.database, base.clock
    listing = GitHubListing(github)
    parts: list[object] = [settings]
    stripe: Stripe | None = None
    card: CardPurchases | None = None
    marketplace: MarketplaceSync | None = None
    async with AsyncExitStack() as stack:
        if settings.stripe is not None:
            from bot.billing.stripe_client import RealStripe  # noqa: PLC0415 - takes 6 MB and 60 ms

            stripe = RealStripe(settings.stripe, base.instruments)
            stack.push_async_callback(stripe.close)
            stripe_sync = StripeSync(database, stripe, settings, clock)
            card = CardPurchases(database, stripe, stripe_sync, clock)
            parts += [stripe_sync, StripePayments(database, stripe, clock)]
        if settings.marketplace is not None:
            marketplace = MarketplaceSync(database, listing, settings, jobs, clock)
            parts.append(marketplace)
        # Recorded deadlines hold even if the Marketplace is not set up any more.
        parts.append(Deletion(database, listing, marketplace, clock, settings.grace, card))
        parts.append(UsageReporting(database, stripe or NoStripe(), settings, clock))
        yield parts


@marketplace_tasks.job(FollowPurchaseJob, retry=_RETRY)
async def follow_purchase(services: JobServices, job: FollowPurchaseJob) -> None:
    """Ask GitHub for an account's purchase, and store it."""
    sync = services.get(MarketplaceSync)
    cause = LedgerCause("marketplace", job.action, job.delivery, job.effective_at)
    try:
        await sync.follow(job.account, cause, job.tries)
    except GitHubUnavailableError as problem:
        await sync.follow_later(job.account, cause, job.tries, problem.retry_at)
        return
    # The account's owner may have to be notified of the purchase or the cancellation.
    async with services.database.unscoped() as connection:
        organization_id = await tenant_of_account(connection, job.account)
        if organization_id is not None:
            await services.jobs.defer(connection, TellOwnerJob(organization_id=organization_id))


@marketplace_tasks.periodic_job(RECONCILE_BILLING, "20 4 * * *", is_exclusive=True)
async def reconcile_marketplace(services: JobServices) -> None:
    """Compare the stored subscriptions with the Marketplace's listing, and record the result."""
    try:
        await services.get(MarketplaceSync).reconcile()
    except (GitHubUnavailableError, GitHubRefusedError) as problem:  # Tomorrow finds the same.
        _log.error("not compared with the Marketplace's listing", reason=str(problem))
        async with services.database.unscoped() as connection:
            await record_comparison_failure(connection, ComparisonKind.MARKETPLACE, problem, services.clock())
    else:
        result = ComparisonResult(compared_at=services.clock())
        async with services.database.unscoped() as connection:
            await record_comparison(connection, result, ComparisonKind.MARKETPLACE)
    finally:
        await _end_expired_plans(services)


@stripe_tasks.job(FollowStripeJob, retry=_RETRY_STRIPE)
async def follow_stripe(services: JobServices, job: FollowStripeJob) -> None:
    """Ask Stripe for the subscription of an event, and store it."""
    about = SubscriptionHint(job.event_id, job.kind, job.customer, job.subscription, job.account)
    await services.get(StripeSync).follow(about)
    async with services.database.unscoped() as connection:
        for organization_id in await tenants_of_stripe(connection, job.customer, job.subscription):
            await services.jobs.defer(connection, TellOwnerJob(organization_id=organization_id))


@stripe_tasks.job(FollowStripePaymentJob, retry=_RETRY_STRIPE)
async def follow_stripe_payment(services: JobServices, job: FollowStripePaymentJob) -> None:
    """Ask Stripe for the refund or the dispute of an event, and store it."""
    hint = PaymentHint(job.event_id, job.kind, job.reference, job.charge, job.customer)
    await services.get(StripePayments).follow(hint)


@stripe_tasks.periodic_job(RECONCILE_STRIPE, "40 1 * * *", is_exclusive=True)
async def reconcile_stripe(services: JobServices) -> None:
    """Compare the stored subscriptions and payments with Stripe."""
    try:
        for compare in (services.get(StripeSync).reconcile, services.get(StripePayments).compare):
            try:
                await compare()
            except (StripeUnavailableError, StripeRefusedError) as problem:  # Tomorrow finds the same.
                _log.error("not compared with Stripe", reason=str(problem))
    finally:
        await _end_expired_plans(services)


async def _end_expired_plans(services: JobServices) -> None:
    """End the plans whose time is over, from every seller."""
    grace = services.get(BillingSettings).grace
    async for organization_id in accounts_with_billing(services.database):
        with isolated_account(_log, "plan not settled", organization_id):
            async with services.database.tenant(organization_id) as tenant:
                await SubscriptionLedger(tenant, services.clock(), grace).update_plan()


# An invoice of Stripe is final an hour after its period's end, so the last day must be reported by then.
@stripe_tasks.periodic_job(REPORT_USAGE, "5 * * * *", is_exclusive=True, priority=Priority.POSTS)
@tasks_without_stripe.periodic_job(REPORT_USAGE, "5 0 * * *", is_exclusive=True)
async def report_usage(services: JobServices) -> None:
    """Count the people of past days, and report them to Stripe."""
    await services.get(UsageReporting).run()


@tasks.periodic_job(DELETE_DUE, "* * * * *", is_exclusive=True, priority=Priority.POSTS)
async def delete_due(services: JobServices) -> None:
    """Delete the data of accounts whose deadline has passed."""
    await services.get(Deletion).run()


@tasks.job(TellOwnerJob, retry=_RETRY)
async def tell_owner(services: JobServices, job: TellOwnerJob) -> None:
    """Bring an account's billing issue up to date."""
    with structlog.contextvars.bound_contextvars(organization=job.organization_id):
        try:
            await services.get(BillingIssue).update(job.organization_id)
        except GitHubUnavailableError as problem:
            async with services.database.unscoped() as connection:
                await services.jobs.defer(connection, job, problem.retry_at)


@tasks.periodic_job(TELL_OWNERS, "10 5 * * *", is_exclusive=False)
async def tell_owners(services: JobServices) -> None:
    """Queue a job for each account that has a billing issue, or should have one."""
    await services.get(BillingIssue).queue_updates()
