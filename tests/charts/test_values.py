"""Conversion of domain values to chart values."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from charts.labels import spread_heights
from charts.values import (
    AgingItem,
    CountBar,
    FinishedItem,
    SprintBar,
    build_aging,
    build_cycle_scatter,
    build_throughput_bars,
    build_velocity_bars,
)
from sprints.durations import measure_ages, measure_cycle_times
from sprints.throughput import DayCount, Throughput
from sprints.velocity import compute_velocity
from tests.support.builders import at
from tests.support.flow_cards import FlowCard, calendar, flows
from tests.support.outcomes import make_january_outcome


def test_a_sprint_is_named_by_its_last_local_day() -> None:
    """In New York the sprint of 9 January ends when UTC is at 5 o'clock of the 10th."""
    ended = compute_velocity([make_january_outcome(1, 5, end=at("2026-01-10 05:00"))])
    for zone, day in (("America/New_York", 9), ("UTC", 10)):
        result = build_velocity_bars(ended, calendar(zone))
        assert result.bars == (SprintBar(date(2026, 1, day), Decimal(5), Decimal(5)),)
    assert (result.median, result.least, result.most) == (None, None, None)


def test_velocity_has_its_median_and_range() -> None:
    result = build_velocity_bars(
        compute_velocity(make_january_outcome(n, 10 * n) for n in (1, 2, 3)), calendar()
    )
    assert result.unit == "points"
    assert [result.least, result.median, result.most] == [10, 20, 30]


def days(count: int, each: int = 1) -> Throughput:
    """From Thursday, 1 January 2026."""
    return Throughput(
        tuple(DayCount(date.fromordinal(date(2026, 1, 1).toordinal() + n), each) for n in range(count))
    )


def test_three_weeks_are_shown_by_days_with_the_median_of_working_days() -> None:
    result = build_throughput_bars(days(21), calendar())
    assert (result.span, len(result.bars)) == ("day", 21)
    assert result.median == 1
    assert [bar.first.day for bar in result.bars if bar.is_off] == [3, 4, 10, 11, 17, 18]


def test_more_is_shown_by_weeks_with_the_median_of_whole_ones() -> None:
    result = build_throughput_bars(days(22), calendar())
    assert result.bars == (
        CountBar(date(2025, 12, 29), 4, is_whole=False),
        CountBar(date(2026, 1, 5), 7),
        CountBar(date(2026, 1, 12), 7),
        CountBar(date(2026, 1, 19), 4, is_whole=False),
    )
    assert result.median == 7


def test_the_scatter_has_what_was_done_in_its_window_and_counts_what_it_leaves_out() -> None:
    result = build_cycle_scatter(
        flows(
            FlowCard(1).opened("11-01").assigned("11-09 12:00").closed("11-10 12:00"),
            FlowCard(2).opened("11-01").assigned("11-02 12:00").closed("11-05 12:00"),
            FlowCard(3).opened("11-01").closed("11-11"),
            FlowCard(4).opened("11-01").assigned("11-09 12:00"),
        ).values(),
        calendar(),
        date(2026, 11, 9),
        date(2026, 11, 15),
    )
    assert result.items == (FinishedItem(date(2026, 11, 10), 2),)
    assert (result.p50, result.p85, result.p95, result.excluded) == (2, 2, 2, 1)


def test_aging_has_items_in_progress_beside_what_finished_ones_took() -> None:
    known_items = flows(
        FlowCard(1).opened("11-01").assigned("11-02 12:00").closed("11-05 12:00"),
        FlowCard(2).opened("11-01").assigned("11-12 12:00"),
        FlowCard(3).opened("11-01").assigned("11-10 12:00"),
        as_of="11-13 12:00",
    ).values()
    result = build_aging(
        measure_ages(known_items, at("11-13 12:00"), calendar()), measure_cycle_times(known_items, calendar())
    )
    assert result.items == (AgingItem(3, 4), AgingItem(2, 2))
    assert (result.p50, result.p85) == (4, 4)


@given(st.lists(st.floats(0, 300), max_size=9).map(sorted), st.floats(1, 30))
def test_labels_are_spread_within_bounds_that_allow_it(heights: list[float], distance: float) -> None:
    placed = spread_heights(heights, distance, 0, 300)
    assert len(placed) == len(heights)
    assert all(b - a >= distance - 1e-6 for a, b in pairwise(placed))
    assert all(-1e-6 <= height <= 300 + 1e-6 for height in placed)


def test_labels_that_are_apart_stay_where_they_are() -> None:
    assert spread_heights([10, 50, 90], 20, 0, 100) == [10, 50, 90]
    assert spread_heights([10, 15], 20, 0, 100) == [10, 30]
    assert spread_heights([90, 95], 20, 0, 100) == [80, 100]
