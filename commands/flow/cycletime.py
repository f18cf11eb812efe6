"""`/cycletime`: the days that items take from their start until they are done."""

from collections.abc import Iterable

from charts.values import build_cycle_scatter
from commands.formatting.wording import counted, footer, format_moment
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, ChartText, chart_reply
from commands.messages.cycletime import TimedItem, items_table, summarize_cycletime
from commands.shared.cycle_times import read_timed_work
from commands.shared.flow_window import FOR, LAST
from sprints.calendar import Calendar
from sprints.durations import measure_cycle_times
from sprints.flow import Flow
from sprints.numbering import split_number


@command(
    "cycletime",
    summary="how many days items take from their start until they are done",
    level=Level.READ,
    feature="flow",
    arguments=(FOR, LAST, AS),
    examples=("/cycletime", "/cycletime last:26", '/cycletime "Sprint 24" as:table'),
)
async def cycletime(context: Context, arguments: Arguments) -> Reply:
    """Show the item that took longest, the expected cycle time, and the items that are not counted."""
    timed, calendar = await read_timed_work(context, arguments), context.calendar
    window, done = timed.window, timed.done
    durations, items = measure_cycle_times(done, calendar), list_timed_items(done, calendar)
    as_of = format_moment(calendar.local(context.now))
    text = ChartText(
        f"Cycle time · {window.name}",
        summarize_cycletime(items, durations, timed.usual),
        "Items by the days that they took",
        items_table(items),
        footer(
            f"As of {as_of}", window.days, f"n = {counted(durations.n, 'item')}", "days = finish − start + 1"
        ),
    )
    chart = build_cycle_scatter(done, calendar, window.first, window.last) if durations.n else None
    return chart_reply(context, text, chart, arguments.text("as"))


def list_timed_items(done: Iterable[Flow], calendar: Calendar) -> list[TimedItem]:
    """List the done items with a cycle time, the longest first."""
    items = [
        TimedItem(flow.number, calendar.day_of(flow.started_at), calendar.day_of(flow.done_at), days)
        for flow in done
        for days in measure_cycle_times([flow], calendar).days
        if flow.started_at and flow.done_at
    ]
    return sorted(items, key=lambda item: (-item.days, split_number(item.number)))
