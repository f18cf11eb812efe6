"""Notices for an account's owner about pending costs and deletions, decided from values alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from marketplace.accounts import Billing
from marketplace.entitlements import Reason
from marketplace.plans import PLANS, PlanName
from marketplace.purchase_ways import is_ending
from storage.subscriptions import STRIPE, Subscription

# How long before the end of a trial, when the card is charged, the owner gets a notice.
TRIAL_NOTICE = timedelta(days=3)
# How long the notice stays that a subscription was ended for want of payment.
_ENDED_NOTICE = timedelta(days=30)
_UNPAID = frozenset({"past_due", "unpaid"})
_GIVING = frozenset({"active", "trialing"})


class NoticeKind(StrEnum):
    """The kind of a notice; the values are texts for operators."""

    DELETION = "a deletion of data"
    PAYMENT_FAILED = "a failed payment"
    SEATS = "seats awaiting approval"
    TRIAL_ENDS = "a trial about to end"
    PAID_TWICE = "two paid plans at once"


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice for an owner. Another `key` makes it a new notice that is posted again."""

    kind: NoticeKind
    key: str


def collect_notices(billing: Billing) -> tuple[Notice, ...]:
    """The notices at the moment of `billing`, the most urgent first.

    A deletion is due even where nothing is sold any more, because a cancellation stays valid.
    """
    return tuple(Notice(kind, f"{kind.name.lower()}:{occasion}") for kind, occasion in _notices(billing))


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
    plan = billing.plan
    if plan.grace_ends is not None:
        yield NoticeKind.PAYMENT_FAILED, f"{plan.grace_ends:%Y-%m-%d}"
    elif is_lost_to_failed_payment(billing) and any(
        _is_recently_unpaid(subscription, billing) for subscription in billing.subscriptions
    ):
        yield NoticeKind.PAYMENT_FAILED, "over"
    increase = billing.seat_increase
    if increase is not None and increase.is_waiting:
        yield NoticeKind.SEATS, f"{increase.asked_at:%Y-%m-%d}"
    if (trial := ending_trial(billing)) is not None and trial.trial_ends is not None:
        yield NoticeKind.TRIAL_ENDS, f"{trial.trial_ends:%Y-%m-%d}"
    if plan.is_paid_twice:
        references = (
            subscription.reference for subscription in billing.subscriptions if not subscription.has_ended
        )
        yield NoticeKind.PAID_TWICE, "+".join(sorted(references))


def find_second_payment(billing: Billing) -> Subscription | None:
    """The subscription that keeps the account's plan although the payment of another one is due."""
    other = billing.plan.fallback
    return other if other is not None and has_seats_for(other, len(billing.people)) else None


def has_seats_for(subscription: Subscription, people: int) -> bool:
    """Whether a subscription covers a number of people. The seats of card subscriptions follow the people."""
    seats = subscription.quantity
    return subscription.source == STRIPE or seats is None or people <= seats


def is_card_subscription_continuing(billing: Billing) -> bool:
    """Whether a card subscription goes on, so that a cancellation on the Marketplace deletes nothing."""
    plan = billing.plan
    return any(
        subscription.source == STRIPE
        and PLANS[PlanName(subscription.plan)].is_paid
        and not is_ending(subscription)
        and (
            subscription.status in _GIVING
            or (subscription is plan.subscription and plan.grace_ends is not None)
        )
        for subscription in billing.subscriptions
    )


def is_lost_to_failed_payment(billing: Billing) -> bool:
    """Whether a paid plan was lost to a failed payment."""
    return not billing.plan.terms.is_paid and billing.plan.reason is Reason.PAYMENT_FAILED


def _is_recently_unpaid(subscription: Subscription, billing: Billing) -> bool:
    """Whether a subscription's payment is due, or it was ended for want of payment within 30 days."""
    ended, now = subscription.ended_at, billing.as_of
    if subscription.has_ended and subscription.past_due_since is not None:
        return ended is not None and now is not None and now < ended + _ENDED_NOTICE
    return subscription.status in _UNPAID
