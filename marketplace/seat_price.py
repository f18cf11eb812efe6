"""The price of a seat for a subscriber, and its share for the rest of a period."""

from dataclasses import dataclass
from datetime import datetime

from marketplace.plans import PLANS, PlanName
from storage.subscriptions import Subscription

LIST_CURRENCY = "usd"


@dataclass(frozen=True, slots=True)
class SeatPrice:
    """The price of a seat per month or year, before discounts and tax, in the smallest unit of `currency`.

    `is_list_price`: the subscriber's own price is unknown, so this is the price for new buyers.
    """

    unit_amount: int
    currency: str
    is_yearly: bool
    is_list_price: bool = False


def resolve_seat_price(subscription: Subscription) -> SeatPrice | None:
    """Return the subscriber's own price of a seat, else the list price.

    None where a seat costs nothing, or is paid in a currency in which there is no list price.
    """
    if subscription.unit_amount is not None and subscription.currency:
        return SeatPrice(subscription.unit_amount, subscription.currency, subscription.is_yearly)
    plan = PLANS[PlanName(subscription.plan)]
    if not plan.is_paid or subscription.currency not in {None, LIST_CURRENCY}:
        return None
    amount = plan.yearly_cents if subscription.is_yearly else plan.monthly_cents
    return SeatPrice(amount, LIST_CURRENCY, subscription.is_yearly, is_list_price=True)


def prorate(unit_amount: int, period_start: datetime, period_end: datetime, now: datetime) -> int:
    """The share of `unit_amount`, the price of a whole period, for `now` to its end.

    It is prorated by seconds, and rounded half up.
    """
    seconds = int((period_end - period_start).total_seconds())
    if seconds <= 0:
        return 0
    left = min(max(int((period_end - now).total_seconds()), 0), seconds)
    return (2 * unit_amount * left + seconds) // (2 * seconds)
