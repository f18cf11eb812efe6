"""Choice among an account's Stripe customers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.customers import choose_customer, choose_subscription
from storage.subscriptions import MARKETPLACE, STRIPE, Subscription

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ORDER = [{"active", "trialing"}, {"past_due", "unpaid"}, {"paused"}, {"incomplete"}, {"ended"}]
STATUSES = [status for group in ORDER for status in sorted(group)]


def subscription(status: str, number: int = 1, source: str = STRIPE) -> Subscription:
    return Subscription(source, status, "pro", NOW, reference=f"sub_{number}", customer=f"cus_{number}")


def rank(status: str) -> int:
    return next(place for place, group in enumerate(ORDER) if status in group)


@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=6))
def test_the_best_status_is_used_and_of_equal_ones_the_newest(statuses: list[str]) -> None:
    subscriptions = [subscription(status, number) for number, status in enumerate(statuses)]
    best = min(rank(status) for status in statuses)
    newest = max(number for number, status in enumerate(statuses) if rank(status) == best)
    assert choose_customer(subscriptions) == f"cus_{newest}"


@given(st.permutations([3, 1, 2]))
def test_of_those_that_ended_the_last_to_end_is_used(days: list[int]) -> None:
    subscriptions = [replace(subscription("ended", day), ended_at=NOW + timedelta(days=day)) for day in days]
    assert choose_customer(subscriptions) == "cus_3"


@pytest.mark.parametrize(
    "unusable",
    [
        replace(subscription("active"), is_customer_deleted=True),
        replace(subscription("active"), missing_since=NOW),
        replace(subscription("active"), customer=None),
        subscription("active", source=MARKETPLACE),
    ],
)
def test_who_cannot_be_used_is_none(unusable: Subscription) -> None:
    assert choose_subscription([unusable]) is None
    assert choose_customer([unusable, subscription("ended", 2), unusable]) == "cus_2"
    assert choose_customer([]) is None
