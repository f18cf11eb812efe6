"""`/calendar remove`: make days off working days again."""

from collections.abc import Iterable
from datetime import date, timedelta

from commands.calendar.add import change_days_off, describe_effects
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.calendar_remove import WHICH_DAYS, holidays_text, no_days_off_text, removed_text
from sprints.calendar import Calendar
from sprints.rules import DaysOff

_A_DAY = timedelta(days=1)


@command(
    "calendar remove",
    summary="turns days off back into working days",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "dates",
            ArgumentKind.DATES,
            "a day, or the first and the last of several days",
            is_positional=True,
            is_required=True,
        ),
    ),
    examples=("/calendar remove 2026-12-24..2027-01-02", "/calendar remove 2026-12-31"),
    is_changing=True,
)
async def calendar_remove(context: Context, arguments: Arguments) -> Changes:
    """Remove days off in a range: entries within it are removed, overlapping ones are cut."""
    dates = arguments.dates("dates")
    if dates is None:  # The parser requires it.
        raise UserError(WHICH_DAYS)
    first, last = dates
    days_off = context.project.settings.days_off
    left = remove_days(days_off, first, last)
    if left == list(days_off):
        raise UserError(_explain_nothing_removed(first, last, context.calendar))
    days_before, days_after = (len({day for off in some for day in off.days}) for some in (days_off, left))
    done = [
        removed_text(days_before - days_after, first, last),
        *await describe_effects(context, left),
    ]
    return Changes("remove days off", (change_days_off(context, left),), "\n\n".join(done))


def remove_days(offs: Iterable[DaysOff], first: date, last: date) -> list[DaysOff]:
    """Remove the days from `first` to `last`; split an entry that spans them."""
    left = []
    for off in offs:
        if off.last < first or last < off.first:
            left.append(off)
            continue
        if off.first < first:
            left.append(DaysOff(off.first, first - _A_DAY, off.name))
        if last < off.last:
            left.append(DaysOff(last + _A_DAY, off.last, off.name))
    return left


def _explain_nothing_removed(first: date, last: date, calendar: Calendar) -> str:
    """The text why none of these days can be removed."""
    fixed = sorted(day for day in calendar.holidays if first <= day <= last)
    return holidays_text(fixed) if fixed else no_days_off_text(first, last)
