"""What an account's owner has to hear: what is about to cost them money or data. A decision from values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from marketplace.accounts import Billing
from marketplace.entitlements import Reason
from marketplace.plans import PLANS, PlanName
from marketplace.purchase_ways import is_ending
from storage.subscriptions import STRIPE, Subscription

# A card is charged the moment a trial ends; so long before there is time to decide.
TRIAL_NOTICE = timedelta(days=3)
# For so long it is told that a subscription was ended for want of payment; then everybody has noticed.
_ENDED_NOTICE = timedelta(days=30)
_UNPAID = frozenset({"past_due", "unpaid"})
_GIVING = frozenset({"active", "trialing"})


class NoticeKind(StrEnum):
    """What a notice is about, in words for operators."""

    DELETION = "data that will be deleted"
    PAYMENT_FAILED = "a failed payment"
    SEATS = "seats that wait for approval"
    TRIAL_ENDS = "a trial that ends"
    PAID_TWICE = "two plans that are paid for"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that an owner has to hear. `key` is another one when it has to be heard anew."""

    kind: NoticeKind
    key: str


def notices_of(billing: Billing) -> tuple[Notice, ...]:
    """All that holds at the moment of `billing`, the most pressing first.

    Deletion is due even where nothing is sold any more: what was cancelled stays cancelled.
    """
    return tuple(Notice(kind, f"{kind.name.lower()}:{what}") for kind, what in _notices(billing))


def ending_trial(billing: Billing) -> Subscription | None:
    """The subscription whose trial is about to end in a charge."""
    subscription, now = billing.plan.subscription, billing.as_of
    if subscription is None or now is None or subscription.status != "trialing":
        return None
    ends = subscription.trial_ends
    is_near = ends is not None and ends - TRIAL_NOTICE <= now < ends
    return subscription if is_near and billing.plan.terms.is_paid and not subscription.pending else None


def _notices(billing: Billing) -> Iterator[tuple[NoticeKind, str]]:
    if billing.deadline is not None:
        yield NoticeKind.DELETION, f"{billing.deadline.due_at:%Y-%m-%d}"
    if not billing.is_sold:
        return
    standing = billing.plan
    if standing.grace_ends is not None:
        yield NoticeKind.PAYMENT_FAILED, f"{standing.grace_ends:%Y-%m-%d}"
    elif is_lost_to_failed_payment(billing) and any(_is_fresh(one, billing) for one in billing.subscriptions):
        yield NoticeKind.PAYMENT_FAILED, "over"
    increase = billing.seat_increase
    if increase is not None and increase.is_waiting:
        yield NoticeKind.SEATS, f"{increase.asked_at:%Y-%m-%d}"
    if (trial := ending_trial(billing)) is not None and trial.trial_ends is not None:
        yield NoticeKind.TRIAL_ENDS, f"{trial.trial_ends:%Y-%m-%d}"
    if standing.is_paid_twice:
        references = (one.reference for one in billing.subscriptions if not one.has_ended)
        yield NoticeKind.PAID_TWICE, "+".join(sorted(references))


def also_paid_by(billing: Billing) -> Subscription | None:
    """The subscription by which all that the account has stays, although another one's payment is due."""
    other = billing.plan.fallback
    return other if other is not None and has_seats_for(other, len(billing.people)) else None


def has_seats_for(subscription: Subscription, people: int) -> bool:
    """Whether so many people may use it. Those that are paid by card follow the people."""
    seats = subscription.quantity
    return subscription.source == STRIPE or seats is None or people <= seats


def is_card_subscription_continuing(billing: Billing) -> bool:
    """Whether a subscription by card goes on, so that a cancellation on the Marketplace deletes nothing."""
    standing = billing.plan
    return any(
        one.source == STRIPE
        and PLANS[PlanName(one.plan)].is_paid
        and not is_ending(one)
        and (one.status in _GIVING or (one is standing.subscription and standing.grace_ends is not None))
        for one in billing.subscriptions
    )


def is_lost_to_failed_payment(billing: Billing) -> bool:
    """Whether a paid plan was lost to a failed payment."""
    return not billing.plan.terms.is_paid and billing.plan.reason is Reason.PAYMENT_FAILED


def _is_fresh(subscription: Subscription, billing: Billing) -> bool:
    """Whether a subscription waits for its payment, or was ended for want of it not long ago."""
    ended, now = subscription.ended_at, billing.as_of
    if subscription.has_ended and subscription.past_due_since is not None:
        return ended is not None and now is not None and now < ended + _ENDED_NOTICE
    return subscription.status in _UNPAID
