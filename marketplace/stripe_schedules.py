"""Announced changes of a subscription: its end, or the next phase of its schedule.

Stripe's customer portal creates a schedule where a downgrade waits for the period's end.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marketplace.stripe_objects import list_objects, object_at, parse_unix_time
from marketplace.stripe_plans import PlanCatalog, SubscriptionItem, choose_plan_item, parse_item
from storage.subscriptions import PendingChange

_SCHEDULED = frozenset({"active", "not_started"})


def parse_pending_change(
    subscription: Mapping[str, Any],
    item: SubscriptionItem,
    period_end: datetime | None,
    catalog: PlanCatalog,
    now: datetime,
) -> PendingChange | None:
    """Return the next announced change. A phase with an unknown price is left out.

    `item` is the subscription's plan as it is now, `period_end` the end of its period.
    """
    cancels_at = parse_unix_time(subscription.get("cancel_at"))
    if cancels_at is None and subscription.get("cancel_at_period_end") is True:
        cancels_at = period_end
    end = PendingChange(None, None, cancels_at) if cancels_at else None
    change = _next_phase(subscription.get("schedule"), item, catalog, now)
    if end is None or change is None:
        return end or change
    is_sooner = end.effective_at is not None and change.effective_at is not None
    return change if is_sooner and change.effective_at < end.effective_at else end  # type: ignore[operator]


def _next_phase(
    schedule: object, item: SubscriptionItem, catalog: PlanCatalog, now: datetime
) -> PendingChange | None:
    """The first future phase that changes the plan, the seats or the interval; or the schedule's end."""
    if not isinstance(schedule, Mapping) or schedule.get("status") not in _SCHEDULED:
        return None
    phases = list_objects(schedule.get("phases"))
    for phase in sorted(phases, key=lambda phase: parse_unix_time(phase.get("start_date")) or now):
        begins_at = parse_unix_time(phase.get("start_date"))
        if begins_at is not None and begins_at > now and (change := _change(phase, item, catalog, begins_at)):
            return change
    ends = [moment for phase in phases if (moment := parse_unix_time(phase.get("end_date"))) is not None]
    is_cancelled = object_at(schedule, "end_behavior") == "cancel" and ends and max(ends) > now
    return PendingChange(None, None, max(ends)) if is_cancelled else None


def _change(
    phase: Mapping[str, Any], item: SubscriptionItem, catalog: PlanCatalog, begins_at: datetime
) -> PendingChange | None:
    items = [
        parsed for entry in list_objects(phase.get("items")) if (parsed := parse_item(entry)) is not None
    ]
    next_item = choose_plan_item(items, catalog, item.price.id)
    if next_item is None:
        return None
    present_plan, next_plan = catalog.plan_of(item.price), catalog.plan_of(next_item.price)
    if next_plan is None:  # Either the price is unchanged, or the new price belongs to no known plan.
        return None
    is_yearly = catalog.is_yearly(next_item.price)
    quantity = next_item.quantity if next_item.quantity is not None else item.quantity
    is_same_interval = is_yearly is None or is_yearly == catalog.is_yearly(item.price)
    if next_plan == present_plan and quantity == item.quantity and is_same_interval:
        return None
    return PendingChange(next_plan.value, quantity, begins_at, None if is_same_interval else is_yearly)
