"""`/calendar remove`: days on which the team works after all."""

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
    examples=("/calendar remove 2026-12-24..2027-01-02", "/calendar remove 2026-12-31"),
    is_changing=True,
)
async def calendar_remove(context: Context, arguments: Arguments) -> Changes:
    """Entries of days off that lie within are gone, others are cut."""
    dates = arguments.dates("dates")
    if dates is None:  # The parser has seen to it.
        raise UserError("Which days? For example `/calendar remove 2026-12-31`.")
    first, last = dates
    offs = context.project.settings.days_off
    left = remove_days(offs, first, last)
    if left == list(offs):
        raise UserError(_nothing(first, last, context.calendar))
    was, now = (len({day for off in some for day in off.days}) for some in (offs, left))
    done = [
        f"**{counted(was - now, 'day')} off taken back** ({date_range(first, last)}).",
        *await describe_effects(context, left),
    ]
    return Changes("take days off back", (change_days_off(context, left),), "\n\n".join(done))


def remove_days(offs: Iterable[DaysOff], first: date, last: date) -> list[DaysOff]:
    """The days off that do not lie from `first` to `last`; an entry around them is cut into two."""
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


def _nothing(first: date, last: date, calendar: Calendar) -> str:
    """Why none of these days can be taken back."""
    fixed = sorted(day for day in calendar.holidays if first <= day <= last)
    if fixed:
        days = ", ".join(full_day(day) for day in fixed[:5])
        return f"Holidays of the settings are changed there, under `holidays`: {days}."
    if first == last:
        return f"{full_day(first)} was not added as a day off. `/calendar` shows all."
    return f"No days off were added from {date_range(first, last)}. `/calendar` shows all."
