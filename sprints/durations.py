"""Durations of items: lead time, cycle time, age, and the service level expectation.

Cycle time, work item age and service level expectation are those of the Kanban Guide, explained at
https://prokanban.org/blog/the-kanban-pocket-guide-chapter-6-the-basic-metrics-of-flow/. Lead time is counted
from an item's creation.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sprints.calendar import Calendar
from sprints.flow import Flow
from sprints.numbering import split_number
from sprints.order_statistics import find_nearest_rank

_SERVICE_LEVEL_PERCENT = 85


class Exclusion(StrEnum):
    """The reason why the duration of a done item does not count."""

    NOT_STARTED = "not_started"
    START_NOT_DATED = "start_not_dated"
    ZERO = "zero"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Durations:
    """The durations of some done items, in ascending order.

    `elapsed` is exact time, `days` are the local days that each touched: finish − start + 1. `excluded`
    counts the done items that were left out, by reason. `reopened` is how many of the items counted had been
    done before.
    """

    elapsed: tuple[timedelta, ...] = ()
    days: tuple[int, ...] = ()
    excluded: tuple[tuple[Exclusion, int], ...] = ()
    reopened: int = 0

    @property
    def n(self) -> int:
        """The number of items counted."""
        return len(self.elapsed)

    @property
    def excluded_count(self) -> int:
        """The number of done items that were left out."""
        return sum(count for _, count in self.excluded)

    def percentile(self, percent: int) -> timedelta | None:
        """Return the time within which `percent` % of the items were done (nearest rank)."""
        return find_nearest_rank(self.elapsed, percent)

    def days_percentile(self, percent: int) -> int | None:
        """Return the days within which `percent` % of the items were done (nearest rank)."""
        return find_nearest_rank(self.days, percent)

    def within(self, days: int) -> int:
        """Count the items that took at most `days` days."""
        return bisect_right(self.days, days)

    def longer_than(self, days: int) -> tuple[int, ...]:
        """Return the durations in days of the items that took longer than `days`, in ascending order."""
        return self.days[self.within(days) :]


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """A service level expectation: `percent` % of items finish in at most `days` days, as `n` items did."""

    percent: int
    days: int
    n: int


@dataclass(frozen=True, slots=True)
class Age:
    """The age of an item in progress; with `is_at_least` its start is unknown and it may be older."""

    flow: Flow
    elapsed: timedelta
    days: int
    is_at_least: bool


def measure_lead_times(flows: Iterable[Flow], calendar: Calendar) -> Durations:
    """Measure the lead times of the done items. Durations of zero or less are excluded."""
    return _durations(flows, calendar, lambda flow: flow.created_at)


def measure_cycle_times(flows: Iterable[Flow], calendar: Calendar) -> Durations:
    """Measure the cycle times of the done items.

    Durations of zero or less and unknown starts are excluded.
    """
    return _durations(flows, calendar, _start)


def derive_service_level(cycle_times: Durations) -> ServiceLevel | None:
    """Return the service level expectation at 85 %, or None without items."""
    days = cycle_times.days_percentile(_SERVICE_LEVEL_PERCENT)
    return ServiceLevel(_SERVICE_LEVEL_PERCENT, days, cycle_times.n) if days is not None else None


def select_done(flows: Iterable[Flow], first: date, last: date, calendar: Calendar) -> list[Flow]:
    """Select the items that were done on the local days from `first` to `last`, both included."""
    return [flow for flow in flows if flow.done_at and first <= calendar.day_of(flow.done_at) <= last]


def measure_ages(flows: Iterable[Flow], now: datetime, calendar: Calendar) -> list[Age]:
    """Measure the work item age, now − started, of the items in progress, the oldest first.

    `flows` are those as of `now`.
    """
    measured = [
        Age(
            flow,
            now - flow.started_at,
            count_days(flow.started_at, now, calendar),
            is_at_least=not flow.is_start_dated,
        )
        for flow in flows
        if flow.is_in_progress and flow.started_at
    ]
    return sorted(measured, key=lambda age: (-age.elapsed, split_number(age.flow.number)))


def _start(flow: Flow) -> datetime | Exclusion:
    if flow.started_at is None:
        return Exclusion.NOT_STARTED
    return flow.started_at if flow.is_start_dated else Exclusion.START_NOT_DATED


def _durations(
    flows: Iterable[Flow], calendar: Calendar, start_of: Callable[[Flow], datetime | Exclusion]
) -> Durations:
    elapsed, days, excluded, reopened = list[timedelta](), list[int](), Counter[Exclusion](), 0
    for flow in flows:
        if flow.done_at is None or flow.is_covered:
            continue
        start = start_of(flow)
        if isinstance(start, datetime) and start >= flow.done_at:
            start = Exclusion.ZERO if start == flow.done_at else Exclusion.NEGATIVE
        if isinstance(start, Exclusion):
            excluded[start] += 1
            continue
        elapsed.append(flow.done_at - start)
        days.append(count_days(start, flow.done_at, calendar))
        reopened += flow.reopen_count > 0
    return Durations(tuple(sorted(elapsed)), tuple(sorted(days)), tuple(sorted(excluded.items())), reopened)


def count_days(start: datetime, finish: datetime, calendar: Calendar) -> int:
    """Count the local days from a start to a finish, both included: the days of an age or a cycle time."""
    return (calendar.day_of(finish) - calendar.day_of(start)).days + 1
