"""Throughput: the exact number of items done per unit of time, whatever their size.

As in the Kanban Guide, explained at
https://prokanban.org/blog/the-kanban-pocket-guide-chapter-6-the-basic-metrics-of-flow/.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sprints.calendar import Calendar, days_between
from sprints.durations import select_done
from sprints.flow import Flow


@dataclass(frozen=True, slots=True)
class DayCount:
    """The number of items done on one local day."""

    date: date
    count: int


@dataclass(frozen=True, slots=True)
class WeekCount:
    """The number of items done in the week that begins on `monday`, of which `days` days are counted."""

    monday: date
    count: int
    days: int


@dataclass(frozen=True, slots=True)
class Throughput:
    """The items done on each day of a window, days without any included."""

    days: tuple[DayCount, ...]

    @property
    def total(self) -> int:
        return sum(day.count for day in self.days)

    @property
    def weeks(self) -> tuple[WeekCount, ...]:
        """The same by calendar weeks (ISO 8601). The first and the last may lie partly outside the window."""
        counts, days = Counter[date](), Counter[date]()
        for day in self.days:
            monday = day.date - timedelta(days=day.date.weekday())
            counts[monday] += day.count
            days[monday] += 1
        return tuple(WeekCount(monday, counts[monday], days[monday]) for monday in sorted(days))


def count_throughput(flows: Iterable[Flow], calendar: Calendar, first: date, last: date) -> Throughput:
    """Count the items done on the local days from `first` to `last`, both included.

    A reopened item counts on the day on which it was last done.
    """
    done = Counter(
        calendar.day_of(flow.done_at)
        for flow in select_done(flows, first, last, calendar)
        if flow.done_at and not flow.is_covered
    )
    return Throughput(tuple(DayCount(day, done[day]) for day in days_between(first, last)))
