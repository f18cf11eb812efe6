"""The number of seats of a subscription, and the increases that an admin has to approve."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.seat_increases import (
    Proration,
    SeatDecision,
    SeatIncrease,
    decide_seats,
    estimate_due_now,
    needs_approval,
)
from storage.subscriptions import PendingChange, Subscription
from tests.support.stripe.invoices import StandInInvoices

NOW = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)
DAY = timedelta(days=1)
SEATS = st.integers(0, 6_000)


def subscribed(quantity: int | None, **more: Any) -> Subscription:
    usual: dict[str, Any] = {
        "reference": "sub_1",
        "period_start": NOW - 10 * DAY,
        "period_end": NOW + 20 * DAY,
        "unit_amount": 600,
        "currency": "usd",
    }
    status = more.pop("status", "active")
    return Subscription("stripe", status, "pro", NOW, quantity=quantity, **(usual | more))


def yearly(quantity: int, **more: Any) -> Subscription:
    usual = {"is_yearly": True, "unit_amount": 6_000, "period_end": NOW + 300 * DAY}
    return subscribed(quantity, **(usual | more))


def asked(before: int, after: int, *, is_approved: bool = False, **more: Any) -> SeatIncrease:
    approval = {"approved_at": NOW - DAY, "approved_by": "alice"} if is_approved else {}
    usual: dict[str, Any] = {"unit_amount": 600, "currency": "usd", "is_yearly": False, "reference": "sub_1"}
    return SeatIncrease(before, after, NOW - 2 * DAY, **(usual | approval | more))


@pytest.mark.parametrize(
    ("paid", "needed", "is_large"),
    [
        (1, 201, True),
        (1, 4, False),  # Three seats are no jump, however many percent.
        (1, 5, True),
        (20, 24, False),  # Exactly a fifth.
        (20, 25, True),
        (100, 120, False),
        (100, 121, True),
        (5_000, 6_000, False),
        (5, 5, False),
        (5, 1, False),
        (0, 4, True),
    ],
)
def test_a_jump_is_more_than_three_seats_and_a_fifth(paid: int, needed: int, is_large: bool) -> None:
    assert needs_approval(paid, needed) is is_large


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("needed", [1, 11])
def test_two_nights_always_set_the_seats_of_the_year_to_come(hour: int, needed: int) -> None:
    """One night may fail: for Stripe, for the database, or for a worker that did not run."""
    renewal = NOW.replace(hour=hour, minute=40) + 10 * DAY
    subscription = yearly(10, period_end=renewal)
    nights = [NOW + number * DAY for number in range(11) if NOW + number * DAY < renewal]
    decisions = [decide_seats(subscription, needed, None, night) for night in nights]
    renewed = [
        decision
        for decision in decisions
        if decision.quantity == needed and decision.proration is Proration.NONE
    ]
    assert len(renewed) >= 2


def test_growth_day_by_day_is_never_asked_about() -> None:
    subscription, day = subscribed(10), NOW
    for needed in (12, 14, 17, 20, 23, 27, 32):
        decision = decide_seats(subscription, needed, None, day)
        assert (decision.quantity, decision.asked) == (needed, None)
        subscription, day = replace(subscription, quantity=needed, quantity_set_on=day.date()), day + DAY


def test_seats_change_once_a_day() -> None:
    assert decide_seats(subscribed(3, quantity_set_on=NOW.date()), 4, None, NOW) == SeatDecision()
    assert decide_seats(subscribed(3, quantity_set_on=NOW.date() - DAY), 4, None, NOW).quantity == 4


@pytest.mark.parametrize(
    ("increase", "needed", "decision"),
    [
        # It waits, with the same number or another one.
        (asked(1, 201), 201, SeatDecision(asked=201)),
        (asked(1, 201), 230, SeatDecision(asked=230, is_approval_over=True)),
        (asked(1, 201), 190, SeatDecision(asked=190, is_approval_over=True)),
        # It went away by itself.
        (asked(1, 201), 3, SeatDecision(3, Proration.CREATE_PRORATIONS, is_approval_over=True)),
        (asked(1, 201), 1, SeatDecision(is_approval_over=True)),
        (asked(1, 201, is_approved=True), 1, SeatDecision(is_approval_over=True)),
        # An approval holds for no more than what was approved.
        (
            asked(1, 201, is_approved=True),
            201,
            SeatDecision(201, Proration.CREATE_PRORATIONS, is_approval_over=True),
        ),
        (
            asked(1, 201, is_approved=True),
            180,
            SeatDecision(180, Proration.CREATE_PRORATIONS, is_approval_over=True),
        ),
        (
            asked(1, 201, is_approved=True),
            400,
            SeatDecision(201, Proration.CREATE_PRORATIONS, is_approval_over=True),
        ),
        # It was for another subscription, another price, or another period.
        (
            asked(1, 201, is_approved=True, reference="sub_0"),
            201,
            SeatDecision(asked=201, is_approval_over=True),
        ),
        (
            asked(1, 201, is_approved=True, unit_amount=500),
            201,
            SeatDecision(asked=201, is_approval_over=True),
        ),
        (
            asked(1, 201, is_approved=True, is_yearly=True),
            201,
            SeatDecision(asked=201, is_approval_over=True),
        ),
    ],
)
def test_an_increase_that_waits_or_was_approved(
    increase: SeatIncrease, needed: int, decision: SeatDecision
) -> None:
    assert decide_seats(subscribed(1), needed, increase, NOW) == decision


def test_an_approved_increase_survives_a_day_that_has_had_its_change() -> None:
    subscription = subscribed(1, quantity_set_on=NOW.date())
    assert decide_seats(subscription, 201, asked(1, 201, is_approved=True), NOW) == SeatDecision()


@pytest.mark.parametrize("status", ["past_due", "unpaid", "paused", "incomplete", "ended"])
def test_while_a_payment_is_due_nothing_changes(status: str) -> None:
    assert decide_seats(subscribed(1, status=status), 3, None, NOW) == SeatDecision()


CANCELLED = PendingChange(None, None, NOW + 20 * DAY)


@pytest.mark.parametrize(
    ("subscription", "needed", "quantity", "proration"),
    [
        (subscribed(3), 4, 4, Proration.CREATE_PRORATIONS),
        (subscribed(3), 2, 2, Proration.CREATE_PRORATIONS),
        # A cancelled plan is invoiced now: the next invoice would come after the customer has left.
        (subscribed(3, pending=CANCELLED), 4, 4, Proration.ALWAYS_INVOICE),
        (subscribed(3, pending=CANCELLED), 2, None, Proration.NONE),
        (subscribed(3, pending=PendingChange(None, None, NOW + 50 * DAY)), 4, 4, Proration.CREATE_PRORATIONS),
        (subscribed(3, pending=PendingChange("pro", 2, NOW + 20 * DAY)), 4, 4, Proration.CREATE_PRORATIONS),
        (yearly(3), 4, 4, Proration.ALWAYS_INVOICE),
        (yearly(3), 2, None, Proration.NONE),
        (yearly(3, period_end=NOW + 3 * DAY), 2, None, Proration.NONE),
        (yearly(3, period_end=NOW + DAY), 2, 2, Proration.NONE),
        (yearly(3, period_end=NOW + DAY), 4, 4, Proration.NONE),
        (
            yearly(3, period_end=NOW + DAY, pending=PendingChange(None, None, NOW + DAY)),
            2,
            None,
            Proration.NONE,
        ),
        (yearly(3, pending=PendingChange(None, None, NOW + 300 * DAY)), 4, 4, Proration.ALWAYS_INVOICE),
        (yearly(3, status="trialing"), 4, 4, Proration.NONE),
        (yearly(3, status="trialing"), 2, 2, Proration.NONE),
        (subscribed(3, status="trialing"), 2, 2, Proration.NONE),
    ],
)
def test_how_a_change_is_prorated(
    subscription: Subscription, needed: int, quantity: int | None, proration: Proration
) -> None:
    assert decide_seats(subscription, needed, None, NOW) == SeatDecision(quantity, proration)


@given(
    paid=SEATS,
    needed=SEATS,
    approved=st.none() | SEATS,
    is_yearly=st.booleans(),
    days_left=st.integers(0, 400),
    is_set_today=st.booleans(),
)
def test_no_seat_is_charged_that_nobody_needs_or_nobody_approved(
    paid: int, needed: int, approved: int | None, is_yearly: bool, days_left: int, is_set_today: bool
) -> None:
    make = yearly if is_yearly else subscribed
    subscription = make(
        paid, period_end=NOW + days_left * DAY, quantity_set_on=NOW.date() if is_set_today else None
    )
    price = {"is_yearly": is_yearly, "unit_amount": subscription.unit_amount}
    increase = None if approved is None else asked(1, approved, is_approved=True, **price)
    decision = decide_seats(subscription, needed, increase, NOW)
    quantity = decision.quantity
    assert quantity is None or decision.asked is None
    if quantity is None:
        return
    assert not is_set_today
    assert 1 <= quantity <= max(needed, 1)
    if quantity > paid:
        assert not needs_approval(paid, quantity) or quantity <= (approved or 0)
    if is_yearly:
        is_near = days_left <= 1
        assert decision.proration is (Proration.NONE if is_near else Proration.ALWAYS_INVOICE)
        assert is_near or quantity > paid


@given(amount=st.integers(0, 100_000), added=st.integers(1, 10_000), seconds=st.integers(-100, 400 * 86_400))
def test_what_is_due_now_is_a_share_of_the_price(amount: int, added: int, seconds: int) -> None:
    end = NOW + timedelta(seconds=seconds)
    subscription = yearly(1, unit_amount=amount, period_start=end - 365 * DAY, period_end=end)
    due = estimate_due_now(subscription, added, NOW)
    assert due is not None
    assert 0 <= due <= amount * added
    assert estimate_due_now(replace(subscription, is_yearly=False), added, NOW) == 0


def test_what_is_due_now_is_not_known_without_a_price() -> None:
    assert estimate_due_now(yearly(1, unit_amount=None), 5, NOW) is None
    assert estimate_due_now(yearly(1, period_start=None), 5, NOW) is None
    half = yearly(1, period_start=NOW - 100 * DAY, period_end=NOW + 100 * DAY)
    assert estimate_due_now(half, 5, NOW) == 15_000


# A year of a customer, night by night, against the stand-in's invoices


class SeatYear:
    """A subscription with Stripe's invoices, and the nightly decision about its seats."""

    def __init__(self, quantity: int, *, is_yearly: bool) -> None:
        self.is_yearly = is_yearly
        self.day = 0
        self.invoices = StandInInvoices(now=self.seconds)
        start = int(NOW.timestamp())
        days = 365 if is_yearly else 30
        item: dict[str, Any] = {
            "id": "si_1",
            "price": {"id": "price_year" if is_yearly else "price_pro"},
            "quantity": quantity,
            "current_period_start": start,
            "current_period_end": start + days * 86_400,
        }
        self.answer: dict[str, Any] = {"id": "sub_1", "status": "active", "items": {"data": [item]}}
        self.item = item
        self.seat_days = 0

    @property
    def now(self) -> datetime:
        return NOW + self.day * DAY

    def seconds(self) -> float:
        return self.now.timestamp()

    def night(self, needed: int) -> None:
        """A day passes, and seats follow the people; an admin approves whatever is asked."""
        self.seat_days += int(self.item["quantity"])
        self.day += 1
        if int(self.now.timestamp()) >= self.item["current_period_end"]:
            self.invoices.renew(self.answer)
        make = yearly if self.is_yearly else subscribed
        subscription = make(
            self.item["quantity"],
            period_start=datetime.fromtimestamp(self.item["current_period_start"], UTC),
            period_end=datetime.fromtimestamp(self.item["current_period_end"], UTC),
        )
        decision = decide_seats(subscription, needed, None, self.now)
        if decision.asked is not None:
            price = {"is_yearly": self.is_yearly, "unit_amount": subscription.unit_amount}
            approved = asked(subscription.quantity or 0, decision.asked, is_approved=True, **price)
            decision = decide_seats(subscription, needed, approved, self.now)
        if decision.quantity is not None:
            items = {"0": {"id": "si_1", "quantity": str(decision.quantity)}}
            change = {"items": items, "proration_behavior": decision.proration.value}
            assert self.invoices.update(self.answer, change) is None

    @property
    def charged(self) -> int:
        return sum(self.invoices.charged.get("sub_1", []))


@given(st.lists(st.integers(0, 30), min_size=364, max_size=364))
def test_in_a_year_paid_at_once_no_seat_is_paid_twice_and_none_is_billed_later(people: list[int]) -> None:
    year, most = SeatYear(1, is_yearly=True), 1
    for needed in people[:-2]:
        year.night(needed)
        most = max(most, needed)
        assert year.item["quantity"] == most
        assert year.invoices.pending == {}
    # Never more than all of them would have cost from the first day on.
    assert year.charged <= (most - 1) * 6_000
    for needed in people[-2:]:
        year.night(needed)
    year.night(people[-1])
    assert year.invoices.charged["sub_1"][-1] == max(people[-1], 1) * 6_000


@given(st.lists(st.integers(0, 30), min_size=59, max_size=59))
def test_by_the_month_people_are_paid_for_by_the_day(people: list[int]) -> None:
    months = SeatYear(1, is_yearly=False)
    for needed in people:
        months.night(needed)
    last = int(months.item["quantity"])
    months.night(last)  # The second renewal settles what was left of the second month.
    # The first seat's first month was paid at the checkout; the last renewal pays for the month to come.
    paid = months.charged + months.invoices.pending.get("sub_1", 0) + 600 - last * 600
    used = months.seat_days * 600 // 30
    assert abs(paid - used) <= len(people)  # Stripe rounds each proration to a cent.
