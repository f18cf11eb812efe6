"""`/calendar`: on which days the team works, and which are off."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.calendar import calendar_text


@command(
    "calendar",
    summary="on which days your team works, and which are off",
    level=Level.READ,
    arguments=(Argument("show", ArgumentKind.CHOICE, "the same", is_positional=True, choices=("show",)),),
    examples=("/calendar", "/calendar show"),
)
async def calendar(context: Context, _: Arguments) -> Reply:
    """The days off that commands gave and those of the settings, from today on; the past is folded."""
    offs, days = context.project.settings.days_off, context.calendar
    by_range = {day for off in offs for day in off.days}
    holidays = sorted(day for day in days.holidays if day not in by_range)
    return Reply((calendar_text(offs, holidays, days, days.day_of(context.now)),))
