"""The items whose cycle times an answer measures."""

from collections.abc import Sequence
from dataclasses import dataclass

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.messages.flow_window import Window
from commands.shared.flow_window import resolve_window
from commands.shared.work import read_past, read_past_items
from sprints.durations import select_done
from sprints.expectation import PastCycleTimes
from sprints.flow import Flow


@dataclass(frozen=True, slots=True)
class TimedWork:
    """Done items and their window. `usual` are the usual cycle times, where the items are others."""

    window: Window
    done: Sequence[Flow]
    usual: PastCycleTimes | None = None


async def read_timed_work(context: Context, arguments: Arguments) -> TimedWork:
    """Read the done items of the days asked for, else those behind the usual cycle times.

    So without arguments every answer names the same percentiles. Raises UserError as `resolve_window` does.
    """
    calendar = context.calendar
    if arguments.text("for") is not None or arguments.number("last") is not None:
        window = await resolve_window(context, arguments)
        flows = await context.flows.active(calendar.midnight(window.first), context.now)
        done = select_done(flows, window.first, window.last, calendar)
        return TimedWork(window, done, await read_past(context))
    past, days = await read_past_items(context)
    today = calendar.day_of(context.now)
    first = min((calendar.day_of(flow.done_at) for flow in past if flow.done_at), default=today)
    name = f"the last {days} days" if days else "all recorded history"
    return TimedWork(Window(first, today, name), past)
