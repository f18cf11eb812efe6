"""Findings of `doctor` about billing, each a sentence that includes the remedy."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.billing.subscription_findings import describe_subscription_problems, describe_unclear_subscription
from bot.services import Services
from commands.formatting.money import money
from marketplace.plans import METRICS, PLANS, PlanName
from storage.deadlines import Deadline, Deadlines
from storage.lookups import all_tenants
from storage.stripe_comparison import ComparisonKind, ComparisonResult, last_comparison
from storage.stripe_refunds import Dispute, open_disputes
from storage.subscriptions import (
    MARKETPLACE,
    STRIPE,
    Account,
    Subscription,
    SubscriptionProblem,
    Subscriptions,
)
from storage.usage import Usage, UsageRecord, last_dropped_usage, last_missing_meter, last_rejected_usage

# The time within which Stripe accepts corrections of usage.
_ALERT_DURATION = timedelta(days=35)
# The comparison runs each night, and the next one makes up for a single missed one.
_COMPARED_WITHIN = timedelta(days=2)
_COMPARED = {
    ComparisonKind.SUBSCRIPTIONS: "Stripe's subscriptions",
    ComparisonKind.PAYMENTS: "Stripe's refunds and disputes",
    ComparisonKind.MARKETPLACE: "The Marketplace's purchases",
}
_DELETED_WITHIN = timedelta(days=1)
_CHARGED_STATES = frozenset({"active", "trialing", "past_due", "unpaid"})


async def find_billing_problems(services: Services) -> AsyncIterator[str]:
    """Yield the problems of billing: first those of the whole installation, then those of each tenant."""
    async for finding in _check_stripe(services):
        yield finding
    async with services.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    accounts = list[_AccountRecords]()
    for organization_id in tenants:
        try:
            account_records = await _load_records(services, organization_id)
        except Exception as problem:  # noqa: BLE001 - a failure for one tenant must not hide the others
            yield f"tenant {organization_id}: its billing cannot be read ({type(problem).__name__})"
        else:
            accounts += [account_records] if account_records is not None else []
    for finding in _check_missing(accounts):
        yield finding
    for account in accounts:
        for finding in _check_account(services, account):
            yield f"tenant {account.organization_id}: {finding}"


@dataclass(frozen=True, slots=True)
class _AccountRecords:
    """The stored records of one tenant that `doctor` checks."""

    organization_id: int
    account: Account
    subscriptions: Sequence[Subscription]
    deadline: Deadline | None
    unconfirmed_usage: Sequence[UsageRecord]
    disputes: Sequence[Dispute]
    problems: Sequence[SubscriptionProblem]


async def _load_records(services: Services, organization_id: int) -> _AccountRecords | None:
    async with services.database.tenant(organization_id) as tenant:
        rows = Subscriptions(tenant)
        account = await rows.account()
        if account is None:
            return None
        return _AccountRecords(
            organization_id,
            account,
            await rows.all(),
            await Deadlines(tenant).latest(),
            await Usage(tenant).unconfirmed(),
            await open_disputes(tenant),
            await rows.problems(),
        )


async def _check_stripe(services: Services) -> AsyncIterator[str]:
    async with services.database.unscoped() as connection:
        alert, missing = await last_rejected_usage(connection), await last_missing_meter(connection)
        loss = await last_dropped_usage(connection)
        comparisons = {kind: await last_comparison(connection, kind) for kind in ComparisonKind}
    now = services.clock()
    if alert and now - alert.at < _ALERT_DURATION:
        yield (
            f"Stripe could not count reported usage, as it announced on {alert.at:%Y-%m-%d %H:%M} UTC "
            f"({alert.event}); its dashboard shows the reason, under the meters"
        )
    if missing and now - missing.at < _ALERT_DURATION:
        yield (
            f"Stripe has no meter for {missing.name}, as of {missing.at:%Y-%m-%d %H:%M} UTC; make one with "
            "this event name (aggregation: sum), or unset STRIPE_METER_EVENT_PREFIX. Waiting usage is "
            "reported up to 35 days later"
        )
    if loss and now - loss.at < _ALERT_DURATION:
        yield (
            "Stripe dropped usage whose event name has no meter, as it announced on "
            f"{loss.at:%Y-%m-%d %H:%M} UTC ({loss.event}); make a meter for each "
            "STRIPE_METER_EVENT_PREFIX_metric of docs/billing.md"
        )
    for kind, comparison in comparisons.items():
        for finding in _check_comparison(services, kind, comparison):
            yield finding
    for unclear in comparisons[ComparisonKind.SUBSCRIPTIONS].unclear:
        yield describe_unclear_subscription(unclear)


def _check_comparison(
    services: Services, kind: ComparisonKind, comparison: ComparisonResult
) -> Iterator[str]:
    billing, subject = services.settings.billing, _COMPARED[kind]
    seller = billing.marketplace if kind is ComparisonKind.MARKETPLACE else billing.stripe
    # Subscriptions that were sold go on, even without the settings of their seller.
    if seller is None and (kind is not ComparisonKind.SUBSCRIPTIONS or comparison.compared_at is None):
        return
    if comparison.failed_at is not None:
        last = f"{comparison.compared_at:%Y-%m-%d %H:%M} UTC" if comparison.compared_at else "never before"
        yield (
            f"{subject} were not compared on {comparison.failed_at:%Y-%m-%d %H:%M} UTC: "
            f"{comparison.failure}. Last compared: {last}. It is tried again each night"
        )
    elif comparison.compared_at is not None and services.clock() - comparison.compared_at > _COMPARED_WITHIN:
        yield (
            f"{subject} have not been compared since {comparison.compared_at:%Y-%m-%d %H:%M} UTC; make sure "
            "that a worker runs"
        )


def _check_missing(accounts: Sequence[_AccountRecords]) -> Iterator[str]:
    """Yield a finding if stored subscriptions that have not ended are missing at Stripe."""
    live = [
        subscription
        for account in accounts
        for subscription in account.subscriptions
        if subscription.source == STRIPE and not subscription.has_ended
    ]
    missing = [subscription for subscription in live if subscription.missing_since is not None]
    if not missing:
        return
    share = "none of the" if len(missing) == len(live) else f"{len(missing)} not of the"
    yield (
        f"Stripe knows {share} {len(live)} subscriptions that are live here, such as {missing[0].reference}; "
        "make sure that STRIPE_SECRET_KEY is the key of the account, and of the mode, in which they were "
        "bought. These accounts keep their plans in the meantime, and can buy again"
    )


def _check_account(services: Services, records: _AccountRecords) -> Iterator[str]:
    yield from _check_installation(records)
    yield from _check_deadline(services, records)
    yield from describe_subscription_problems(records.account, records.subscriptions, records.problems)
    for subscription in records.subscriptions:
        if subscription.has_ended and subscription.missing_since is not None:
            yield from _check_ended_as_missing(services, records, subscription)
    for dispute in records.disputes:
        yield _describe_dispute(records.account, dispute)
    for usage in records.unconfirmed_usage:
        words = next((text for metric, text in METRICS.items() if metric == usage.metric), usage.metric)
        amount = f"{usage.quantity:,} {words} of {usage.period}"
        if usage.refused:
            yield f"{amount} will not be charged: {usage.refused}"
        else:
            yield f"Stripe did not accept {amount}; see the log; it is reported again every hour"


def _check_installation(records: _AccountRecords) -> Iterator[str]:
    """Yield paying accounts without the App: uninstalling does not cancel, and owners may not expect that."""
    account = records.account
    if account.installation is not None and account.suspended_at is None:
        return
    where = "is not installed there" if account.installation is None else "is suspended there"
    for subscription in records.subscriptions:
        plan = PLANS[PlanName(subscription.plan)]
        is_ending = subscription.pending is not None and subscription.pending.plan in {None, PlanName.FREE}
        if (
            subscription.status not in _CHARGED_STATES
            or not plan.is_paid
            or is_ending
            or subscription.missing_since
        ):
            continue
        if subscription.source == MARKETPLACE:
            way = "on GitHub Marketplace"
            cancels = "under “Billing and licensing” in its settings on GitHub"
        else:
            way = "by card"
            cancels = (
                "in Stripe's billing portal, which `python -m bot plan --account "
                f"{account.name} --portal-link` makes a link to"
            )
        yield (
            f"{account.name} pays for {plan.title} {way}, but the App {where}; write to its owner, who "
            f"can cancel {cancels}, or install the App again"
        )


def _check_deadline(services: Services, records: _AccountRecords) -> Iterator[str]:
    deadline = records.deadline
    if deadline is None:
        return
    sentence = f"the data of {records.account.name} will be deleted on {deadline.due_at:%Y-%m-%d}"
    print(f"tenant {records.organization_id}: {sentence}, because it cancelled on the Marketplace")
    if services.clock() - deadline.due_at > _DELETED_WITHIN:
        yield (
            f"the data of {records.account.name} was to be deleted on {deadline.due_at:%Y-%m-%d} and is "
            "still here: GitHub or Stripe could not be asked whether it pays, or the notice is younger than "
            "seven days; the log says which, under “deletion postponed”"
        )
    elif deadline.shown_at is None:
        yield (
            f"{sentence}, and none of its owners has seen that in a thread yet; write to them "
            "(docs/billing.md)"
        )


def _check_ended_as_missing(
    services: Services, records: _AccountRecords, subscription: Subscription
) -> Iterator[str]:
    if subscription.ended_at is None or services.clock() - subscription.ended_at >= _ALERT_DURATION:
        return
    yield (
        f"the subscription {subscription.reference} of {records.account.name} ended here on "
        f"{subscription.ended_at:%Y-%m-%d}, because Stripe no longer knows it; if it is still charged "
        "in another account at Stripe, cancel it there"
    )


def _describe_dispute(account: Account, dispute: Dispute) -> str:
    due = f"; answer it by {dispute.due_by:%Y-%m-%d}" if dispute.due_by else ""
    return (
        f"{account.name} disputes a payment of {money(dispute.amount, dispute.currency)} "
        f"({dispute.id}, {dispute.reason}, {dispute.status}){due} in Stripe's dashboard. "
        "Its plan stays the same"
    )
