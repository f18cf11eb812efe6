"""By which ways an account may pay, so that nobody pays twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from marketplace.plans import PLANS, PlanName
from storage.subscriptions import MARKETPLACE, STRIPE, Subscription

# While Stripe may still collect money for it. An incomplete subscription has not collected anything yet, and
# expires by itself after a day.
_COLLECTING = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})


@dataclass(frozen=True, slots=True)
class PurchaseWays:
    """Where an account may buy a plan, or change the plan that it has.

    `marketplace`: on GitHub Marketplace. `checkout`: by card, with a new subscription. `portal`: in Stripe's
    billing portal, because it has a subscription there. `blocking` is the subscription because of which no
    checkout is opened; None where one is.
    """

    marketplace: bool = True
    checkout: bool = True
    portal: bool = False
    blocking: Subscription | None = None


def purchase_ways(subscriptions: Iterable[Subscription]) -> PurchaseWays:
    """Decide from an account's subscriptions by which ways it may pay.

    Whoever has a card subscription that has not ended changes it in the portal: one that is about to end is
    renewed there, and one that is unpaid or paused is mended there. Whoever pays on the Marketplace changes
    the plan there, and may buy by card once they have cancelled there or chosen the free plan. Whoever pays
    in both places may still go to both.
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
    """Whether GitHub charges for it. It charges for a trial that is over before its event has reached us."""
    is_live = subscription.source == MARKETPLACE and subscription.status in _COLLECTING
    return is_live and PLANS[PlanName(subscription.plan)].is_paid


def is_ending(subscription: Subscription) -> bool:
    """Whether it will not be charged for any more after this period, because it was cancelled or exchanged
    for the free plan. Another pending change, to fewer seats or to a cheaper plan, goes on being charged for.
    """
    pending = subscription.pending
    return pending is not None and (pending.plan is None or not PLANS[PlanName(pending.plan)].is_paid)


def ending_on_marketplace(subscriptions: Iterable[Subscription]) -> Subscription | None:
    """The purchase on the Marketplace that GitHub has charged for, and will not charge for again."""
    paid = filter(_is_paid_on_marketplace, subscriptions)
    return next((one for one in paid if is_ending(one) and one.status != "trialing"), None)


def paid_until(subscription: Subscription) -> datetime | None:
    """Until when a subscription that is ending is paid for. None where its source does not say."""
    pending = subscription.pending
    return (pending.effective_at if pending else None) or subscription.period_end
