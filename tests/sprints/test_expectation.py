"""What the past lets one expect of an item in progress."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sprints.durations import Durations
from sprints.expectation import expect_from_age, measure_past
from tests.support.builders import at
from tests.support.flow_cards import FlowCard, calendar, flows

DAYS = st.lists(st.integers(1, 40), max_size=40).map(sorted)


def took(*days: int) -> Durations:
    return Durations(tuple(timedelta(days=day) for day in days), days)


def done(number: int, started: str, closed: str) -> FlowCard:
    return FlowCard(number).opened(started).started(started).closed(closed)


def test_it_says_how_unusual_the_age_is_and_how_long_the_longer_ones_took() -> None:
    result = expect_from_age(4, took(1, 2, 3, 4, 5, 6, 7, 8, 9, 20))

    assert (result.n, result.within, result.share_within) == (10, 4, Decimal("0.4"))
    assert (result.half, result.most) == (7, 20)


def test_few_that_took_longer_say_nothing() -> None:
    result = expect_from_age(6, took(1, 2, 3, 4, 5, 6, 7, 8, 9, 20))
    assert (result.half, result.most) == (None, None)


def test_without_a_past_there_is_no_percentile_but_zero() -> None:
    assert expect_from_age(3, took()).share_within == 0


def test_the_last_ninety_days_count_if_they_are_ten_items() -> None:
    recent = [done(n, "11-01", f"11-{n + 1:02}") for n in range(1, 11)]
    old = [done(n, "2026-01-05", "2026-02-20") for n in range(11, 21)]
    now = at("11-30")

    past = measure_past(list(flows(*recent, *old, as_of="11-30").values()), now, calendar())
    assert (past.window, past.times.n) == (90, 10)
    assert past.level is not None
    assert past.level.days == 10

    past = measure_past(list(flows(*recent[:9], *old, as_of="11-30").values()), now, calendar())
    assert (past.window, past.times.n) == (None, 19)


def test_fewer_than_ten_items_make_no_service_level() -> None:
    past = measure_past(
        list(flows(*(done(n, "11-01", "11-05") for n in range(1, 10))).values()), at("11-30"), calendar()
    )
    assert past.level is None
    assert past.times.n == 9


@given(st.integers(1, 50), DAYS)
def test_what_is_expected_lies_ahead_and_happened_once(age: int, days: list[int]) -> None:
    result = expect_from_age(age, took(*days))

    assert 0 <= result.share_within <= 1
    assert result.within == sum(day <= age for day in days)
    assert (result.half is None) == (result.n - result.within < 5)
    if result.half is not None and result.most is not None:
        assert age < result.half <= result.most
        assert {result.half, result.most} <= set(days)


@given(st.integers(1, 50), DAYS)
def test_the_older_the_less_usual(age: int, days: list[int]) -> None:
    assert (
        expect_from_age(age, took(*days)).share_within <= expect_from_age(age + 1, took(*days)).share_within
    )
