"""The working days that a sprint still has, and whether today is one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from sprints.calendar import working_days
from sprints.milestone import Sprint

# Nobody sets working hours, so from this local time on only the rest of a day is counted on.
_EVENING = time(18)


class Today(StrEnum):
    """How much of today is among the working days left."""

    WHOLE = "whole"
    REST = "rest"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """The working days from a moment to a sprint's due date, both included, and `today`'s part in them."""

    days: Sequence[date]
    today: Today


def measure_time_left(sprint: Sprint, as_of: datetime) -> TimeLeft:
    """Measure the working days left from a moment, or from the start of a sprint that has not begun.

    A midnight belongs to the day that ends with it, so the day that it begins is left as a whole and is not
    today. Nothing is left without a due date, or after the end.
    """
    days = list_working_days_left(sprint, as_of)
    today = sprint.calendar.day_of(as_of)
    if not days or days[0] != today or as_of == sprint.calendar.midnight(today):
        return TimeLeft(days, Today.NONE)
    is_evening = sprint.calendar.local(as_of).time() >= _EVENING
    return TimeLeft(days, Today.REST if is_evening else Today.WHOLE)


def list_working_days_left(sprint: Sprint, as_of: datetime) -> list[date]:
    """List the working days from today (or from the start) to the due date, both included."""
    calendar = sprint.calendar
    first = max(calendar.day_of(as_of), sprint.first_day)
    if sprint.due is None or sprint.has_ended(as_of):
        return []
    return working_days(calendar, first, sprint.due)
