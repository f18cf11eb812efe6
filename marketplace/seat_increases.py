"""The number of seats of a Stripe subscription, and which increases need an admin's approval.

Decided from values alone, without I/O or a clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.seat_price import prorate
from storage.seat_increases import SeatIncrease
from storage.subscriptions import Subscription

__all__ = [
    "Proration",
    "SeatDecision",
    "SeatIncrease",
    "choose_proration",
    "decide_seats",
    "estimate_due_now",
    "needs_approval",
]

# A daily increase beyond both needs an admin's approval.
_APPROVAL_FREE_SEATS = 3
_APPROVAL_FREE_PERCENT = 20
# A yearly plan's quantity goes down, without proration, in the last nightly runs before its renewal. The
# window contains two of them at any hour of the renewal, even if one is a little late. So a run that fails
# does not cost a year at too many seats.
RENEWAL_WINDOW = timedelta(hours=50)
_REPORTING = frozenset({"active", "trialing"})


class Proration(StrEnum):
    """Stripe's `proration_behavior` for a change of quantity."""

    CREATE_PRORATIONS = "create_prorations"
    ALWAYS_INVOICE = "always_invoice"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SeatDecision:
    """The next action on a subscription's seats.

    A `quantity` is reported to Stripe and prorated by `proration`. `asked` is the number of seats that an
    admin has to approve. With neither, the quantity stays. With `is_approval_over`, an open increase has to
    be closed.
    """

    quantity: int | None = None
    proration: Proration = Proration.NONE
    asked: int | None = None
    is_approval_over: bool = False


def needs_approval(paid: int, needed: int) -> bool:
    """Whether an increase from `paid` to `needed` seats is so large that an admin must approve it."""
    added = needed - paid
    return added > _APPROVAL_FREE_SEATS and added * 100 > paid * _APPROVAL_FREE_PERCENT


def decide_seats(
    subscription: Subscription, needed: int, increase: SeatIncrease | None, now: datetime
) -> SeatDecision:
    """Decide on the seats of a Stripe subscription that was just read from Stripe.

    `needed` is the number of people who need a seat. `increase` is the open one, if any: it counts only for
    this subscription and its present price, and an approval holds for no more seats than were approved.
    """
    paid, needed = subscription.quantity, max(1, needed)
    if paid is None or subscription.status not in _REPORTING:
        return SeatDecision(is_approval_over=increase is not None)
    is_for_subscription = increase is not None and _is_for(increase, subscription)
    approved = increase.after if increase and is_for_subscription and not increase.is_waiting else 0
    if not needs_approval(paid, needed):
        quantity = needed
    elif approved > paid:
        quantity = min(needed, approved)
    else:
        is_asked = (
            increase is not None and is_for_subscription and increase.is_waiting and increase.after == needed
        )
        return SeatDecision(asked=needed, is_approval_over=increase is not None and not is_asked)
    proration = _proration(subscription, now, is_increase=quantity > paid)
    was_changed_today = subscription.quantity_set_on == now.date()
    if quantity == paid or proration is None or was_changed_today:
        # An approved increase waits for the next day; an obsolete increase is closed immediately.
        is_over = increase is not None and not (was_changed_today and quantity > paid and approved)
        return SeatDecision(is_approval_over=is_over)
    return SeatDecision(quantity, proration, is_approval_over=increase is not None)


def _is_for(increase: SeatIncrease, subscription: Subscription) -> bool:
    return (
        increase.reference == subscription.reference
        and increase.is_yearly == subscription.is_yearly
        and (increase.unit_amount, increase.currency) == (subscription.unit_amount, subscription.currency)
    )


def _proration(subscription: Subscription, now: datetime, *, is_increase: bool) -> Proration | None:
    """Return how to prorate a change of quantity. None if the quantity is to stay as it is.

    Stripe neither refunds negative prorations nor bills positive ones before the next invoice, which after a
    cancellation comes when the customer has left.
    """
    if subscription.status == "trialing":
        return Proration.NONE
    if _is_in_last_period(subscription):
        return Proration.ALWAYS_INVOICE if is_increase else None
    if not subscription.is_yearly:
        return Proration.CREATE_PRORATIONS
    ends = subscription.period_end
    if ends is not None and now >= ends - RENEWAL_WINDOW:
        return Proration.NONE
    return Proration.ALWAYS_INVOICE if is_increase else None


def _is_in_last_period(subscription: Subscription) -> bool:
    """Whether the subscription is cancelled and ends with the period that runs."""
    pending, ends = subscription.pending, subscription.period_end
    if pending is None or pending.plan is not None:
        return False
    return pending.effective_at is None or ends is None or pending.effective_at <= ends


def choose_proration(subscription: Subscription, now: datetime) -> Proration | None:
    """Return how seats that are added now would be prorated. None if the quantity is to stay."""
    return _proration(subscription, now, is_increase=True)


def estimate_due_now(subscription: Subscription, added: int, now: datetime) -> int | None:
    """Estimate the immediate cost of `added` seats, before tax, in the currency's smallest unit.

    0 where they are charged with the next invoice. None where the price is not known.
    """
    if choose_proration(subscription, now) is not Proration.ALWAYS_INVOICE:
        return 0
    begins, ends = subscription.period_start, subscription.period_end
    if subscription.unit_amount is None or begins is None or ends is None or ends <= begins:
        return None
    return prorate(subscription.unit_amount * added, begins, ends, now)
