"""The ways by which an account may pay, chosen to prevent double payments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from marketplace.plans import PLANS, PlanName
from storage.subscriptions import MARKETPLACE, STRIPE, Subscription

# The statuses in which Stripe may still collect money. An incomplete subscription has not collected any yet,
# and expires by itself after a day.
_COLLECTING = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})


@dataclass(frozen=True, slots=True)
class PurchaseWays:
    """The ways by which an account may buy a plan, or change the plan that it has.

    `marketplace`: on GitHub Marketplace. `checkout`: by card, with a new subscription. `portal`: in Stripe's
    billing portal, because it has a subscription there. `blocking` is the subscription that prevents a
    checkout; None where one is possible.
    """

    marketplace: bool = True
    checkout: bool = True
    portal: bool = False
    blocking: Subscription | None = None


def purchase_ways(subscriptions: Iterable[Subscription]) -> PurchaseWays:
    """Decide from an account's subscriptions by which ways it may pay.

    An account with a card subscription that has not ended changes it in the portal, which also renews an
    ending one and settles an unpaid or paused one. An account that pays on the Marketplace changes the plan
    there, and may buy by card after cancelling there or choosing the free plan. An account that pays in both
    places may use both.
    """
    subscriptions = tuple(subscriptions)
    card = next(filter(is_collected_by_card, subscriptions), None)
    on_marketplace = [subscription for subscription in subscriptions if _is_paid_on_marketplace(subscription)]
    renewing = next((subscription for subscription in on_marketplace if not is_ending(subscription)), None)
    return PurchaseWays(
        marketplace=card is None or bool(on_marketplace),
        checkout=card is None and renewing is None,
        portal=card is not None,
        blocking=card or renewing,
    )


def is_collected_by_card(subscription: Subscription) -> bool:
    """Whether Stripe may still collect money for a subscription, so that a second one would be paid twice."""
    is_gone = subscription.missing_since is not None
    return subscription.source == STRIPE and subscription.status in _COLLECTING and not is_gone


def _is_paid_on_marketplace(subscription: Subscription) -> bool:
    """Whether GitHub charges for a purchase; trials count, as they may end before their event arrives."""
    is_live = subscription.source == MARKETPLACE and subscription.status in _COLLECTING
    return is_live and PLANS[PlanName(subscription.plan)].is_paid


def is_ending(subscription: Subscription) -> bool:
    """Whether a subscription will not be charged for after this period.

    True if it was cancelled or exchanged for the free plan, but not with a change to fewer seats or to a
    cheaper plan.
    """
    pending = subscription.pending
    return pending is not None and (pending.plan is None or not PLANS[PlanName(pending.plan)].is_paid)


def ending_on_marketplace(subscriptions: Iterable[Subscription]) -> Subscription | None:
    """The purchase on the Marketplace that is paid and ending; None if there is none."""
    paid = filter(_is_paid_on_marketplace, subscriptions)
    return next(
        (
            subscription
            for subscription in paid
            if is_ending(subscription) and subscription.status != "trialing"
        ),
        None,
    )


def paid_until(subscription: Subscription) -> datetime | None:
    """The moment until which an ending subscription is paid. None where its source does not say."""
    pending = subscription.pending
    return (pending.effective_at if pending else None) or subscription.period_end
