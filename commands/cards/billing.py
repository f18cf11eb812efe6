"""What `/agile plan` and `/agile usage` say, from values."""

from collections.abc import Callable, Sequence
from datetime import datetime

from commands.cards.seats import list_of_people
from commands.wording import counted, folded, full_day, plain, table
from marketplace.accounts import Billing
from marketplace.entitlements import Links, Reason, Standing
from marketplace.plans import FEATURES, METRICS, PLANS, SEAT_DAYS, Plan, PlanName
from storage.subscriptions import MARKETPLACE, STRIPE, Subscription

# A link that leads to buying a plan by card, by the month or by the year. None where that is not sold.
Checkout = Callable[[PlanName, bool], str | None]

_SOURCES = {MARKETPLACE: "on GitHub Marketplace", STRIPE: "by card (Stripe)"}
IN_PUBLIC = (
    "This is a public repository: everything that Pro has is free here, for everybody. What the account "
    "pays for and how much it uses is told in its private repositories."
)
NOTHING_IS_SOLD = "Nothing is sold here: every feature is on, for everybody."


def plan_card(billing: Billing, links: Links, checkout: Checkout, *, is_public: bool) -> str:
    """The plan, what it includes and where it is changed. In public nothing is said of money."""
    if not billing.is_sold:
        return NOTHING_IS_SOLD
    if is_public:
        return "\n\n".join(filter(None, [IN_PUBLIC, _deletion(billing, links)]))
    parts = [
        f"### {plain(billing.account.name)} is on {billing.standing.terms.title}",
        _deletion(billing, links),
        _payment(billing, links),
        _twice(billing),
        _terms(billing),
        _announced(billing),
        _seats(billing),
        _change(billing, links, checkout),
        folded("What each plan includes", _features(billing)),
    ]
    return "\n\n".join(part for part in parts if part)


def usage_card(billing: Billing, now: datetime, *, is_public: bool) -> str:
    """What was used this month. It is counted, and stops nothing."""
    if is_public:
        return IN_PUBLIC
    rows = [
        [text[0].upper() + text[1:], f"{billing.usage.get(metric, 0):,}"] for metric, text in METRICS.items()
    ]
    month = f"1–{now.day} {full_day(now.date()).split(' ', 1)[1]}" if now.day > 1 else full_day(now.date())
    who = list_of_people(billing.people)
    note = (
        f"Usage is counted and stops nothing. Who acted on planned work of a private repository within "
        f"{SEAT_DAYS} days needs a seat; bots need none, "
        "and neither does what was done while a repository was public."
    )
    return "\n\n".join(
        [
            f"### What {plain(billing.account.name)} used, {month} (UTC)",
            table(["", "used"], rows),
            who,
            f"<sub>{note}</sub>",
        ]
    )


def _deletion(billing: Billing, links: Links) -> str:
    if billing.deadline is None:
        return ""
    day = full_day(billing.deadline.due_at.date())
    where = links.upgrade.get(PlanName.FREE) or next(iter(links.upgrade.values()), None)
    again = (
        f"[choose a plan on GitHub Marketplace]({where})" if where else "choose a plan on GitHub Marketplace"
    )
    return (
        f"> **This account's data here will be deleted on {day}**, because its plan was cancelled on GitHub "
        f"Marketplace. To keep it, {again} before then; the free one will do, or a plan paid by card."
    )


def _payment(billing: Billing, links: Links) -> str:
    standing = billing.standing
    where = f"[change the card]({links.portal})" if links.portal else "change the card where you pay"
    if standing.grace_ends is not None:
        day = full_day(standing.grace_ends.date())
        return f"> **The last payment failed.** Nothing changes before {day}: until then, please {where}."
    if standing.terms.is_paid:
        return ""
    reason = {
        Reason.PAYMENT_FAILED: f"> **The last payment failed**, and its time is over. To go on, {where}.",
        Reason.SUSPENDED: f"> **The subscription is paused.** To go on, {where}.",
        Reason.TRIAL_OVER: "> **The trial is over.** Nothing was deleted by that.",
    }
    return reason.get(standing.reason, "")


def _twice(billing: Billing) -> str:
    standing = billing.standing
    if not standing.is_paid_twice:
        return ""
    return (
        f"> **{plain(billing.account.name)} pays for more than one plan.** Nothing is cut off: what includes "
        f"more counts, which is {_said_of(standing)}. The other can be cancelled where it was bought."
    )


def _said_of(standing: Standing) -> str:
    return f"{standing.terms.title}, paid {_SOURCES[standing.source or MARKETPLACE]}"


def _terms(billing: Billing) -> str:
    standing, one = billing.standing, billing.standing.subscription
    if one is None:
        begin = "No plan runs any more." if billing.subscriptions else "No plan was bought."
        return f"{begin} Public repositories have everything that Pro has."
    sentence = f"Bought {_SOURCES[one.source]}, {'yearly' if one.is_yearly else 'monthly'}."
    if one.status == "trialing" and one.trial_ends:
        sentence += f" The trial ends on {full_day(one.trial_ends.date())}."
    elif one.period_end and one.status == "active" and standing.terms.is_paid:
        sentence += f" Paid until {full_day(one.period_end.date())}."
    return sentence


def _announced(billing: Billing) -> str:
    pending = billing.pending
    if pending is None:
        return ""
    day = full_day(pending.effective_at.date()) if pending.effective_at else "the end of the period"
    if pending.plan is None:
        return f"It was cancelled and ends on {day}; until then nothing changes."
    plan = PLANS[PlanName(pending.plan)].title
    seats = f" with {counted(pending.quantity, 'seat')}" if pending.quantity else ""
    return f"From {day} on it will be {plan}{seats}; until then nothing changes."


def _seats(billing: Billing) -> str:
    standing, used = billing.standing, len(billing.people)
    people = f"{used} {'person' if used == 1 else 'people'} on planned work"
    if not standing.terms.is_paid or standing.subscription is None:
        return f"{people}; a paid plan needs a seat for each."
    if standing.seats is None:
        return f"{people}; the plan is for any number."
    if standing.limited_to is None:
        return (
            f"{people}, {counted(standing.seats, 'seat')} paid for. The number follows the people once a day."
        )
    if used > standing.limited_to:
        return (
            f"**{people}, {counted(standing.limited_to, 'seat')} paid for.** Who came last waits for a seat "
            "with what the plan adds; for the others nothing changes."
        )
    return f"{people}, {counted(standing.limited_to, 'seat')} paid for."


def _change(billing: Billing, links: Links, checkout: Checkout) -> str:
    lines = [
        f"- **{plan.title}**, {_price(plan)} for a seat: {' · '.join(ways)}"
        for plan in PLANS.values()
        if plan.is_paid and (ways := _ways(billing, plan, links, checkout))
    ]
    if links.portal and any(one.source == STRIPE and not one.has_ended for one in billing.subscriptions):
        lines.append(f"- [Card, invoices, changing and cancelling]({links.portal})")
    return "\n".join(["**Change it**", "", *lines]) if lines else ""


def _ways(billing: Billing, plan: Plan, links: Links, checkout: Checkout) -> Sequence[str]:
    """Only ways that lead to paying once."""
    if any(_is_live_card(one) for one in billing.subscriptions):
        return []
    ways = []
    if link := links.upgrade.get(plan.name):
        ways.append(f"[on GitHub]({link})")
    if billing.standing.terms.is_paid and billing.pending is None:
        return ways
    for is_yearly, words in ((False, "by card, monthly"), (True, "by card, yearly")):
        if link := checkout(plan.name, is_yearly):
            ways.append(f"[{words}]({link})")
    return ways


def _is_live_card(one: Subscription) -> bool:
    return one.source == STRIPE and one.status in {"active", "trialing", "past_due", "unpaid", "paused"}


def _price(plan: Plan) -> str:
    return f"${plan.monthly_cents / 100:.2f} a month or ${plan.yearly_cents / 100:.2f} a year"


def _features(billing: Billing) -> str:
    marks = {
        plan.name: f"**{plan.title}**" if plan is billing.standing.terms else plan.title
        for plan in PLANS.values()
    }
    rows = [
        [text, *("yes" if feature in plan.features else "–" for plan in PLANS.values())]
        for feature, text in FEATURES.items()
    ]
    always = ["Sprints, estimates, burndown, velocity, reports, checks", *("yes" for _ in PLANS)]
    return table(["", *marks.values()], [always, *rows])
