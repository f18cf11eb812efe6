"""The choice of an account's Stripe customer, whose portal is opened and whose usage is counted."""

from collections.abc import Sequence

from storage.subscriptions import STRIPE, Subscription

# The lowest rank is preferred: present customers before former ones.
_RANK = {"active": 0, "trialing": 0, "past_due": 1, "unpaid": 1, "paused": 2, "incomplete": 3, "ended": 4}


def choose_subscription(subscriptions: Sequence[Subscription]) -> Subscription | None:
    """Return the Stripe subscription that currently charges an account, and that its owner changes.

    Active subscriptions and trials come first, then those with a due payment, then paused ones, then the one
    that ended last; among equal ones the newest, which comes last in `subscriptions`. Subscriptions of a
    deleted customer, and subscriptions missing at Stripe, have no customer to use.
    """
    usable = [
        (position, subscription)
        for position, subscription in enumerate(subscriptions)
        if subscription.source == STRIPE
        and subscription.customer
        and not subscription.is_customer_deleted
        and subscription.missing_since is None
    ]
    return max(usable, key=_preference, default=(0, None))[1]


def choose_customer(subscriptions: Sequence[Subscription]) -> str | None:
    """Return Stripe's id of the customer of `choose_subscription`; None where there is none."""
    subscription = choose_subscription(subscriptions)
    return subscription.customer if subscription else None


def _preference(candidate: tuple[int, Subscription]) -> tuple[int, float, int]:
    position, subscription = candidate
    ended_at = subscription.ended_at.timestamp() if subscription.has_ended and subscription.ended_at else 0.0
    return -_RANK.get(subscription.status, len(_RANK)), ended_at, position
