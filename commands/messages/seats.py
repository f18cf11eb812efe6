"""The texts of `/agile seats`: who needs a seat, the price of seats, and the price of an increase."""

from collections.abc import Sequence
from datetime import datetime

from charts.reading import whole
from commands.formatting.money import money
from commands.formatting.wording import counted, folded, full_day, person, plain
from marketplace.accounts import Billing
from marketplace.plans import SEAT_DAYS
from marketplace.seat_increases import Proration, SeatIncrease, choose_proration, estimate_due_now
from marketplace.seat_price import resolve_seat_price
from storage.subscriptions import STRIPE, Subscription

_WHO_NEEDS_A_SEAT = (
    f"Who acted on planned work of a private repository within {SEAT_DAYS} days needs a seat. Bots need "
    "none, and neither does what was done while a repository was public."
)
_SHOWN_PEOPLE = 200
WHAT_IS_DUE = "What is due at once is as Stripe computes it: with tax, and less the account's balance there."


def seats_card(billing: Billing, now: datetime) -> str:
    """The people who need a seat, the seats paid for, and the price of one more."""
    parts = [
        f"### Seats of {plain(billing.account.name)}",
        f"{_people(len(billing.people))} on planned work{_paid(billing)}.",
        _waiting(billing.seat_increase),
        _price(billing, now),
        list_of_people(billing.people),
        f"<sub>{_WHO_NEEDS_A_SEAT}</sub>",
    ]
    return "\n\n".join(part for part in parts if part)


def increase_text(increase: SeatIncrease, billing: Billing) -> str:
    """The price of an increase, and when it takes effect."""
    more = increase.after - increase.before
    paid = f"{counted(increase.before, 'seat')} {'is' if increase.before == 1 else 'are'} paid for"
    sentences = [f"**{_people(increase.after)} need a seat; {paid}.**"]
    if increase.unit_amount is not None and increase.currency:
        period = "year" if increase.is_yearly else "month"
        price = money(increase.unit_amount, increase.currency)
        total = money(increase.unit_amount * more, increase.currency)
        sentences.append(
            f"{counted(more, 'more seat')} at {price} a {period} cost {total} a {period} "
            "before discounts and tax."
        )
    sentences.append(due_text(increase, billing))
    sentences.append(
        "Once you agree, it takes effect in the night, for no more than the people who need a seat then. "
        "Until you agree, nothing more is charged, and nobody loses anything."
    )
    return " ".join(sentence for sentence in sentences if sentence)


def approved_text(increase: SeatIncrease) -> str:
    """The confirmation of an approved increase."""
    return (
        f"Approved: up to {counted(increase.after, 'seat')}. It takes effect tonight; fewer people cost "
        "less. If more than these need a seat later, I ask again."
    )


def due_text(increase: SeatIncrease, billing: Billing) -> str:
    """The amount that is charged, and when. Without Stripe's own figure it is computed from the price."""
    subscription, now = billing.plan.subscription, billing.as_of or increase.asked_at
    if subscription is not None and subscription.status == "trialing":
        return "Nothing is due during the trial."
    proration = choose_proration(subscription, now) if subscription is not None else None
    is_later = proration is not None and proration is not Proration.ALWAYS_INVOICE
    if increase.due_now == 0 and proration is Proration.ALWAYS_INVOICE:
        return f"Nothing is due at once. {WHAT_IS_DUE}"
    if increase.due_now == 0 or (increase.due_now is None and is_later):
        if increase.is_yearly:
            return "Nothing is due before the renewal."
        return "The part for the rest of this period is on the next invoice."
    if increase.due_now is not None and increase.currency:
        due = money(increase.due_now, increase.currency)
        return f"{due} is due at once, for the rest of this period. {WHAT_IS_DUE}"
    more = increase.after - increase.before
    about = estimate_due_now(subscription, more, now) if subscription is not None else None
    if not about or not increase.currency:
        return "The part for the rest of this period is due at once."
    return (
        f"About {money(about, increase.currency)} "
        "before discounts and tax is due at once, for the rest of this period."
    )


def _waiting(increase: SeatIncrease | None) -> str:
    if increase is None:
        return ""
    if increase.is_waiting:
        return (
            f"**{counted(increase.after - increase.before, 'more seat')} wait for an admin's approval.** "
            "Nothing is charged for them, and nobody loses anything."
        )
    by = person(increase.approved_by or "")
    return f"{by} has approved up to {counted(increase.after, 'seat')}; that takes effect tonight."


def _paid(billing: Billing) -> str:
    seats = billing.plan.seats
    if not billing.plan.terms.is_paid or billing.plan.subscription is None:
        return ""
    return f", {counted(seats, 'seat')} paid for" if seats is not None else "; the plan is for any number"


def _price(billing: Billing, now: datetime) -> str:
    subscription = billing.plan.subscription
    price = resolve_seat_price(subscription) if subscription is not None else None
    if subscription is None or price is None or subscription.quantity is None:
        return ""
    period = "year" if price.is_yearly else "month"
    cost = (
        f"One more seat costs {money(price.unit_amount, price.currency)} a {period} before discounts and tax"
    )
    cost += " (list price)" if price.is_list_price else ""
    if subscription.source != STRIPE:
        return f"{cost}. Seats are added on GitHub Marketplace."
    if subscription.status not in {"active", "trialing"}:
        return f"{cost}. No seats are added while a payment is due."
    about, proration = estimate_due_now(subscription, 1, now), choose_proration(subscription, now)
    if subscription.status == "trialing":
        cost += "; nothing is due during the trial"
    elif proration is Proration.ALWAYS_INVOICE and about is not None:
        cost += f"; now about {money(about, price.currency)} for the rest of the period, charged at once"
    elif proration is Proration.CREATE_PRORATIONS:
        cost += "; the part for the rest of this month is on the next invoice"
    elif proration is Proration.NONE:
        cost += "; nothing is due before the renewal"
    return f"{cost}. {_how_it_follows(subscription)}"


def _how_it_follows(subscription: Subscription) -> str:
    if not subscription.is_yearly:
        return "The number follows the people once a day; a large increase waits for an admin."
    ends = subscription.period_end
    when = f" on {full_day(ends.date())}" if ends is not None else ""
    return (
        "More people add seats once a day; a large increase waits for an admin. With fewer people, the seats "
        f"paid for stay free for others until the renewal{when}, which counts the people anew."
    )


def list_of_people(people: Sequence[str]) -> str:
    """The people who need a seat, folded; of very many only the first, with the number of the others."""
    shown = ", ".join(person(login) for login in people[:_SHOWN_PEOPLE]) or "Nobody."
    rest = len(people) - _SHOWN_PEOPLE
    if rest > 0:
        shown += f" and {whole(rest)} more"
    return folded(f"{_people(len(people))} on planned work", shown)


def _people(count: int) -> str:
    return f"{whole(count)} {'person' if count == 1 else 'people'}"
