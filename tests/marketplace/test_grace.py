"""The grace period, whatever Stripe does with a due payment: it never ends early or lasts longer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.entitlements import LONGEST_COURTESY, Reason, resolve_account_plan
from marketplace.plans import PlanName
from marketplace.stripe_plans import PlanCatalog
from marketplace.stripe_subscriptions import parse_subscription, read_subscription
from marketplace.subscription_ledger import resolve_previous_plan
from storage.subscriptions import Subscription

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PRICES = PlanCatalog({"price_pro": (PlanName.PRO, False)})
GAVE_UP: list[dict[str, Any]] = [
    {"status": "past_due"},
    {"status": "unpaid"},
    {"status": "canceled", "cancellation_details": {"reason": "payment_failed"}},
    {"status": "paused", "status_details": {"paused": {"subscription": {"type": "first_payment_failure"}}}},
]
_HOURS = st.integers(0, 30 * 24)


def answer(due: datetime, **more: Any) -> dict[str, Any]:
    """Stripe's answer, with a payment that was due at a moment."""
    latest = {"id": "in_1", "status": "open", "created": int(due.timestamp()), "amount_remaining": 600}
    items = {"data": [{"id": "si_1", "price": {"id": "price_pro"}, "quantity": 1}]}
    return {"id": "sub_1", "customer": "cus_1", "items": items, "latest_invoice": latest} | more


def read(shown: dict[str, Any], at: datetime, before: Subscription | None, grace: timedelta) -> Subscription:
    subscription = read_subscription(parse_subscription(shown), PRICES, at, before).subscription
    return replace(subscription, previous_plan=resolve_previous_plan(before, subscription, at, grace))


@given(
    steps=st.lists(st.tuples(_HOURS, st.sampled_from(GAVE_UP)), min_size=1, max_size=5),
    asked=_HOURS,
    grace_days=st.sampled_from([0, 3, 14, 90]),
    had_paid=st.booleans(),
)
def test_access_ends_with_grace_and_neither_before_nor_after(
    steps: list[tuple[int, dict[str, Any]]], asked: int, grace_days: int, had_paid: bool
) -> None:
    grace, kept = grace_days * DAY, None
    if had_paid:
        kept = read(answer(NOW, status="active"), NOW - 30 * DAY, None, grace)
    for hours, gave_up in sorted(steps, key=lambda step: step[0]):
        kept = read(answer(NOW, **gave_up), NOW + timedelta(hours=hours), kept, grace)
    assert kept is not None
    at = NOW + timedelta(hours=asked)
    standing = resolve_account_plan([kept], at, grace)
    is_in_grace = at < NOW + grace
    assert standing.name == ("pro" if is_in_grace else "free")
    assert standing.grace_ends == (NOW + grace if is_in_grace else None)
    if not is_in_grace:
        assert standing.reason is Reason.PAYMENT_FAILED
        # In a running sprint it lasts from the end of grace, and from no other moment.
        assert {had.until for had in standing.previous_plans} == {NOW + grace}


@given(first=st.sampled_from(GAVE_UP), hours=_HOURS, asked=_HOURS)
def test_who_cancels_when_grace_is_over_gets_nothing_back(
    first: dict[str, Any], hours: int, asked: int
) -> None:
    grace, later = 14 * DAY, NOW + timedelta(hours=hours)
    kept = read(answer(NOW, **first), NOW, None, grace)
    ended = answer(NOW, status="canceled", cancellation_details={"reason": "cancellation_requested"})
    kept = read(ended | {"ended_at": int(later.timestamp())}, later, kept, grace)
    standing = resolve_account_plan([kept], max(later, NOW + timedelta(hours=asked)), grace)
    assert standing.name == "free"
    assert [had.until for had in standing.previous_plans] == [min(later, NOW + grace)]
    assert grace < LONGEST_COURTESY


@pytest.mark.parametrize("days", [0, 13, 15, 200])
@pytest.mark.parametrize(
    "over",
    [
        lambda at: {
            "status": "canceled",
            "cancellation_details": {"reason": "payment_failed"},
            "ended_at": at,
        },
        lambda at: {
            "status": "paused",
            "status_details": {
                "paused": {"subscription": {"type": "final_payment_failure"}, "transitioned_at": at}
            },
        },
    ],
)
def test_grace_runs_from_a_missed_end(over: Callable[[int], dict[str, Any]], days: int) -> None:
    """Its invoice was voided, and our books hold nothing of it: no moment but its end tells."""
    ended_at = NOW - days * DAY
    voided = {"id": "in_1", "status": "void", "amount_remaining": 600}
    ended = answer(NOW, latest_invoice=voided, **over(int(ended_at.timestamp())))
    kept = read(ended, NOW, None, 14 * DAY)
    assert kept.past_due_since == ended_at
    assert (resolve_account_plan([kept], NOW, 14 * DAY).name == "pro") is (days < 14)


@given(gave_up=st.sampled_from(GAVE_UP), hours=_HOURS)
def test_who_pays_has_everything_at_once(gave_up: dict[str, Any], hours: int) -> None:
    grace, later = 14 * DAY, NOW + timedelta(hours=hours)
    kept = read(answer(NOW, **gave_up), NOW, None, grace)
    kept = read(answer(NOW, status="active"), later, kept, grace)
    standing = resolve_account_plan([kept], later, grace)
    assert (standing.name, standing.grace_ends, standing.previous_plans) == ("pro", None, ())


def test_what_runs_counts_before_what_has_ended_and_is_not_paid_twice() -> None:
    ended = read(answer(NOW - DAY, **GAVE_UP[2]), NOW, None, 14 * DAY)
    runs = replace(read(answer(NOW, status="active"), NOW, None, 14 * DAY), reference="sub_0")
    for both in ([ended, runs], [runs, ended]):
        standing = resolve_account_plan(both, NOW, 14 * DAY)
        assert standing.subscription == runs
        assert not standing.is_paid_twice
