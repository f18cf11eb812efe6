"""What is announced of a subscription: its end, or the next phase of its schedule.

Stripe's Customer Portal makes a schedule where a downgrade waits for the period's end.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marketplace.stripe_objects import moment_of, object_at, objects_in
from marketplace.stripe_plans import PlanCatalog, SubscriptionItem, parse_item, plan_item
from storage.subscriptions import PendingChange

_AT_WORK = frozenset({"active", "not_started"})


def pending_change(
    subscription: Mapping[str, Any],
    item: SubscriptionItem,
    period_end: datetime | None,
    catalog: PlanCatalog,
    now: datetime,
) -> PendingChange | None:
    """The next change that Stripe tells of. A new price that is not understood is left out.

    `item` is the subscription's plan as it is now, `period_end` the end of its period.
    """
    cancels_at = moment_of(subscription.get("cancel_at"))
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
    """The first phase to come that changes the plan, the seats or the interval; or the schedule's end."""
    if not isinstance(schedule, Mapping) or schedule.get("status") not in _AT_WORK:
        return None
    phases = objects_in(schedule.get("phases"))
    for phase in sorted(phases, key=lambda phase: moment_of(phase.get("start_date")) or now):
        begins_at = moment_of(phase.get("start_date"))
        if begins_at is not None and begins_at > now and (change := _change(phase, item, catalog, begins_at)):
            return change
    ends = [moment for phase in phases if (moment := moment_of(phase.get("end_date"))) is not None]
    is_cancelled = object_at(schedule, "end_behavior") == "cancel" and ends and max(ends) > now
    return PendingChange(None, None, max(ends)) if is_cancelled else None


def _change(
    phase: Mapping[str, Any], item: SubscriptionItem, catalog: PlanCatalog, begins_at: datetime
) -> PendingChange | None:
    items = [parsed for entry in objects_in(phase.get("items")) if (parsed := parse_item(entry)) is not None]
    coming = plan_item(items, catalog, item.price.id)
    if coming is None:
        return None
    now, then = catalog.plan_of(item.price), catalog.plan_of(coming.price)
    if then is None:  # The same price as now is no change of the plan, and any other is not understood.
        return None
    is_yearly = catalog.is_yearly(coming.price)
    quantity = coming.quantity if coming.quantity is not None else item.quantity
    is_same_interval = is_yearly is None or is_yearly == catalog.is_yearly(item.price)
    if then == now and quantity == item.quantity and is_same_interval:
        return None
    return PendingChange(then.value, quantity, begins_at, None if is_same_interval else is_yearly)
