"""Texts and tables about velocity."""

from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from charts.reading import number
from commands.formatting.wording import full_day, plain, table
from commands.messages.progress import percent
from sprints.burndown import measure
from sprints.calendar import Calendar
from sprints.velocity import Velocity


def sprints_table(found: Velocity, calendar: Calendar) -> str:
    """The figures of each sprint, oldest first."""
    head = ("Sprint", "Last day", "Committed", "Completed", "Kept", "Say/do", "Carried over", "Done late")
    rows = []
    for one in found.outcomes:
        last_day = full_day(calendar.day_of(one.end - timedelta(microseconds=1)))
        amounts = (one.committed, one.completed, one.kept)
        figures = [number(measure(amount, found.unit)) for amount in amounts]
        rest = [number(measure(amount, found.unit)) for amount in (one.carried, one.late)]
        rows.append([plain(one.title), last_day, *figures, _percent(one.say_do(found.unit)), *rest])
    return table(head, rows) if rows else ""


def _percent(share: Decimal | None) -> str:
    """A share of 1 as whole percent, halves to even; nothing for none."""
    return "" if share is None else percent(share, ROUND_HALF_EVEN)
