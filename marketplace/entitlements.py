"""Entitlements: decides who may use which feature, from values alone, without I/O or a clock."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from marketplace.plans import PLANS, PUBLIC_REPOSITORIES, Feature, Plan, PlanName, cheapest_with
from marketplace.purchase_ways import PurchaseWays, is_ending, purchase_ways
from storage.projects import Project
from storage.subscriptions import MARKETPLACE, STRIPE, PreviousPlan, Subscription

# GitHub ends a trial with an event, which may be late by a day.
_TRIAL_LAG = timedelta(days=1)
# A lost plan is kept until the running sprint's end, but not longer: a milestone may be due in years.
LONGEST_COURTESY = timedelta(days=35)


class Reason(StrEnum):
    """The reason for denying a feature, as logs name it."""

    NOT_IN_PLAN = "not_in_plan"
    TRIAL_OVER = "trial_over"
    SEATS_EXCEEDED = "seats_exceeded"
    PAYMENT_FAILED = "payment_failed"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The decision that the feature may be used."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The decision that the feature may not be used.

    `what_happened` and `what_to_do` are texts for the person who asked; `link` is where to change it.
    """

    reason: Reason
    what_happened: str
    what_to_do: str
    link: str | None = None

    @property
    def text(self) -> str:
        """The text for the person who asked: the reason, the features that still work, and the remedy."""
        to_do = f"[{self.what_to_do}]({self.link})" if self.link else self.what_to_do
        return f"{self.what_happened} Sprints, estimates, burndowns, and reports keep working. {to_do}."


Decision = Allowed | Denied
# Decides on a feature and a login; THE_ACCOUNT is the login if no particular person asks.
Entitled = Callable[[str, str], Awaitable[Decision]]
# Makes the decider for a repository of a tenant, for the dispatcher, reports, checks and periodic tasks.
EntitledIn = Callable[[int, Project], Entitled]
THE_ACCOUNT = ""


async def allow_everything(_feature: str, _login: str) -> Decision:
    """Allow every feature, where nothing is sold."""
    return Allowed()


def allow_everywhere(_tenant: int, _project: Project) -> Entitled:
    """Allow every feature in every repository, where nothing is sold."""
    return allow_everything


@dataclass(frozen=True, slots=True)
class PlanChangeLinks:
    """Links to change a plan. `upgrade` leads to GitHub, for each plan that can be bought there."""

    upgrade: Mapping[PlanName, str] = field(default_factory=dict)
    portal: str | None = None


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """The plan of an account at a moment.

    `subscription` is the effective one; without one, `reason` says why a paid plan was lost, if there was
    one. `previous_plans` are the plans before reductions, and until when they applied. `grace_ends` is set
    while a payment is due, even if Stripe has ended the subscription meanwhile. `fallback` is another
    subscription that gives the same plan without the due payment, for as many people as it has seats.
    `is_paid_twice`: more than one subscription is charged for and continues. `ways` are the ways by which the
    account may buy or change a plan.
    """

    name: PlanName = PlanName.FREE
    seats: int | None = None
    source: str | None = None
    status: str = "none"
    subscription: Subscription | None = None
    reason: Reason = Reason.NOT_IN_PLAN
    previous_plans: tuple[PreviousPlan, ...] = ()
    grace_ends: datetime | None = None
    fallback: Subscription | None = None
    is_paid_twice: bool = False
    ways: PurchaseWays = field(default_factory=PurchaseWays)

    @property
    def terms(self) -> Plan:
        return PLANS[self.name]

    @property
    def seat_limit(self) -> int | None:
        """For how many people the plan was bought; None for any number.

        With Stripe any number may use it, because the quantity follows the people within a day.
        """
        return self.seats if self.source == MARKETPLACE and self.terms.is_paid else None


def resolve_account_plan(
    subscriptions: Iterable[Subscription], now: datetime, grace: timedelta
) -> AccountPlan:
    """Decide which plan an account has at a moment.

    The subscription with the most rights counts; of equal ones the Marketplace's. `grace` is how long a plan
    stays after a failed payment.
    """
    subscriptions = tuple(subscriptions)
    ways = purchase_ways(subscriptions)
    live, ended = list[Subscription](), list[Subscription]()
    reductions, reasons = list[PreviousPlan](), list[tuple[bool, datetime, int, Reason]]()
    for subscription in subscriptions:
        reductions += [subscription.previous_plan] if subscription.previous_plan else []
        if (loss := _loss(subscription, now, grace)) is None:
            live.append(subscription)
            continue
        ended.append(subscription)
        if not PLANS[PlanName(subscription.plan)].is_paid or subscription.status == "incomplete":
            continue
        reason_lost, lost_at = loss
        if lost_at is not None:
            reductions.append(PreviousPlan(subscription.plan, subscription.quantity, lost_at))
        weight = _REASONS_BY_WEIGHT.index(reason_lost)
        reasons.append((not subscription.has_ended, _lost_at(subscription, lost_at), weight, reason_lost))
    reason = max(reasons)[-1] if reasons else Reason.NOT_IN_PLAN
    previous_plans = tuple(sorted(reductions, key=lambda previous: previous.until))
    if not live:
        last = max(
            ended,
            key=lambda subscription: (subscription.read_at, subscription.source, subscription.reference),
            default=None,
        )
        return AccountPlan(
            status=last.status if last else "none", reason=reason, previous_plans=previous_plans, ways=ways
        )
    best = max(live, key=_access_value)
    grace_ends = grace_end(best, grace)
    # Where the best subscription is ending, the plan stays only if another one's due payment comes.
    if grace_ends is None and is_ending(best):
        due = [subscription for subscription in live if grace_end(subscription, grace) is not None]
        grace_ends = grace_end(max(due, key=_access_value), grace) if due else None
    others = [
        subscription
        for subscription in live
        if grace_end(subscription, grace) is None
        and _rank(subscription) >= _rank(best)
        and not is_ending(subscription)
    ]
    return AccountPlan(
        name=PlanName(best.plan),
        seats=best.quantity,
        source=best.source,
        status=best.status,
        subscription=best,
        reason=reason if not PLANS[PlanName(best.plan)].is_paid else Reason.NOT_IN_PLAN,
        previous_plans=previous_plans,
        grace_ends=grace_ends,
        fallback=max(others, key=_access_value, default=None) if grace_ends is not None else None,
        is_paid_twice=sum(map(_is_charged, live)) > 1,
        ways=ways,
    )


# A payment may be due in these statuses; `past_due_since` tells whether one is.
_DUE = frozenset({"past_due", "unpaid", "paused", "ended"})
_REASONS_BY_WEIGHT = (Reason.NOT_IN_PLAN, Reason.TRIAL_OVER, Reason.SUSPENDED, Reason.PAYMENT_FAILED)


def _is_charged(subscription: Subscription) -> bool:
    """Whether a subscription is paid and continues; False if it is missing at Stripe."""
    is_live = not subscription.has_ended and subscription.missing_since is None
    return PLANS[PlanName(subscription.plan)].is_paid and is_live and not is_ending(subscription)


def _lost_at(subscription: Subscription, ended_by_time: datetime | None) -> datetime:
    """Return when a subscription stopped giving access. The latest such moment decides the reason."""
    return ended_by_time or subscription.ended_at or datetime.min.replace(tzinfo=UTC)


def _rank(subscription: Subscription) -> int:
    return PLANS[PlanName(subscription.plan)].rank


def _access_value(subscription: Subscription) -> tuple[int, bool, float, bool, str]:
    """A sort key, higher for subscriptions that give more; of equal ones, running before ended ones."""
    is_unlimited = subscription.quantity is None or subscription.source == STRIPE
    seats = float("inf") if is_unlimited else float(subscription.quantity or 0)
    return (
        _rank(subscription),
        not subscription.has_ended,
        seats,
        subscription.source == MARKETPLACE,
        subscription.reference,
    )


def _loss(
    subscription: Subscription, now: datetime, grace: timedelta
) -> tuple[Reason, datetime | None] | None:
    """Return why and since when a subscription gives no access. None while it gives access.

    The moment is set only where time alone ended the access.
    """
    if (ends := grace_end(subscription, grace)) is not None:
        return (Reason.PAYMENT_FAILED, ends) if now >= ends else None
    match subscription.status:
        case "active":
            return None
        case "trialing":
            is_over = subscription.trial_ends is not None and now >= subscription.trial_ends + _TRIAL_LAG
            return (Reason.TRIAL_OVER, subscription.trial_ends) if is_over else None
        case "unpaid":
            return Reason.PAYMENT_FAILED, None
        case "paused":
            return Reason.SUSPENDED, None
    was_trial = subscription.trial_ends is not None and subscription.ended_at is not None
    if (
        was_trial
        and subscription.ended_at
        and subscription.trial_ends
        and subscription.ended_at <= subscription.trial_ends + _TRIAL_LAG
    ):
        return Reason.TRIAL_OVER, None
    return Reason.NOT_IN_PLAN, None


def grace_end(subscription: Subscription, grace: timedelta) -> datetime | None:
    """Return when the grace for a due payment ends. None where no payment is due.

    Grace runs from when the payment was due, whatever Stripe does meanwhile: by its owner's settings, Stripe
    retries for weeks, or gives up within days and leaves the subscription unpaid, paused or cancelled.
    """
    if subscription.status not in _DUE:
        return None
    if subscription.past_due_since is not None:
        return subscription.past_due_since + grace
    return subscription.read_at + grace if subscription.status == "past_due" else None


def gives_access(subscription: Subscription, now: datetime, grace: timedelta) -> bool:
    """Whether a subscription gives access to its plan at a moment."""
    return _loss(subscription, now, grace) is None


def access_end(subscription: Subscription, now: datetime, grace: timedelta) -> datetime | None:
    """Return when time alone ended a subscription's access. None while it has access, or for another end."""
    loss = _loss(subscription, now, grace)
    return loss[1] if loss else None


@dataclass(frozen=True, slots=True)
class EntitlementQuestion:
    """The use of a feature to decide on. `account` is the name of the account that pays.

    An empty `login` stands for content that many people read, for which no seat is needed.
    """

    feature: Feature
    login: str
    account: str
    is_public: bool
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class SprintSpan:
    """The span `[start, end)` of a sprint of the repository."""

    start: datetime
    end: datetime


def decide(
    question: EntitlementQuestion,
    plan: AccountPlan,
    *,
    people: Sequence[str] = (),
    sprints: Iterable[SprintSpan] = (),
    links: PlanChangeLinks | None = None,
) -> Decision:
    """Decide whether a feature may be used.

    `people` are the logins on planned work, in the order in which they get seats. `sprints` are the spans of
    the repository's sprints: a plan that is lost during a sprint stays until its end, five weeks at most.
    """
    links = links or PlanChangeLinks()
    if question.is_public and question.feature in PLANS[PUBLIC_REPOSITORIES].features:
        return Allowed()
    decision = _by_plan(question, plan, people, links)
    if isinstance(decision, Allowed):
        return decision
    running = [sprint for sprint in sprints if sprint.start <= question.asked_at < sprint.end]
    for previous in plan.previous_plans:
        is_recent = previous.until <= question.asked_at < previous.until + LONGEST_COURTESY
        if is_recent and any(sprint.start <= previous.until for sprint in running):
            before = replace(plan, name=PlanName(previous.plan), seats=previous.quantity)
            if isinstance(_by_plan(question, before, people, links), Allowed):
                return Allowed()
    return decision


def _by_plan(
    question: EntitlementQuestion, plan: AccountPlan, people: Sequence[str], links: PlanChangeLinks
) -> Decision:
    if question.feature not in plan.terms.features:
        return _not_included(question, plan, links)
    seats, logins = plan.seat_limit, [login.lower() for login in people]
    if seats is not None and question.login.lower() in logins[seats:]:
        return Denied(
            Reason.SEATS_EXCEEDED,
            f"{question.account} has {seats} {'seat' if seats == 1 else 'seats'} for {len(people)} people on "
            f"planned work. They go to the people who came first, so `{question.login}` needs one more seat.",
            *_remedy(plan, links, plan.name, "add seats"),
        )
    return Allowed()


_ASK_OWNER = "An owner can see and change the plan with `/agile plan`"


def _not_included(question: EntitlementQuestion, plan: AccountPlan, links: PlanChangeLinks) -> Denied:
    needed, account = cheapest_with(question.feature), question.account
    reason = plan.reason if not plan.terms.is_paid else Reason.NOT_IN_PLAN
    included = f"This needs the {needed.title} plan"
    what_happened = {
        Reason.NOT_IN_PLAN: f"{included}, and {account} is on {plan.terms.title}.",
        Reason.TRIAL_OVER: f"{included}, and the trial of {account} has ended.",
        Reason.PAYMENT_FAILED: f"{included}, and the last payment of {account} failed.",
        Reason.SUSPENDED: f"{included}, and the subscription of {account} is paused.",
        Reason.SEATS_EXCEEDED: "",
    }[reason]
    # A subscription that has ended over it cannot be paid any more: it is bought anew.
    if reason in {Reason.PAYMENT_FAILED, Reason.SUSPENDED} and links.portal and plan.ways.portal:
        return Denied(reason, what_happened, "An owner can fix this here", links.portal)
    return Denied(reason, what_happened, *_remedy(plan, links, needed.name, "change the plan"))


def _remedy(
    plan: AccountPlan, links: PlanChangeLinks, plan_name: PlanName, action: str
) -> tuple[str, str | None]:
    """Return a text and a link to an owner's remedy for a plan, on the page where the account pays already.

    Without such a page, or with two of them, the text refers to `/agile plan`.
    """
    ways = plan.ways
    link = links.upgrade.get(plan_name) if ways.marketplace else links.portal
    if link is None or (ways.marketplace and ways.portal):
        return _ASK_OWNER, None
    return f"An owner can {action} here", link
