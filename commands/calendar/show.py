"""`/calendar`: the team's working days and days off."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.calendar import calendar_text
from commands.shared.days_off import list_days_off


@command(
    "calendar",
    summary="on which days your team works, and which are off",
    level=Level.READ,
    arguments=(Argument("show", ArgumentKind.CHOICE, "the same", is_positional=True, choices=("show",)),),
    examples=("/calendar", "/calendar show"),
    synonyms=("calendar list", "holidays", "calendar days"),
)
async def calendar(context: Context, _: Arguments) -> Reply:
    """Show days off from commands and holidays of the settings, from today on; past ones are folded."""
    days_off, team_calendar = list_days_off(context), context.calendar
    by_range = {day for off in context.project.settings.days_off for day in off.days}
    holidays = sorted(day for day in team_calendar.holidays if day not in by_range)
    return Reply((calendar_text(days_off, holidays, team_calendar, team_calendar.day_of(context.now)),))
