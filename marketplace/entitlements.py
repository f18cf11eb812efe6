"""Who may use what: a decision from values. Nothing is read here, and no clock is asked."""

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
# What is kept until a sprint's end is kept for so long at most: a milestone may be due in years.
LONGEST_COURTESY = timedelta(days=35)


class Reason(StrEnum):
    """Why something is denied."""

    NOT_IN_PLAN = "not in plan"
    TRIAL_OVER = "trial over"
    SEATS_EXCEEDED = "seats exceeded"
    PAYMENT_FAILED = "payment failed"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Denied:
    """`what_happened` and `what_to_do` are sentences for whoever asked; `link` is where it can be changed."""

    reason: Reason
    what_happened: str
    what_to_do: str
    link: str | None = None

    @property
    def text(self) -> str:
        """What the person reads: what happened, what still works, and where to change it."""
        to_do = f"[{self.what_to_do}]({self.link})" if self.link else self.what_to_do
        return f"{self.what_happened} Sprints, estimates, burndowns and reports go on as before. {to_do}."


Decision = Allowed | Denied
# Asked with a feature and a login; THE_ACCOUNT is the login where nobody in particular asks.
Entitled = Callable[[str, str], Awaitable[Decision]]
# The same question for a repository of a tenant: what the dispatcher, the publisher of reports and checks,
# and what runs by the clock are given.
EntitledIn = Callable[[int, Project], Entitled]
THE_ACCOUNT = ""


async def allow_everything(_feature: str, _login: str) -> Decision:
    """The answer where nothing is sold."""
    return Allowed()


def allow_everywhere(_tenant: int, _project: Project) -> Entitled:
    """Everything is allowed in every repository."""
    return allow_everything


@dataclass(frozen=True, slots=True)
class PurchasePages:
    """Where a plan can be changed. `upgrade` leads to GitHub, for each plan that can be bought there."""

    upgrade: Mapping[PlanName, str] = field(default_factory=dict)
    portal: str | None = None


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """What an account has at a moment.

    `subscription` is the one that counts; without one, `reason` says why a paid plan was lost, if there was
    one. `lost` is what the account had before and until when. `grace_ends` is set while a payment is due,
    whatever status Stripe has given the subscription meanwhile: it may have ended already. `also_by` is
    another subscription that gives the same plan without the due payment, for as many as it has seats.
    `is_paid_twice`: more than one subscription costs something, and goes on doing so. `ways`: where the
    account may buy or change.
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
        """For how many people it was bought. None where any number may use it: with Stripe the number that is
        paid for follows the people, within a day.
        """
        return self.seats if self.source == MARKETPLACE and self.terms.is_paid else None


def resolve_account_plan(
    subscriptions: Iterable[Subscription], now: datetime, grace: timedelta
) -> AccountPlan:
    """The subscription with the most rights counts; of equal ones the Marketplace's."""
    subscriptions = tuple(subscriptions)
    ways = purchase_ways(subscriptions)
    live, ended = list[Subscription](), list[Subscription]()
    lost, reasons = list[PreviousPlan](), list[tuple[bool, datetime, int, Reason]]()
    for one in subscriptions:
        lost += [one.previous_plan] if one.previous_plan else []
        if (why := _lost(one, now, grace)) is None:
            live.append(one)
            continue
        ended.append(one)
        if not PLANS[PlanName(one.plan)].is_paid or one.status == "incomplete":
            continue
        if why[1] is not None:
            lost.append(PreviousPlan(one.plan, one.quantity, why[1]))
        reasons.append((not one.has_ended, _lost_at(one, why[1]), _MOST_TELLING.index(why[0]), why[0]))
    reason = max(reasons)[-1] if reasons else Reason.NOT_IN_PLAN
    gone = tuple(sorted(lost, key=lambda had: had.until))
    if not live:
        last = max(ended, key=lambda one: (one.read_at, one.source, one.reference), default=None)
        return AccountPlan(
            status=last.status if last else "none", reason=reason, previous_plans=gone, ways=ways
        )
    best = max(live, key=_worth)
    grace_ends = grace_end(best, grace)
    if grace_ends is None and is_ending(best):  # Then what stays is what another one's payment is due for.
        due = [one for one in live if grace_end(one, grace) is not None]
        grace_ends = grace_end(max(due, key=_worth), grace) if due else None
    others = [
        one
        for one in live
        if grace_end(one, grace) is None and _rank(one) >= _rank(best) and not is_ending(one)
    ]
    return AccountPlan(
        name=PlanName(best.plan),
        seats=best.quantity,
        source=best.source,
        status=best.status,
        subscription=best,
        reason=reason if not PLANS[PlanName(best.plan)].is_paid else Reason.NOT_IN_PLAN,
        previous_plans=gone,
        grace_ends=grace_ends,
        fallback=max(others, key=_worth, default=None) if grace_ends is not None else None,
        is_paid_twice=sum(map(_costs, live)) > 1,
        ways=ways,
    )


# In these a payment may be due; `past_due_since` tells whether one is.
_DUE = frozenset({"past_due", "unpaid", "paused", "ended"})
_MOST_TELLING = (Reason.NOT_IN_PLAN, Reason.TRIAL_OVER, Reason.SUSPENDED, Reason.PAYMENT_FAILED)


def _costs(one: Subscription) -> bool:
    """Whether a subscription is paid for and goes on; not where Stripe does not know it any more."""
    is_live = not one.has_ended and one.missing_since is None
    return PLANS[PlanName(one.plan)].is_paid and is_live and not is_ending(one)


def _lost_at(one: Subscription, ended_by_time: datetime | None) -> datetime:
    """When a subscription stopped giving something; of several, the latest is why there is nothing now."""
    return ended_by_time or one.ended_at or datetime.min.replace(tzinfo=UTC)


def _rank(one: Subscription) -> int:
    return PLANS[PlanName(one.plan)].rank


def _worth(one: Subscription) -> tuple[int, bool, float, bool, str]:
    """The higher, the more a subscription gives; of equal ones, what runs counts before what has ended."""
    seats = float("inf") if one.quantity is None or one.source == STRIPE else one.quantity
    return _rank(one), not one.has_ended, seats, one.source == MARKETPLACE, one.reference


def _lost(one: Subscription, now: datetime, grace: timedelta) -> tuple[Reason, datetime | None] | None:
    """Why and since when a subscription gives nothing. None while it does."""
    if (ends := grace_end(one, grace)) is not None:
        return (Reason.PAYMENT_FAILED, ends) if now >= ends else None
    match one.status:
        case "active":
            return None
        case "trialing":
            is_over = one.trial_ends is not None and now >= one.trial_ends + _TRIAL_LAG
            return (Reason.TRIAL_OVER, one.trial_ends) if is_over else None
        case "unpaid":
            return Reason.PAYMENT_FAILED, None
        case "paused":
            return Reason.SUSPENDED, None
    was_trial = one.trial_ends is not None and one.ended_at is not None
    if was_trial and one.ended_at and one.trial_ends and one.ended_at <= one.trial_ends + _TRIAL_LAG:
        return Reason.TRIAL_OVER, None
    return Reason.NOT_IN_PLAN, None


def grace_end(subscription: Subscription, grace: timedelta) -> datetime | None:
    """Until when a due payment takes nothing away. None where no payment is due.

    It runs from when the payment was due, and not from what Stripe made of that: by its owner's settings it
    retries for weeks, or gives up within days and leaves the subscription unpaid, paused or cancelled.
    """
    if subscription.status not in _DUE:
        return None
    if subscription.past_due_since is not None:
        return subscription.past_due_since + grace
    return subscription.read_at + grace if subscription.status == "past_due" else None


def gives_access(subscription: Subscription, now: datetime, grace: timedelta) -> bool:
    """Whether a subscription gives what its plan includes at a moment."""
    return _lost(subscription, now, grace) is None


def access_end(subscription: Subscription, now: datetime, grace: timedelta) -> datetime | None:
    """When time alone ended what a subscription gives. None while it gives, or where time did not end it."""
    lost = _lost(subscription, now, grace)
    return lost[1] if lost else None


@dataclass(frozen=True, slots=True)
class EntitlementQuestion:
    """What somebody wants to use, and where. `account` is the name of the account that pays.

    Without a `login` it is asked for what many read, for which nobody needs a seat.
    """

    feature: Feature
    login: str
    account: str
    is_public: bool
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class SprintSpan:
    """A sprint `[start, end)` of the repository."""

    start: datetime
    end: datetime


def decide(
    question: EntitlementQuestion,
    standing: AccountPlan,
    *,
    people: Sequence[str] = (),
    sprints: Iterable[SprintSpan] = (),
    links: PurchasePages | None = None,
) -> Decision:
    """Whether somebody may use a feature.

    `people` are those on planned work, in the order in which seats are given. `sprints` are those of the
    repository: what is lost while one of them runs stays until its end, five weeks at most.
    """
    links = links or PurchasePages()
    if question.is_public and question.feature in PLANS[PUBLIC_REPOSITORIES].features:
        return Allowed()
    decision = _by_plan(question, standing, people, links)
    if isinstance(decision, Allowed):
        return decision
    running = [one for one in sprints if one.start <= question.asked_at < one.end]
    for had in standing.previous_plans:
        is_recent = had.until <= question.asked_at < had.until + LONGEST_COURTESY
        if is_recent and any(one.start <= had.until for one in running):
            before = replace(standing, name=PlanName(had.plan), seats=had.quantity)
            if isinstance(_by_plan(question, before, people, links), Allowed):
                return Allowed()
    return decision


def _by_plan(
    question: EntitlementQuestion, standing: AccountPlan, people: Sequence[str], links: PurchasePages
) -> Decision:
    if question.feature not in standing.terms.features:
        return _not_included(question, standing, links)
    seats, who = standing.seat_limit, [one.lower() for one in people]
    if seats is not None and question.login.lower() in who[seats:]:
        return Denied(
            Reason.SEATS_EXCEEDED,
            f"{question.account} has {seats} {'seat' if seats == 1 else 'seats'} for {len(people)} people on "
            f"planned work, and the others were here before `{question.login}`; for them nothing changes.",
            *_where(standing, links, standing.name, "add seats"),
        )
    return Allowed()


_ASK_OWNER = "An owner can see and change the plan with `/agile plan`"


def _not_included(question: EntitlementQuestion, standing: AccountPlan, links: PurchasePages) -> Denied:
    wanted, account = cheapest_with(question.feature), question.account
    reason = standing.reason if not standing.terms.is_paid else Reason.NOT_IN_PLAN
    included = f"This is part of {wanted.title}"
    told = {
        Reason.NOT_IN_PLAN: f"{included}; {account} is on {standing.terms.title}.",
        Reason.TRIAL_OVER: f"{included}, and the trial of {account} is over.",
        Reason.PAYMENT_FAILED: f"{included}, and the last payment of {account} has failed.",
        Reason.SUSPENDED: f"{included}, and the subscription of {account} is paused.",
        Reason.SEATS_EXCEEDED: "",
    }[reason]
    # A subscription that has ended over it cannot be paid any more: it is bought anew.
    if reason in {Reason.PAYMENT_FAILED, Reason.SUSPENDED} and links.portal and standing.ways.portal:
        return Denied(reason, told, "An owner can mend that here", links.portal)
    return Denied(reason, told, *_where(standing, links, wanted.name, "change the plan"))


def _where(standing: AccountPlan, links: PurchasePages, plan: PlanName, what: str) -> tuple[str, str | None]:
    """Where an owner does something about a plan: where the account pays already. Without a link, or with two
    such places, `/agile plan` tells more.
    """
    ways = standing.ways
    link = links.upgrade.get(plan) if ways.marketplace else links.portal
    if link is None or (ways.marketplace and ways.portal):
        return _ASK_OWNER, None
    return f"An owner can {what} here", link
