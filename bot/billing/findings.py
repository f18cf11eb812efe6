"""What `doctor` says of billing: what needs an operator's eye, a sentence each, with what to do."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.billing.isolation import all_accounts
from bot.billing.subscription_findings import about_problems, about_unclear
from bot.services import Services
from commands.formatting.money import money
from marketplace.plans import METRICS, PLANS, PlanName
from storage.deadlines import Deadline, Deadlines
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

# As long as Stripe takes a correction.
_ALERT_LASTS = timedelta(days=35)
# The comparison runs each night; one that was missed once is made up for by the next.
_COMPARED_WITHIN = timedelta(days=2)
_COMPARED = {
    ComparisonKind.SUBSCRIPTIONS: "Stripe's subscriptions",
    ComparisonKind.PAYMENTS: "Stripe's refunds and disputes",
    ComparisonKind.MARKETPLACE: "The Marketplace's purchases",
}
_DELETED_WITHIN = timedelta(days=1)
_CHARGES = frozenset({"active", "trialing", "past_due", "unpaid"})


async def findings(base: Services) -> AsyncIterator[str]:
    """Yield what needs mending in billing, of the whole first and then of each tenant."""
    async for finding in _of_stripe(base):
        yield finding
    books = list[_Account]()
    for organization_id in await all_accounts(base.database):
        try:
            account = await _read(base, organization_id)
        except Exception as problem:  # noqa: BLE001 - what is wrong with one must not hide the others
            yield f"tenant {organization_id}: its billing cannot be read ({type(problem).__name__})"
        else:
            books += [account] if account is not None else []
    for finding in _of_missing(books):
        yield finding
    for account in books:
        for finding in _of_account(base, account):
            yield f"tenant {account.organization_id}: {finding}"


@dataclass(frozen=True, slots=True)
class _Account:
    """What `doctor` looks at of one tenant."""

    organization_id: int
    account: Account
    subscriptions: Sequence[Subscription]
    deadline: Deadline | None
    untaken: Sequence[UsageRecord]
    disputes: Sequence[Dispute]
    problems: Sequence[SubscriptionProblem]


async def _read(base: Services, organization_id: int) -> _Account | None:
    async with base.database.tenant(organization_id) as tenant:
        books = Subscriptions(tenant)
        account = await books.account()
        if account is None:
            return None
        return _Account(
            organization_id,
            account,
            await books.all(),
            await Deadlines(tenant).latest(),
            await Usage(tenant).unconfirmed(),
            await open_disputes(tenant),
            await books.problems(),
        )


async def _of_stripe(base: Services) -> AsyncIterator[str]:
    async with base.database.unscoped() as connection:
        alert, missing = await last_rejected_usage(connection), await last_missing_meter(connection)
        loss = await last_dropped_usage(connection)
        comparisons = {of: await last_comparison(connection, of) for of in ComparisonKind}
    now = base.clock()
    if alert and now - alert.at < _ALERT_LASTS:
        yield (
            f"Stripe could not count usage that it was told, as it said on {alert.at:%Y-%m-%d %H:%M} UTC "
            f"({alert.event}); its dashboard says why, under the meters"
        )
    if missing and now - missing.at < _ALERT_LASTS:
        yield (
            f"Stripe has no meter for {missing.name}, as of {missing.at:%Y-%m-%d %H:%M} UTC; make one with "
            "this event name (aggregation: sum), or unset STRIPE_METER_EVENT_PREFIX. What waits is reported "
            "up to 35 days later"
        )
    if loss and now - loss.at < _ALERT_LASTS:
        yield (
            f"Stripe dropped usage whose event name has no meter, as it said on {loss.at:%Y-%m-%d %H:%M} UTC "
            f"({loss.event}); make a meter for each STRIPE_METER_EVENT_PREFIX_metric of docs/billing.md"
        )
    for of, comparison in comparisons.items():
        for finding in _of_comparison(base, of, comparison):
            yield finding
    for unclear in comparisons[ComparisonKind.SUBSCRIPTIONS].unclear:
        yield about_unclear(unclear)


def _of_comparison(base: Services, of: ComparisonKind, comparison: ComparisonResult) -> Iterator[str]:
    billing, what = base.settings.billing, _COMPARED[of]
    seller = billing.marketplace if of is ComparisonKind.MARKETPLACE else billing.stripe
    # What was sold goes on, also where the settings of the seller are gone.
    if seller is None and (of is not ComparisonKind.SUBSCRIPTIONS or comparison.compared_at is None):
        return
    if comparison.failed_at is not None:
        last = f"{comparison.compared_at:%Y-%m-%d %H:%M} UTC" if comparison.compared_at else "never before"
        yield (
            f"{what} were not compared on {comparison.failed_at:%Y-%m-%d %H:%M} UTC: "
            f"{comparison.failure}. Last compared: {last}. It is tried again each night"
        )
    elif comparison.compared_at is not None and base.clock() - comparison.compared_at > _COMPARED_WITHIN:
        yield (
            f"{what} have not been compared since {comparison.compared_at:%Y-%m-%d %H:%M} UTC; see that a "
            "worker runs"
        )


def _of_missing(books: Sequence[_Account]) -> Iterator[str]:
    """Subscriptions of our books that Stripe does not know, while they have not ended here."""
    live = [
        subscription
        for account in books
        for subscription in account.subscriptions
        if subscription.source == STRIPE and not subscription.has_ended
    ]
    missing = [subscription for subscription in live if subscription.missing_since is not None]
    if not missing:
        return
    which = "none of the" if len(missing) == len(live) else f"{len(missing)} not of the"
    yield (
        f"Stripe knows {which} {len(live)} subscriptions that are live here, such as {missing[0].reference}; "
        "see that STRIPE_SECRET_KEY is the key of the account, and of the mode, in which they were bought. "
        "Nothing is taken from them meanwhile, and a new purchase is possible"
    )


def _of_account(base: Services, books: _Account) -> Iterator[str]:
    yield from _of_payment_without_installation(books)
    yield from _of_deadline(base, books)
    yield from about_problems(books.account, books.subscriptions, books.problems)
    for subscription in books.subscriptions:
        if subscription.has_ended and subscription.missing_since is not None:
            yield from _of_ended_as_missing(base, books, subscription)
    for dispute in books.disputes:
        yield _about_dispute(books.account, dispute)
    for used in books.untaken:
        words = next((text for metric, text in METRICS.items() if metric == used.metric), used.metric)
        what = f"{used.quantity:,} {words} of {used.period}"
        if used.refused:
            yield f"{what} will not be charged: {used.refused}"
        else:
            yield f"Stripe did not take {what}; the log says why, and it is told again each hour"


def _of_payment_without_installation(books: _Account) -> Iterator[str]:
    """Whoever uninstalls the App does not cancel by that, and may not know it."""
    account = books.account
    if account.installation is not None and account.suspended_at is None:
        return
    where = "is not installed there" if account.installation is None else "is suspended there"
    for subscription in books.subscriptions:
        plan = PLANS[PlanName(subscription.plan)]
        is_ending = subscription.pending is not None and subscription.pending.plan in {None, PlanName.FREE}
        if subscription.status not in _CHARGES or not plan.is_paid or is_ending or subscription.missing_since:
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
            f"cancels {cancels}, or installs the App again"
        )


def _of_deadline(base: Services, books: _Account) -> Iterator[str]:
    deadline = books.deadline
    if deadline is None:
        return
    told = f"the data of {books.account.name} will be deleted on {deadline.due_at:%Y-%m-%d}"
    print(f"tenant {books.organization_id}: {told}, because it cancelled on the Marketplace")
    if base.clock() - deadline.due_at > _DELETED_WITHIN:
        yield (
            f"the data of {books.account.name} was to be deleted on {deadline.due_at:%Y-%m-%d} and is still "
            "here: GitHub or Stripe could not be asked whether it pays, or the notice is younger than seven "
            "days; the log says which, under “deletion put off”"
        )
    elif deadline.shown_at is None:
        yield f"{told}, and none of its owners has read so in a thread yet; write to them (docs/billing.md)"


def _of_ended_as_missing(base: Services, books: _Account, subscription: Subscription) -> Iterator[str]:
    if subscription.ended_at is None or base.clock() - subscription.ended_at >= _ALERT_LASTS:
        return
    yield (
        f"the subscription {subscription.reference} of {books.account.name} ended here on "
        f"{subscription.ended_at:%Y-%m-%d}, because Stripe does not know it any more; if it is still charged "
        "in another account at Stripe, cancel it there"
    )


def _about_dispute(account: Account, dispute: Dispute) -> str:
    due = f"; answer it by {dispute.due_by:%Y-%m-%d}" if dispute.due_by else ""
    return (
        f"{account.name} disputes a payment of {money(dispute.amount, dispute.currency)} "
        f"({dispute.id}, {dispute.reason}, {dispute.status}){due} in Stripe's dashboard. "
        "Its plan does not change by itself"
    )
