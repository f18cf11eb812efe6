"""GitHub Marketplace: what its answers and events mean. An event is a hint; GitHub's answer is what holds."""

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
    """What GitHub told cannot be used; the text says why."""


class _Plan(msgspec.Struct):
    id: int
    name: str = ""
    price_model: str = ""

    def seats(self, units: int | None) -> int | None:
        """How many were bought. None for a plan that is not sold by the unit."""
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
    """An account of the listing, as `GET /marketplace_listing/accounts/{id}` tells it."""

    id: int
    login: str
    marketplace_purchase: _Purchase
    type: str = "Organization"
    marketplace_pending_change: _Pending | None = None


# What a column takes.
Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Buyer(msgspec.Struct):
    """The account that an event names."""

    id: Id


class _Named(msgspec.Struct):
    account: Buyer


class PurchaseEvent(msgspec.Struct):
    """An event of the Marketplace, as far as it is read."""

    action: str
    marketplace_purchase: _Named
    effective_date: object = None

    @property
    def effective_at(self) -> datetime | None:
        """When it takes effect. None where that is no time: GitHub is asked about the account anyway."""
        try:
            return msgspec.convert(self.effective_date, datetime)
        except msgspec.ValidationError:
            return None

    @property
    def account(self) -> Buyer:
        return self.marketplace_purchase.account


def parse_marketplace_account(told: Mapping[str, Any]) -> MarketplaceAccount:
    """GitHub's answer. Raises PurchaseError."""
    try:
        return msgspec.convert(told, MarketplaceAccount)
    except msgspec.ValidationError as problem:
        raise PurchaseError(f"GitHub told of a purchase that cannot be read: {problem}") from None


@dataclass(frozen=True, slots=True)
class PurchaseReading:
    """What is to be kept of a purchase. `problem` says what was not understood, for operators."""

    subscription: Subscription
    problem: str | None = None


def read_purchase(
    account: MarketplaceAccount,
    plan_of: PlanOf,
    read_at: datetime,
    subscription: Subscription | None,
) -> PurchaseReading:
    """What an account has bought. `subscription` is what our books hold of it.

    A plan that MARKETPLACE_PLAN_IDS does not name any more stays what it was, with its seats, and all else
    applies: trial, cycle and dates. So does what holds now where the announced plan is not named. Raises
    PurchaseError for a plan that nothing tells.
    """
    bought, pending = (
        account.marketplace_purchase,
        account.marketplace_pending_change,
    )
    plan, problems = _plan_of(bought.plan, plan_of), list[str]()
    if plan is None:
        if subscription is None or subscription.has_ended:
            raise PurchaseError(_not_named(bought.plan))
        plan = PlanName(subscription.plan)
        problems.append(_not_named(bought.plan))
    announced = None
    if pending is not None and pending.plan is None:
        announced = PendingChange(None, None, pending.effective_date)
    elif pending is not None and pending.plan is not None:
        coming = _plan_of(pending.plan, plan_of)
        if coming is None:
            problems.append(_not_named(pending.plan))
        else:
            announced = PendingChange(coming, pending.plan.seats(pending.unit_count), pending.effective_date)
    read = _subscription(bought, plan, announced, read_at)
    if subscription is not None and _plan_of(bought.plan, plan_of) is None:
        read = replace(read, quantity=subscription.quantity)
    return PurchaseReading(read, "; ".join(problems) or None)


def _subscription(
    bought: _Purchase, plan: PlanName, announced: PendingChange | None, read_at: datetime
) -> Subscription:
    is_trial = bought.on_free_trial
    return Subscription(
        MARKETPLACE,
        "trialing" if is_trial else "active",
        plan.value,
        read_at,
        quantity=bought.plan.seats(bought.unit_count),
        is_yearly=bought.billing_cycle == "yearly",
        plan_id=bought.plan.id,
        period_end=bought.next_billing_date,
        trial_ends=bought.free_trial_ends_on if is_trial else None,
        pending=announced,
    )


def _plan_of(plan: _Plan, plan_of: PlanOf) -> PlanName | None:
    """Our plan for one of the listing. One that GitHub gives away is the free one, whatever its name."""
    named = plan_of(plan.id)
    return PlanName.FREE if named is None and plan.price_model.upper() == "FREE" else named


def _not_named(plan: _Plan) -> str:
    return f"MARKETPLACE_PLAN_IDS does not name the plan {plan.id} (“{plan.name[:100]}”)"


@dataclass(frozen=True, slots=True)
class PurchaseOutcome:
    """What is to be kept: the subscription as it is now, and from when on its data is to be deleted, if so.

    `cancelled_at` is the day that GitHub named (`is_told`), or else the moment at which we found it gone.
    With `try_again` nothing is kept yet: GitHub's answer may lag behind its event.
    """

    subscription: Subscription | None = None
    cancelled_at: datetime | None = None
    is_announced: bool = False
    try_again: bool = False


def decide_outcome(
    known: Subscription | None,
    read: Subscription | None,
    action: str,
    effective_at: datetime | None,
    now: datetime,
    *,
    is_last_try: bool,
) -> PurchaseOutcome:
    """From what was known, and what GitHub answers now (None: 404), to what is to be kept.

    `action` is the event's, or "reconciled" without one.
    """
    if read is not None:
        return PurchaseOutcome(read)
    if action == "cancelled":
        at = effective_at or now
        return PurchaseOutcome(_ended(known, at, now), at, is_announced=True)
    if not is_last_try:
        return PurchaseOutcome(try_again=True)
    if known is None or known.has_ended:
        return PurchaseOutcome()
    return PurchaseOutcome(_ended(known, now, now), now)


def _ended(known: Subscription | None, at: datetime, now: datetime) -> Subscription:
    """Also of what was bought and given up before we heard of it: which plan that was is told nowhere."""
    if known is None:
        return Subscription(MARKETPLACE, "ended", PlanName.FREE.value, now, ended_at=at)
    # Where we found it gone later than the day that GitHub names now, that day is the right one.
    ended_at = min(known.ended_at or at, at) if known.has_ended else at
    return replace(known, status="ended", ended_at=ended_at, pending=None, period_end=None, read_at=now)
