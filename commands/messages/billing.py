"""The texts of `/agile plan` and `/agile usage`."""

from collections.abc import Callable, Sequence
from datetime import datetime

from commands.formatting.money import money
from commands.formatting.wording import counted, folded, full_day, plain, table
from commands.messages.announced_changes import announced_changes, overlap_lines
from commands.messages.billing_notices import (
    SOURCES,
    deletion_sentence,
    failed_payment_sentence,
    notice_sentence,
)
from commands.messages.changing_plan import change_lines
from commands.messages.seats import WHO_NEEDS_A_SEAT, list_of_people
from marketplace.accounts import Billing
from marketplace.entitlements import PlanChangeLinks, Reason
from marketplace.notices import NoticeKind, collect_notices
from marketplace.plans import FEATURES, METRICS, PLANS, Plan, PlanName
from marketplace.purchase_ways import purchase_ways
from marketplace.seat_price import resolve_seat_price
from storage.subscriptions import STRIPE, Subscription

# A link that leads to buying a plan by card, by the month or by the year. None where that is not sold.
Checkout = Callable[[PlanName, bool], str | None]

IN_PUBLIC = (
    "This repository is public, so everyone can use all Pro features for free. To see what the account pays "
    "for and uses, run this command in one of its private repositories."
)
_BUY_AGAIN = "buy the plan again with the links below"
# By the status of a subscription that gives nothing now: its plan, and how it is paid.
_WAITING = {
    "paused": "Your {plan} plan, paid {source}, is paused.",
    "unpaid": "Your {plan} plan, paid {source}, is waiting for a payment.",
    "past_due": "Your {plan} plan, paid {source}, is waiting for a payment.",
}
NOTHING_IS_SOLD = "Billing is off here: everyone can use every feature for free."


def plan_card(
    billing: Billing,
    links: PlanChangeLinks,
    checkout: Checkout,
    *,
    is_public: bool,
    is_usage_charged: bool = False,
) -> str:
    """The account's plan, its price, its features, and how to change it. Never mentions money in public.

    A pending deletion of data is named even where nothing is sold any more, because a cancellation stands.
    """
    if not billing.is_sold:
        return "\n\n".join(filter(None, [_quoted(deletion_sentence(billing, links)), NOTHING_IS_SOLD]))
    if is_public:
        return "\n\n".join(filter(None, [IN_PUBLIC, _quoted(deletion_sentence(billing, links))]))
    parts = [
        f"### {plain(billing.account.name)} is on {billing.plan.terms.title}",
        _notices(billing, links),
        _terms(billing),
        announced_changes(billing, links),
        _seats(billing),
        _usage(billing) if is_usage_charged else "",
        _ways_to_change(billing, links, checkout),
        folded("What each plan includes", _features(billing)),
    ]
    return "\n\n".join(part for part in parts if part)


def usage_card(billing: Billing, now: datetime, *, is_public: bool, is_usage_charged: bool = False) -> str:
    """The usage of this month. It limits nothing; where usage is charged, the card says so."""
    if is_public:
        return IN_PUBLIC
    rows = [
        [text[0].upper() + text[1:], f"{billing.usage.get(metric, 0):,}"] for metric, text in METRICS.items()
    ]
    today = now.date()
    days = full_day(today) if today.day == 1 else f"{full_day(today.replace(day=1))} – {full_day(today)}"
    people = list_of_people(billing.people)
    note = "Usage is only counted. It is never limited."
    if is_usage_charged:
        note += f" {_usage(billing)}"
    if billing.is_sold:
        note += f" {WHO_NEEDS_A_SEAT}"
    return "\n\n".join(
        [
            f"### Usage of {plain(billing.account.name)}, {days} (UTC)",
            table(["", "Used"], rows),
            people,
            f"<sub>{note}</sub>",
        ]
    )


def _notices(billing: Billing, links: PlanChangeLinks) -> str:
    """The notices for the account's owner, each as a Markdown quotation."""
    notices = collect_notices(billing)
    sentences = [notice_sentence(notice, billing, links, _BUY_AGAIN) for notice in notices]
    if not any(notice.kind is NoticeKind.PAYMENT_FAILED for notice in notices):
        sentences.append(failed_payment_sentence(billing, links, _BUY_AGAIN))
    return "\n\n".join(_quoted(sentence) for sentence in [*sentences, _lost_plan(billing, links)] if sentence)


def _quoted(sentence: str) -> str:
    return f"> {sentence}" if sentence else ""


def _lost_plan(billing: Billing, links: PlanChangeLinks) -> str:
    """Explain why a paid plan has ended, where no payment is due."""
    if billing.plan.terms.is_paid:
        return ""
    reason = {
        Reason.SUSPENDED: f"**The subscription is paused.** {_how_to_resume(billing, links)}",
        Reason.TRIAL_OVER: "**The trial has ended.** No data was deleted.",
    }
    return reason.get(billing.plan.reason, "")


def _how_to_resume(billing: Billing, links: PlanChangeLinks) -> str:
    """Explain how to resume a paused subscription.

    Stripe pauses a trial that ends without a card; any other pause was made by the seller.
    """
    paused = [subscription for subscription in billing.subscriptions if subscription.status == "paused"]
    if not any(subscription.trial_ends for subscription in paused):
        return "Only the people who run this App can resume it. Please contact them."
    card = f"[add a card]({links.portal})" if links.portal else "add a card in the billing portal"
    return (
        f"If the trial ended without a card, {card}. If it stays paused, contact the people who run this App."
    )


def _usage(billing: Billing) -> str:
    """Say whether this account is charged for usage; accounts that pay by card are."""
    if any(
        subscription.source == STRIPE and not subscription.has_ended for subscription in billing.subscriptions
    ):
        return "You also pay for usage. I report it to Stripe once a day, and it appears on your invoice."
    return "Accounts that pay by card also pay for usage. This account doesn't."


def _terms(billing: Billing) -> str:
    plan, subscription = billing.plan, billing.plan.subscription
    if subscription is None:
        return f"{_without_plan(billing)} Public repositories have all Pro features for free."
    if not plan.terms.is_paid:
        return f"Chosen {SOURCES[subscription.source]}, free of charge."
    how_often = "yearly" if subscription.is_yearly else "monthly"
    sentence = f"Paid {SOURCES[subscription.source]}, {how_often}{_total(subscription)}."
    if subscription.status == "trialing" and subscription.trial_ends:
        sentence += f" The trial ends on {full_day(subscription.trial_ends.date())}."
    elif subscription.period_end and subscription.status == "active" and plan.terms.is_paid:
        sentence += f" The current period ends on {full_day(subscription.period_end.date())}."
    return sentence


def _without_plan(billing: Billing) -> str:
    waiting = next(
        (subscription for subscription in billing.subscriptions if subscription.status in _WAITING), None
    )
    if waiting is not None:
        title = PLANS[PlanName(waiting.plan)].title
        return _WAITING[waiting.status].format(plan=title, source=SOURCES[waiting.source])
    return "No paid plan is active any more." if billing.subscriptions else "No paid plan is active."


def _total(subscription: Subscription) -> str:
    """The price of all seats for a period. Empty where the subscriber's own price is unknown."""
    price = resolve_seat_price(subscription)
    if price is None or price.is_list_price or subscription.quantity is None:
        return ""
    period = "year" if price.is_yearly else "month"
    each = money(price.unit_amount, price.currency)
    total = money(price.unit_amount * subscription.quantity, price.currency)
    return (
        f": {counted(subscription.quantity, 'seat')} at {each}, {total} a {period} before discounts and tax"
    )


def _seats(billing: Billing) -> str:
    plan, used = billing.plan, len(billing.people)
    people = f"{used} {'person' if used == 1 else 'people'} on planned work"
    if not plan.terms.is_paid or plan.subscription is None:
        return f"{people}. A paid plan needs one seat per person."
    if plan.seats is None:
        return f"{people}. The plan covers any number of people."
    if plan.seat_limit is None:
        return f"{people}, {counted(plan.seats, 'paid seat')}."
    if used > plan.seat_limit:
        return (
            f"**{people}, {counted(plan.seat_limit, 'paid seat')}.** {_who_waits(used - plan.seat_limit)} "
            "the plan's extra features. Nothing changes for everyone else."
        )
    return f"{people}, {counted(plan.seat_limit, 'paid seat')}."


def _who_waits(people: int) -> str:
    if people == 1:
        return "The person who came last needs a seat to use"
    return f"The {people} people who came last need seats to use"


def _ways_to_change(billing: Billing, links: PlanChangeLinks, checkout: Checkout) -> str:
    lines = [
        f"- **{plan.title}**, {_price(plan)} per seat: {' · '.join(ways)}"
        for plan in PLANS.values()
        if plan.is_paid and (ways := _ways(billing, plan, links, checkout))
    ]
    if purchase_ways(billing.subscriptions).checkout and any(checkout(plan, False) for plan in PLANS):
        lines += overlap_lines(billing)
    lines += change_lines(billing, links)
    return "\n".join(["**Change your plan**", "", *lines]) if lines else ""


def _ways(billing: Billing, plan: Plan, links: PlanChangeLinks, checkout: Checkout) -> Sequence[str]:
    """Links to buy the plan, without any that would lead to paying twice."""
    allowed, ways = purchase_ways(billing.subscriptions), []
    if allowed.marketplace and (link := links.upgrade.get(plan.name)):
        ways.append(f"[on GitHub]({link})")
    if allowed.checkout:
        for is_yearly, words in ((False, "by card, monthly"), (True, "by card, yearly")):
            if link := checkout(plan.name, is_yearly):
                ways.append(f"[{words}]({link})")
    return ways


def _price(plan: Plan) -> str:
    return f"{money(plan.monthly_cents, 'usd')} a month or {money(plan.yearly_cents, 'usd')} a year"


def _features(billing: Billing) -> str:
    marks = {
        plan.name: f"**{plan.title}**" if plan is billing.plan.terms else plan.title
        for plan in PLANS.values()
    }
    rows = [
        [text, *("yes" if feature in plan.features else "–" for plan in PLANS.values())]
        for feature, text in FEATURES.items()
    ]
    always = ["Sprints, estimates, burndown, velocity, reports, and checks", *("yes" for _ in PLANS)]
    return table(["", *marks.values()], [always, *rows])
