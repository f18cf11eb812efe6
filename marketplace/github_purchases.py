"""GitHub Marketplace: parsing of its answers and events.

An event is only a hint to ask GitHub, whose answer holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.plans import PlanName
from storage.subscriptions import MARKETPLACE, PendingChange, Subscription

ACTIONS = frozenset({"purchased", "changed", "pending_change", "pending_change_cancelled", "cancelled"})

PlanOf = Callable[[int], PlanName | None]


class PurchaseError(Exception):
    """An answer of GitHub or Stripe about a purchase cannot be used; the text gives the reason."""


class _Plan(msgspec.Struct):
    id: int
    name: str = ""
    price_model: str = ""

    def seats(self, units: int | None) -> int | None:
        """The number of seats for a unit count. None for a plan that is not sold by the unit."""
        is_per_unit = self.price_model.replace("-", "_").upper() == "PER_UNIT"
        return units if is_per_unit else None


class _Pending(msgspec.Struct):
    effective_date: datetime | None = None
    unit_count: int | None = None
    plan: _Plan | None = None


class _Purchase(msgspec.Struct):
    plan: _Plan
    billing_cycle: str | None = None
    next_billing_date: datetime | None = None
    unit_count: int | None = None
    on_free_trial: bool = False
    free_trial_ends_on: datetime | None = None


class MarketplaceAccount(msgspec.Struct):
    """An account of the Marketplace listing, from `GET /marketplace_listing/accounts/{id}`."""

    id: int
    login: str
    marketplace_purchase: _Purchase
    type: str = "Organization"
    marketplace_pending_change: _Pending | None = None


# The range of PostgreSQL's bigint.
Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Buyer(msgspec.Struct):
    """The account that an event names."""

    id: Id


class _Named(msgspec.Struct):
    account: Buyer


class PurchaseEvent(msgspec.Struct):
    """The fields of a `marketplace_purchase` event that are used."""

    action: str
    marketplace_purchase: _Named
    effective_date: object = None

    @property
    def effective_at(self) -> datetime | None:
        """The time at which the event takes effect; None where GitHub sends no valid time."""
        try:
            return msgspec.convert(self.effective_date, datetime)
        except msgspec.ValidationError:
            return None

    @property
    def account(self) -> Buyer:
        return self.marketplace_purchase.account


def parse_marketplace_account(answer: Mapping[str, Any]) -> MarketplaceAccount:
    """Parse GitHub's answer about an account. Raises PurchaseError."""
    try:
        return msgspec.convert(answer, MarketplaceAccount)
    except msgspec.ValidationError as problem:
        raise PurchaseError(f"GitHub told of a purchase that cannot be read: {problem}") from None


@dataclass(frozen=True, slots=True)
class PurchaseReading:
    """A purchase to store. `problem` describes, for operators, the parts that were not understood."""

    subscription: Subscription
    problem: str | None = None


def read_purchase(
    answer: MarketplaceAccount,
    plan_of: PlanOf,
    read_at: datetime,
    subscription: Subscription | None,
) -> PurchaseReading:
    """Convert an account's purchase to a subscription. `subscription` is the stored one.

    If MARKETPLACE_PLAN_IDS does not name the plan any more, the stored plan and its seats stay, and all else
    applies: trial, cycle and dates. An announced plan that is not named is left out. Raises PurchaseError for
    a plan that neither names.
    """
    purchase, pending = (
        answer.marketplace_purchase,
        answer.marketplace_pending_change,
    )
    plan, problems = _parse_purchased_plan(purchase.plan, plan_of), list[str]()
    if plan is None:
        if subscription is None or subscription.has_ended:
            raise PurchaseError(_not_named(purchase.plan))
        plan = PlanName(subscription.plan)
        problems.append(_not_named(purchase.plan))
    pending_change = None
    if pending is not None and pending.plan is None:
        pending_change = PendingChange(None, None, pending.effective_date)
    elif pending is not None and pending.plan is not None:
        announced_plan = _parse_purchased_plan(pending.plan, plan_of)
        if announced_plan is None:
            problems.append(_not_named(pending.plan))
        else:
            pending_change = PendingChange(
                announced_plan, pending.plan.seats(pending.unit_count), pending.effective_date
            )
    read = _subscription(purchase, plan, pending_change, read_at)
    if subscription is not None and _parse_purchased_plan(purchase.plan, plan_of) is None:
        read = replace(read, quantity=subscription.quantity)
    return PurchaseReading(read, "; ".join(problems) or None)


def _subscription(
    purchase: _Purchase, plan: PlanName, pending_change: PendingChange | None, read_at: datetime
) -> Subscription:
    is_trial = purchase.on_free_trial
    return Subscription(
        MARKETPLACE,
        "trialing" if is_trial else "active",
        plan.value,
        read_at,
        quantity=purchase.plan.seats(purchase.unit_count),
        is_yearly=purchase.billing_cycle == "yearly",
        plan_id=purchase.plan.id,
        period_end=purchase.next_billing_date,
        trial_ends=purchase.free_trial_ends_on if is_trial else None,
        pending=pending_change,
    )


def _parse_purchased_plan(plan: _Plan, plan_of: PlanOf) -> PlanName | None:
    """The plan for a plan of the listing; None if it is unknown. A free one is FREE, whatever its name."""
    plan_name = plan_of(plan.id)
    return PlanName.FREE if plan_name is None and plan.price_model.upper() == "FREE" else plan_name


def _not_named(plan: _Plan) -> str:
    return f"MARKETPLACE_PLAN_IDS does not name the plan {plan.id} (“{plan.name[:100]}”)"


@dataclass(frozen=True, slots=True)
class PurchaseOutcome:
    """The data to store of a purchase: the subscription as it is now, and its cancellation, if any.

    `cancelled_at` is the day that GitHub announced (`is_announced`), or else the moment at which the purchase
    was first missing. With `try_again` nothing is stored yet, because GitHub's answer may lag behind its
    event.
    """

    subscription: Subscription | None = None
    cancelled_at: datetime | None = None
    is_announced: bool = False
    try_again: bool = False


def decide_outcome(
    stored: Subscription | None,
    read: Subscription | None,
    action: str,
    effective_at: datetime | None,
    now: datetime,
    *,
    is_last_try: bool,
) -> PurchaseOutcome:
    """Compute the data to store from the stored subscription and GitHub's present one (None: 404).

    `action` is that of the event, or "reconciled" without one.
    """
    if read is not None:
        return PurchaseOutcome(read)
    if action == "cancelled":
        at = effective_at or now
        return PurchaseOutcome(_ended(stored, at, now), at, is_announced=True)
    if not is_last_try:
        return PurchaseOutcome(try_again=True)
    if stored is None or stored.has_ended:
        return PurchaseOutcome()
    return PurchaseOutcome(_ended(stored, now, now), now)


def _ended(stored: Subscription | None, at: datetime, now: datetime) -> Subscription:
    """Return the subscription as ended. A subscription that was never stored becomes one of the free plan."""
    if stored is None:
        return Subscription(MARKETPLACE, "ended", PlanName.FREE.value, now, ended_at=at)
    # Where the end was inferred later than the day that GitHub announces now, the announced day is right.
    ended_at = min(stored.ended_at or at, at) if stored.has_ended else at
    return replace(stored, status="ended", ended_at=ended_at, pending=None, period_end=None, read_at=now)
