"""`/cycletime`: how long items take from their start until they are done."""

from collections.abc import Iterable

from charts.values import build_cycle_scatter
from commands.formatting.wording import counted, footer, moment
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, ChartText, chart_reply
from commands.messages.cycletime import TimedItem, cycletime_reading, items_table
from commands.shared.flow_window import FOR, LAST, resolve_window
from sprints.calendar import Calendar
from sprints.durations import measure_cycle_times, select_done
from sprints.expectation import WINDOW_DAYS
from sprints.flow import Flow
from sprints.numbering import split_number


@command(
    "cycletime",
    summary="how many days items take from their start until they are done",
    level=Level.READ,
    feature="flow",
    arguments=(FOR, LAST, AS),
    examples=("/cycletime", "/cycletime last:26", '/cycletime for:"Sprint 24" as:table'),
)
async def cycletime(context: Context, arguments: Arguments) -> Reply:
    """The item that took longest, what can be expected, and what is not counted."""
    window, calendar = await resolve_window(context, arguments, WINDOW_DAYS), context.calendar
    done = select_done(await context.read_flows(), window.first, window.last, calendar)
    found, items = measure_cycle_times(done, calendar), timed(done, calendar)
    as_of = moment(calendar.local(context.now))
    words = ChartText(
        f"Cycle time · {window.name}",
        cycletime_reading(items, found),
        "Items by the days that they took",
        items_table(items),
        footer(f"As of {as_of}", window.days, f"n = {counted(found.n, 'item')}", "days = finish − start + 1"),
    )
    chart = build_cycle_scatter(done, calendar, window.first, window.last) if found.n else None
    return chart_reply(context, words, chart, arguments.text("as"))


def timed(done: Iterable[Flow], calendar: Calendar) -> list[TimedItem]:
    """The items whose cycle time counts, the longest first."""
    found = [
        TimedItem(flow.number, calendar.day_of(flow.started_at), calendar.day_of(flow.done_at), days)
        for flow in done
        for days in measure_cycle_times([flow], calendar).days
        if flow.started_at and flow.done_at
    ]
    return sorted(found, key=lambda item: (-item.days, split_number(item.number)))
