"""Lead time, cycle time, age, throughput and percentiles."""

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.durations import (
    Durations,
    Exclusion,
    ServiceLevel,
    derive_service_level,
    measure_ages,
    measure_cycle_times,
    measure_lead_times,
    select_done,
)
from sprints.order_statistics import find_nearest_rank
from sprints.throughput import DayCount, WeekCount, count_throughput
from tests.support.builders import at
from tests.support.flow_cards import FlowCard, Repository, calendar, flows, repositories
from tests.support.sprints_strategies import NOWS

EVERY = settings(max_examples=60, deadline=None)
UTC = calendar()
FIRST, LAST = date(2026, 10, 10), date(2026, 12, 31)
DAYS = st.dates(date(2026, 10, 10), date(2026, 11, 20))


def cycles(*cards: FlowCard, zone: str = "UTC") -> Durations:
    return measure_cycle_times(flows(*cards).values(), calendar(zone))


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


# Lead and cycle time


def test_lead_time_runs_from_the_creation_and_cycle_time_from_the_start() -> None:
    card = FlowCard().opened("11-10 09:00").assigned("11-12 09:00").closed("11-13 15:00")
    flow = flows(card)[1]

    assert measure_lead_times([flow], UTC) == Durations((hours(78),), (4,))
    assert measure_cycle_times([flow], UTC) == Durations((hours(30),), (2,))


def test_days_are_local_days_that_were_touched() -> None:
    card = FlowCard().opened("11-10").assigned("11-12 23:30").closed("11-13 00:30")

    assert cycles(card).days == (2,)
    assert cycles(card, zone="Europe/Berlin").days == (1,)
    assert cycles(card, zone="America/Los_Angeles").elapsed == (hours(1),)


def test_a_day_of_25_hours_is_one_day() -> None:
    card = FlowCard().opened("10-20").assigned("10-24 22:00").closed("10-25 22:59")

    assert cycles(card, zone="Europe/Berlin").days == (1,)
    assert cycles(card, zone="Europe/Berlin").elapsed == (timedelta(hours=24, minutes=59),)


def test_a_reopened_item_takes_from_its_first_start_to_its_last_done() -> None:
    card = FlowCard(1).opened("11-10").assigned("11-11").closed("11-12").reopened("11-16").closed("11-18")
    other = FlowCard(2).opened("11-10").assigned("11-11").closed("11-12")
    result = cycles(card, other)

    assert result.elapsed == (hours(24), hours(7 * 24))
    assert result.days == (2, 8)
    assert result.reopened == 1


def test_negative_and_zero_durations_are_left_out_and_counted() -> None:
    result = cycles(
        FlowCard(1).opened("11-10").assigned("11-12").closed("11-12"),
        FlowCard(2).opened("11-10").started("11-13").closed("11-12"),
        FlowCard(3).opened("11-10").closed("11-12").assigned("11-13"),
        FlowCard(4).opened("11-10").assigned("11-11").closed("11-12"),
    )

    assert (result.n, result.elapsed) == (1, (hours(24),))
    assert result.excluded == ((Exclusion.NEGATIVE, 2), (Exclusion.ZERO, 1))
    assert result.excluded_count == 3


def test_an_item_created_and_done_in_one_second_has_no_lead_time() -> None:
    flow = flows(FlowCard().opened("11-10").closed("11-10"))[1]

    assert measure_lead_times([flow], UTC) == Durations(excluded=((Exclusion.ZERO, 1),))


def test_without_a_start_or_its_date_there_is_no_cycle_time() -> None:
    result = cycles(
        FlowCard(1).opened("11-10").closed("11-12"),
        FlowCard(2).opened("11-10").assigned("11-11").commented("11-12").first_seen(2).closed("11-13"),
    )

    assert result == Durations(excluded=((Exclusion.NOT_STARTED, 1), (Exclusion.START_NOT_DATED, 1)))
    assert (result.n, result.percentile(50), result.days_percentile(85)) == (0, None, None)


def test_what_is_open_dropped_or_told_by_others_has_no_duration() -> None:
    parent = FlowCard(3).opened("11-10").assigned("11-11").closed("11-12")
    result = flows(
        FlowCard(1).opened("11-10").assigned("11-11"),
        FlowCard(2).opened("11-10").assigned("11-11").dropped("11-12"),
        parent,
        FlowCard(4).opened("11-10").child_of("11-10", parent),
    ).values()

    assert measure_lead_times(result, UTC) == measure_cycle_times(result, UTC) == Durations()


# Percentiles


def test_percentiles_are_values_that_occurred() -> None:
    assert [find_nearest_rank([15, 20, 35, 40, 50], percent) for percent in (5, 30, 40, 50, 100)] == [
        *(15, 20, 20, 35),
        50,
    ]
    assert find_nearest_rank(range(1, 21), 85) == 17
    assert find_nearest_rank([7], 1) == 7
    assert find_nearest_rank(list[int](), 50) is None


@pytest.mark.parametrize("percent", [0, 101, -1])
def test_a_percentile_lies_between_1_and_100(percent: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 100"):
        find_nearest_rank([1], percent)


@given(st.lists(st.integers(), min_size=1).map(sorted), st.integers(1, 100))
@EVERY
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[int], percent: int
) -> None:
    result = find_nearest_rank(values, percent)

    assert result == min(
        v for v in values if Fraction(sum(w <= v for w in values), len(values)) >= Fraction(percent, 100)
    )


@given(st.lists(st.integers(), min_size=1).map(sorted))
@EVERY
def test_percentiles_rise(values: list[int]) -> None:
    result = [find_nearest_rank(values, percent) for percent in range(1, 101)]

    assert all(a is not None and b is not None and a <= b for a, b in pairwise(result))
    assert result[-1] == max(values)


def test_the_service_level_says_in_how_many_days_85_percent_finish() -> None:
    cards = [
        FlowCard(n).opened("11-01").assigned("11-02 09:00").closed(at("11-02 10:00") + timedelta(days=n))
        for n in range(1, 11)
    ]

    assert derive_service_level(cycles(*cards)) == ServiceLevel(85, 10, 10)
    assert derive_service_level(Durations()) is None


# Age


def test_ages_are_those_of_open_started_items_the_oldest_first() -> None:
    result = flows(
        FlowCard(1).opened("11-10").assigned("11-14 12:00"),
        FlowCard(2).opened("11-10").assigned("11-11").commented("11-13").first_seen(2),
        FlowCard(3).opened("11-10"),
        FlowCard(4).opened("11-10").assigned("11-11").closed("11-12"),
        FlowCard(5).opened("11-10").assigned("11-11").closed("11-12").reopened("11-14"),
        as_of="11-16",
    )
    data = [
        (age.flow.number, age.elapsed, age.days, age.is_at_least)
        for age in measure_ages(result.values(), at("11-16"), UTC)
    ]

    assert data == [
        (5, timedelta(days=5), 6, False),
        (2, timedelta(days=3), 4, True),
        (1, timedelta(hours=36), 3, False),
    ]


# Throughput


def test_throughput_counts_days_without_any_as_well() -> None:
    result = flows(
        FlowCard(1).opened("11-10", "points: 8").closed("11-12 09:00"),
        FlowCard(2).opened("11-10").closed("11-12 23:59:59"),
        FlowCard(3).opened("11-10").closed("11-14"),
        FlowCard(4).opened("11-10").closed("11-15"),
        FlowCard(5).opened("11-10").dropped("11-13"),
    ).values()
    days = count_throughput(result, UTC, date(2026, 11, 11), date(2026, 11, 14)).days

    assert days == tuple(DayCount(date(2026, 11, 11 + n), count) for n, count in enumerate((0, 2, 0, 1)))
    assert (
        count_throughput(result, calendar("Pacific/Auckland"), days[1].date, days[2].date).days[1].count == 1
    )


def test_a_reopened_item_counts_on_the_day_on_which_it_was_last_done() -> None:
    card = FlowCard().opened("11-10").closed("11-11").reopened("11-12")
    assert count_throughput(flows(card).values(), UTC, FIRST, LAST).total == 0

    done = count_throughput(flows(card.closed("11-13")).values(), UTC, FIRST, LAST)
    assert [day.date for day in done.days if day.count] == [date(2026, 11, 13)]


def test_weeks_begin_on_monday_and_say_how_much_of_them_is_counted() -> None:
    result = flows(FlowCard(1).opened("11-10").closed("11-15"), FlowCard(2).opened("11-10").closed("11-16"))

    assert count_throughput(result.values(), UTC, date(2026, 11, 13), date(2026, 11, 24)).weeks == (
        WeekCount(date(2026, 11, 9), 1, 3),
        WeekCount(date(2026, 11, 16), 1, 7),
        WeekCount(date(2026, 11, 23), 0, 2),
    )


def test_a_window_that_ends_before_it_begins_is_empty() -> None:
    assert count_throughput([], UTC, LAST, FIRST).days == ()


# What holds for every history


@given(repositories(), NOWS, DAYS, st.integers(0, 40))
@EVERY
def test_throughput_adds_up_to_the_items_done(
    repo: Repository, as_of: datetime, first: date, length: int
) -> None:
    result, days = repo.flows(as_of), Calendar.of(repo.zone)
    done = [flow for flow in result if flow.done_at and not flow.is_covered]
    last = first + timedelta(days=length)
    window = count_throughput(result, days, first, last)

    assert count_throughput(result, days, FIRST, LAST).total == len(done)
    assert [day.date for day in window.days] == [first + timedelta(days=n) for n in range(length + 1)]
    assert window.total == sum(not flow.is_covered for flow in select_done(result, first, last, days))
    assert sum(week.count for week in window.weeks) == window.total
    assert sum(week.days for week in window.weeks) == length + 1


@given(repositories(), NOWS)
@EVERY
def test_every_done_item_is_counted_or_left_out_for_a_reason(repo: Repository, as_of: datetime) -> None:
    result, days = repo.flows(as_of), Calendar.of(repo.zone)
    done = sum(flow.done_at is not None and not flow.is_covered for flow in result)

    for durations in (measure_lead_times(result, days), measure_cycle_times(result, days)):
        assert durations.n + durations.excluded_count == done
        assert len(durations.days) == durations.n >= durations.reopened
        assert list(durations.elapsed) == sorted(durations.elapsed)
        assert all(entry > timedelta(0) for entry in durations.elapsed)
        assert all(day >= 1 for day in durations.days)
        data = [durations.percentile(percent) for percent in (50, 85, 95)]
        assert all(a is None or b is None or a <= b for a, b in pairwise(data))


@given(repositories(), NOWS)
@EVERY
def test_lead_time_is_no_shorter_than_cycle_time_where_work_began_after_the_creation(
    repo: Repository, as_of: datetime
) -> None:
    for flow in repo.flows(as_of):
        lead, cycle = measure_lead_times([flow], UTC).elapsed, measure_cycle_times([flow], UTC).elapsed
        if lead and cycle and flow.started_at and flow.started_at >= flow.created_at:
            assert lead >= cycle


@given(repositories(), NOWS)
@EVERY
def test_all_work_in_progress_has_an_age(repo: Repository, as_of: datetime) -> None:
    result = repo.flows(as_of)
    old = measure_ages(result, as_of, Calendar.of(repo.zone))

    assert Counter(age.flow.number for age in old) == Counter(f.number for f in result if f.is_in_progress)
    assert [age.elapsed for age in old] == sorted((age.elapsed for age in old), reverse=True)
    assert all(age.elapsed > timedelta(0) and age.days >= 1 for age in old)


@given(st.lists(st.integers(1, 30), max_size=30).map(sorted), st.integers(0, 31))
def test_what_was_done_within_some_days_and_what_took_longer_is_all(days: list[int], most: int) -> None:
    durations = Durations((), tuple(days))

    assert durations.within(most) == sum(day <= most for day in days)
    assert durations.longer_than(most) == tuple(day for day in days if day > most)
