"""The window of a flow chart: the last weeks, or the days of a sprint."""

from dataclasses import replace
from datetime import date, timedelta

from commands.formatting.wording import full_day, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.messages.flow_window import Window
from commands.shared.choosing import SPRINT, resolve_sprint
from storage.measures import Measures

# Sixty working days, as many as forecasts draw from.
USUAL_WEEKS, MOST_WEEKS = 12, 52
LAST = Argument("last", ArgumentKind.NUMBER, "so many calendar weeks, this one included")
FOR = replace(SPRINT, summary="the days of this sprint, by its title or number, instead of the last weeks")


async def resolve_window(context: Context, arguments: Arguments, usual_days: int | None = None) -> Window:
    """Resolve the window of the arguments, without days before the first recorded event and future days.

    Without arguments it is the last `usual_days`, or else the last twelve weeks. Raises UserError for a
    sprint that has not started, and for a number of weeks out of range.
    """
    today = context.calendar.day_of(context.now)
    title, weeks = arguments.text("sprint"), arguments.number("last")
    if title is not None:
        if weeks is not None:
            raise UserError("Give either a sprint or `last`: the days of a sprint, or the last weeks.")
        return await _sprint_window(context, title, today)
    if weeks is not None and not 1 <= weeks <= MOST_WEEKS:
        raise UserError(
            f"`last:{weeks}` is not valid. Use a number of calendar weeks from 1 to {MOST_WEEKS}."
        )
    if weeks is None and usual_days is not None:
        first, name = today - timedelta(days=usual_days), f"the last {usual_days} days"
    else:
        weeks = weeks or USUAL_WEEKS
        first = today - timedelta(days=today.weekday(), weeks=weeks - 1)
        name = "this week" if weeks == 1 else f"the last {weeks} weeks"
    first_event = await Measures(context.tenant, context.project.id).first_event()
    if first_event is not None and (first_recorded := context.calendar.day_of(first_event)) > first:
        return Window(min(first_recorded, today), today, f"since {full_day(first_recorded)}")
    return Window(first, today, name)


async def _sprint_window(context: Context, title: str, today: date) -> Window:
    sprint = await resolve_sprint(context, title)
    if sprint.first_day > today:
        raise UserError(
            f"{plain(sprint.title)} begins on {full_day(sprint.first_day)}, so it has no complete day yet."
        )
    last = min(sprint.last_day or today, today)
    return Window(sprint.first_day, max(sprint.first_day, last), plain(sprint.title))
