"""A team's counting rules: its calendar, its estimates, and the labels that mark work as started."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from sprints.calendar import Calendar, days_between
from sprints.estimates import Estimates

STARTED_LABELS = frozenset({"in progress", "in-progress", "doing", "wip", "status: in progress"})

# The limit of one period of days off, so that a typo in a year cannot exhaust the memory.
MOST_DAYS_OFF = 366


@dataclass(frozen=True, slots=True)
class Rules:
    """The calendar, the estimates and the start labels of one team.

    `started_labels` are in lower case; an item that gets one of them has been started.
    """

    calendar: Calendar = field(default_factory=Calendar)
    estimates: Estimates = field(default_factory=Estimates)
    started_labels: frozenset[str] = STARTED_LABELS


@dataclass(frozen=True, slots=True)
class DaysOff:
    """A period without work, from `first` to `last` inclusive, with its name.

    It is the whole team's, or that of one `person`: a login in lower case.
    """

    first: date
    last: date
    name: str = ""
    person: str = ""

    @property
    def days(self) -> list[date]:
        return days_between(self.first, self.last)


def list_dates(periods: Iterable[DaysOff]) -> frozenset[date]:
    """All dates of these periods, which are sorted by their first day."""
    return _cached_dates(tuple(periods))


@lru_cache(maxsize=256)
def _cached_dates(periods: tuple[DaysOff, ...]) -> frozenset[date]:
    # Periods may overlap, hundreds of times over: each date is listed once.
    dates, next_date = set[date](), date.min
    for period in periods:
        dates.update(days_between(max(period.first, next_date), period.last))
        next_date = max(next_date, period.last + timedelta(days=1))
    return frozenset(dates)
