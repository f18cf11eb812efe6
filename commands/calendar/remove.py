"""`/calendar remove`: make days off working days again."""

from collections.abc import Iterable
from datetime import date, timedelta

from commands.calendar.add import change_days_off, describe_effects
from commands.formatting.wording import counted, full_day
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.calendar import date_range
from sprints.calendar import Calendar
from sprints.rules import DaysOff

_A_DAY = timedelta(days=1)


@command(
    "calendar remove",
    summary="days that are off become working days again",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "dates",
            ArgumentKind.DATES,
            "a day, or a first and a last one",
            is_positional=True,
            is_required=True,
        ),
    ),
    examples=("/calendar remove 2026-12-24..2027-01-02", "/calendar remove 31 Dec"),
    is_changing=True,
)
async def calendar_remove(context: Context, arguments: Arguments) -> Changes:
    """Remove days off in a range: entries within it are removed, overlapping ones are cut."""
    dates = arguments.dates("dates")
    if dates is None:  # The parser requires it.
        raise UserError("Which days? For example `/calendar remove 31 Dec`.")
    first, last = dates
    days_off = context.project.settings.days_off
    left = remove_days(days_off, first, last)
    if left == list(days_off):
        raise UserError(_explain_nothing_removed(first, last, context.calendar))
    days_before, days_after = (len({day for off in some for day in off.days}) for some in (days_off, left))
    done = [
        f"**{counted(days_before - days_after, 'day')} off taken back** ({date_range(first, last)}).",
        *await describe_effects(context, left),
    ]
    return Changes("take days off back", (change_days_off(context, left),), "\n\n".join(done))


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
    if fixed:
        days = ", ".join(full_day(day) for day in fixed[:5])
        return f"Holidays of the settings are changed there, under `holidays`: {days}."
    if first == last:
        return f"{full_day(first)} was not added as a day off. `/calendar` shows all."
    return f"No days off were added from {date_range(first, last)}. `/calendar` shows all."
