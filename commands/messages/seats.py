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

WHO_NEEDS_A_SEAT = (
    f"Everyone who acted on planned work in a private repository in the last {SEAT_DAYS} days needs a seat. "
    "Bots don't, and work done while a repository was public doesn't count."
)
_SHOWN_PEOPLE = 200
WHAT_IS_DUE = "Stripe calculates the amount due now, with tax and less your account balance."


def seats_card(billing: Billing, now: datetime) -> str:
    """The people who need a seat, the seats paid for, and the price of one more."""
    parts = [
        f"### Seats of {plain(billing.account.name)}",
        f"{_people(len(billing.people))} on planned work{_paid(billing)}",
        _waiting(billing.seat_increase),
        _price(billing, now),
        list_of_people(billing.people),
        f"<sub>{WHO_NEEDS_A_SEAT}</sub>",
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
        cost = "costs" if more == 1 else f"at {price} a {period} cost"
        sentences.append(f"{counted(more, 'more seat')} {cost} {total} a {period} before discounts and tax.")
    sentences.append(due_text(increase, billing))
    sentences.append(
        "If you approve, I'll add the seats tonight, only as many as you need. Until you "
        "approve, you pay nothing more, and everyone keeps their access."
    )
    return " ".join(sentence for sentence in sentences if sentence)


def approved_text(increase: SeatIncrease) -> str:
    """The confirmation of an approved increase."""
    return (
        f"**Approved:** up to {counted(increase.after, 'seat')}. I'll add them tonight, only as many "
        "as you need. If more people need a seat later, I'll ask again."
    )


def due_text(increase: SeatIncrease, billing: Billing) -> str:
    """The amount that is charged, and when. Without Stripe's own figure it is computed from the price."""
    subscription, now = billing.plan.subscription, billing.as_of or increase.asked_at
    if subscription is not None and subscription.status == "trialing":
        return "Nothing is due during the trial."
    proration = choose_proration(subscription, now) if subscription is not None else None
    is_later = proration is not None and proration is not Proration.ALWAYS_INVOICE
    if increase.due_now == 0 and proration is Proration.ALWAYS_INVOICE:
        return f"Nothing is due now. {WHAT_IS_DUE}"
    if increase.due_now == 0 or (increase.due_now is None and is_later):
        if increase.is_yearly:
            return "Nothing is due until the renewal."
        return "The amount for the rest of this period goes on your next invoice."
    if increase.due_now is not None and increase.currency:
        due = money(increase.due_now, increase.currency)
        return f"{due} is due now for the rest of this period. {WHAT_IS_DUE}"
    more = increase.after - increase.before
    about = estimate_due_now(subscription, more, now) if subscription is not None else None
    if not about or not increase.currency:
        return "The amount for the rest of this period is due now."
    return (
        f"About {money(about, increase.currency)} "
        "before discounts and tax is due now for the rest of this period."
    )


def _waiting(increase: SeatIncrease | None) -> str:
    if increase is None:
        return ""
    if increase.is_waiting:
        more = increase.after - increase.before
        verb = "is" if more == 1 else "are"
        return (
            f"**{counted(more, 'more seat')} {verb} waiting for an admin's approval.** Until then, you pay "
            "nothing more, and everyone keeps their access."
        )
    by = person(increase.approved_by or "")
    return f"{by} approved up to {counted(increase.after, 'seat')}. I'll add them tonight."


def _paid(billing: Billing) -> str:
    seats = billing.plan.seats
    if not billing.plan.terms.is_paid or billing.plan.subscription is None:
        return "."
    return (
        f", {counted(seats, 'paid seat')}."
        if seats is not None
        else ". The plan covers any number of people."
    )


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
        return f"{cost}. You add seats on GitHub Marketplace."
    if subscription.status not in {"active", "trialing"}:
        return f"{cost}. No seats are added while a payment is due."
    about, proration = estimate_due_now(subscription, 1, now), choose_proration(subscription, now)
    if subscription.status == "trialing":
        cost += "; nothing is due during the trial"
    elif proration is Proration.ALWAYS_INVOICE and about is not None:
        cost += f"; you pay about {money(about, price.currency)} now for the rest of this period"
    elif proration is Proration.CREATE_PRORATIONS:
        cost += "; the amount for the rest of this month goes on your next invoice"
    elif proration is Proration.NONE:
        cost += "; nothing is due until the renewal"
    return f"{cost}. {_how_it_follows(subscription)}"


def _how_it_follows(subscription: Subscription) -> str:
    if not subscription.is_yearly:
        return (
            "The number of seats follows the number of people once a day. A large increase needs an admin's "
            "approval."
        )
    ends = subscription.period_end
    when = f" on {full_day(ends.date())}" if ends is not None else ""
    return (
        "As people join, I add seats once a day. A large increase needs an admin's approval. When people "
        f"leave, others can take their seats until the renewal{when}, when I count the people again."
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
