"""Dates for items and items by a date."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sprints.calendar import Calendar, days_between
from sprints.forecast import Refusal
from sprints.forecast_throughput import (
    Amounts,
    DailyHistory,
    Dates,
    history_of,
    how_many,
    when,
    working_days,
)
from sprints.throughput import DayCount

# Many of the longest histories are too long for Hypothesis, which then takes others.
EVERY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
MONDAY = date(2026, 1, 5)
FIRST = date(2026, 4, 6)
EASTER = Calendar(holidays={date(2026, 4, 6)})


def counts(*values: int, begin: date = MONDAY) -> list[DayCount]:
    return [DayCount(begin + timedelta(days=i), value) for i, value in enumerate(values)]


def working(value: int, weeks: int = 12) -> DailyHistory:
    return history_of(counts(*([*[value] * 5, 0, 0] * weeks)), Calendar())


def dates(items: int, history: DailyHistory, calendar: Calendar | None = None, seed: int = 1) -> Dates:
    found = when(items, history, calendar or Calendar(), FIRST, seed)
    assert isinstance(found, Dates)
    return found


def amounts(history: DailyHistory, by: date, calendar: Calendar | None = None, seed: int = 1) -> Amounts:
    found = how_many(history, calendar or Calendar(), FIRST, by, seed)
    assert isinstance(found, Amounts)
    return found


# Two weeks with two a day come first, so that no history is too thin.
HISTORIES = st.lists(st.integers(0, 4), max_size=60).map(
    lambda values: history_of(counts(*[2] * 14, *values), Calendar())
)


@pytest.mark.parametrize(
    ("items", "on"),
    [(1, "2026-04-06"), (2, "2026-04-06"), (3, "2026-04-07"), (10, "2026-04-10"), (11, "2026-04-13")],
)
def test_a_steady_team_has_an_exact_date(items: int, on: str) -> None:
    """Two a day, and none at the weekend."""
    found = dates(items, working(2))

    assert found.p50 == found.p85 == found.p95 == date.fromisoformat(on)


def test_a_steady_team_has_an_exact_amount() -> None:
    found = amounts(working(2), date(2026, 4, 12), EASTER)

    assert (found.p50, found.p85, found.p95) == (8, 8, 8), "Easter Monday and the weekend are off"


def test_before_the_next_working_day_nothing_is_done() -> None:
    assert amounts(working(2), FIRST - timedelta(days=1)).p50 == 0


def test_days_without_anything_done_are_drawn_too() -> None:
    """One item every second day takes about two days each."""
    always = Calendar(weekdays=range(7))
    found = dates(20, history_of(counts(*[0, 1] * 60), always), always)

    assert found.p50 is not None
    assert 38 <= len(days_between(FIRST, found.p50)) <= 42


def test_work_on_days_off_counts_on_the_next_working_day() -> None:
    week = counts(1, 0, 0, 0, 0, 2, 3, 4, 0, 0, 0, 0, 7, begin=MONDAY)

    found = history_of(week, Calendar())

    assert list(found.done) == [1, 0, 0, 0, 0, 2 + 3 + 4, 0, 0, 0, 0], "the last Saturday waits"


def test_the_last_sixty_working_days_are_drawn_from() -> None:
    found = history_of(counts(*[9] * 100, *[1] * 84), Calendar())

    assert len(found.done) == 60
    assert set(found.done) == {1, 3}


def test_little_history_is_told() -> None:
    assert dates(1, working(1, weeks=3)).sample.warning == "Only 15 working days are known, so this is rough."
    assert dates(1, working(1, weeks=4)).sample.warning is None


def test_under_ten_items_it_refuses() -> None:
    few = history_of(counts(*[1] * 5, 0, 0, *[1] * 4), Calendar())
    refusal = Refusal("There is no forecast yet: it needs 10 finished items, and there are 9.")

    assert when(5, few, Calendar(), FIRST, 1) == refusal
    assert how_many(few, Calendar(), FIRST, FIRST, 1) == refusal


def test_a_team_that_never_works_has_no_date() -> None:
    refusal = when(5, working(1), Calendar(weekdays=()), FIRST, 1)

    assert refusal == Refusal("There is no forecast: the calendar has no working day within a year.")


def test_a_date_too_far_is_none() -> None:
    found = dates(5000, working(1))

    assert (found.p50, found.p85, found.p95) == (None, None, None)


def test_what_is_added_makes_it_later() -> None:
    """Two a day are done and one comes."""
    days = counts(*[*[2] * 5, 0, 0] * 12)
    comes = counts(*[*[1] * 5, 0, 0] * 12)

    assert dates(10, history_of(days, Calendar(), comes)).p95 == date(2026, 4, 17)
    assert dates(10, history_of(days, Calendar(), days)).p50 is None, "as much is added as is done"


def test_no_items_have_no_date() -> None:
    with pytest.raises(ValueError, match="at least one item, not for 0"):
        when(0, working(1), Calendar(), FIRST, 1)


@EVERY
@given(HISTORIES, st.integers(1, 80), st.integers(0, 2**64 - 1))
def test_dates_are_working_days_in_order_and_the_same_again(
    history: DailyHistory, items: int, seed: int
) -> None:
    found = dates(items, history, EASTER, seed)

    assert found == dates(items, history, EASTER, seed)
    known = [day or date.max for day in (found.p50, found.p85, found.p95)]
    assert known == sorted(known)
    assert all(day == date.max or (day >= FIRST and EASTER.is_working_day(day)) for day in known)


@EVERY
@given(HISTORIES, st.integers(1, 40), st.integers(0, 20))
def test_fewer_items_are_never_later(history: DailyHistory, items: int, more: int) -> None:
    early, late = dates(items, history), dates(items + more, history)

    for less, greater in ((early.p50, late.p50), (early.p85, late.p85), (early.p95, late.p95)):
        assert (less or date.max) <= (greater or date.max)


@EVERY
@given(HISTORIES, st.integers(0, 60), st.integers(0, 60))
def test_a_later_day_never_brings_less(history: DailyHistory, length: int, more: int) -> None:
    early = amounts(history, FIRST + timedelta(days=length))
    late = amounts(history, FIRST + timedelta(days=length + more))

    assert 0 <= early.p95 <= early.p85 <= early.p50
    assert (early.p50, early.p85, early.p95) <= (late.p50, late.p85, late.p95)


@EVERY
@given(HISTORIES, st.integers(1, 40))
# In exactly 85 % of the futures.
@example(history_of(counts(*[2] * 14, *[3, 0, 0]), Calendar()), 35)
def test_the_two_questions_agree(history: DailyHistory, items: int) -> None:
    """Who has 85 % for a date does as many items by it in 85 % of futures."""
    by = dates(items, history).p85

    assert by is not None
    assert amounts(history, by).p85 >= items
    assert amounts(history, by - timedelta(days=1)).p85 < items


def test_working_days_pass_over_days_off() -> None:
    found = working_days(EASTER, date(2026, 4, 3), 3)

    assert found == [date(2026, 4, 3), date(2026, 4, 7), date(2026, 4, 8)]
