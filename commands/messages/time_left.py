"""Words for the working days that a sprint still has. Pure functions."""

from datetime import datetime

from commands.formatting.wording import counted
from sprints.milestone import Sprint
from sprints.time_left import Today, measure_time_left

_WHOLE, _REST = ", today included", ", the rest of today included"
_TODAY = {Today.WHOLE: _WHOLE, Today.REST: _REST, Today.NONE: ""}


def time_left_text(sprint: Sprint, as_of: datetime, verb: str = "to go") -> str:
    """3 working days to go, today included. Empty without any.

    Today is named only while it is a working day that is not over.
    """
    left = measure_time_left(sprint, as_of)
    return f"{counted(len(left.days), 'working day')} {verb}{_TODAY[left.today]}" if left.days else ""


def ignore_time_of_day(text: str) -> str:
    """The text as it reads in the morning, for comparisons: an evening alone is no news."""
    return text.replace(_REST, _WHOLE)
