"""`/cycletime`: the days that items take from their start until they are done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from charts.values import build_cycle_scatter
from commands.formatting.wording import counted, footer, full_day, moment, table
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, ChartText, reply_with
from commands.messages.cycletime import left_out
from commands.shared.flow_window import FOR, LAST, resolve_window
from sprints.calendar import Calendar
from sprints.durations import Durations, measure_cycle_times, select_done
from sprints.expectation import ENOUGH, WINDOW_DAYS
from sprints.flow import Flow
from sprints.numbering import Number, ref, split_number

_MOST_ROWS = 40
_TIMES = 2
_NONE = (
    "**No item with a known start was done in these days.** Work counts as started by `/start`, an “in "
    "progress” label, a pull request that closes it, or an assignment."
)


@dataclass(frozen=True, slots=True)
class Timed:
    """A done item and the local days that it took."""

    number: Number
    started: date
    done: date
    days: int


@command(
    "cycletime",
    summary="how many days items take from their start until they are done",
    level=Level.READ,
    feature="flow",
    arguments=(FOR, LAST, AS),
    examples=("/cycletime", "/cycletime last:26", '/cycletime for:"Sprint 24" as:table'),
)
async def cycletime(context: Context, arguments: Arguments) -> Reply:
    """Show the item that took longest, the expected cycle time, and the items that are not counted."""
    window, calendar = await resolve_window(context, arguments, WINDOW_DAYS), context.calendar
    done = select_done(await context.read_flows(), window.first, window.last, calendar)
    durations, items = measure_cycle_times(done, calendar), list_timed_items(done, calendar)
    as_of = moment(calendar.local(context.now))
    text = ChartText(
        f"Cycle time · {window.name}",
        cycletime_reading(items, durations),
        "Items by the days that they took",
        items_table(items),
        footer(
            f"As of {as_of}", window.days, f"n = {counted(durations.n, 'item')}", "days = finish − start + 1"
        ),
    )
    chart = build_cycle_scatter(done, calendar, window.first, window.last) if durations.n else None
    return reply_with(context, text, chart, arguments.text("as"))


def list_timed_items(done: Iterable[Flow], calendar: Calendar) -> list[Timed]:
    """List the done items with a cycle time, the longest first."""
    items = [
        Timed(flow.number, calendar.day_of(flow.started_at), calendar.day_of(flow.done_at), days)
        for flow in done
        for days in measure_cycle_times([flow], calendar).days
        if flow.started_at and flow.done_at
    ]
    return sorted(items, key=lambda item: (-item.days, split_number(item.number)))


def cycletime_reading(items: Sequence[Timed], found: Durations) -> list[str]:
    """What stands out, what to expect, and what is left out."""
    if not items:
        return [_NONE, left_out(found)]
    return [_outlier(items, found), _expect(found), left_out(found)]


def items_table(items: Sequence[Timed]) -> str:
    """The items, the longest first."""
    rows = [[ref(i.number), full_day(i.started), full_day(i.done), str(i.days)] for i in items[:_MOST_ROWS]]
    if rest := items[_MOST_ROWS:]:
        rows.append([f"… {len(rest)} more", "", "", f"{rest[0].days} or fewer"])
    return table(("Item", "Started", "Done", "Days"), rows, numbers_from=3) if rows else ""


def _outlier(items: Sequence[Timed], found: Durations) -> str:
    longest, half = items[0], found.days_percentile(50) or 0
    took = f"{ref(longest.number)} took {counted(longest.days, 'day')}"
    if len(items) < 3 or longest.days <= _TIMES * half:
        return f"**Nothing stands out**: the longest, {took}, half of them at most {half}."
    return (
        f"**{took}**, half of the items took at most {half}. `/explain cycle time` shows what began and "
        "ended it. If it was large, `/split` the next one like it; if it waited, `/blocked` shows that."
    )


def _expect(found: Durations) -> str:
    half, most, nearly_all = (found.days_percentile(percent) for percent in (50, 85, 95))
    if found.n < ENOUGH:
        return (
            f"Only {counted(found.n, 'item')} so far, too few to promise anything: half took at most "
            f"{half} days, 85 % at most {most}."
        )
    return (
        f"Expect **85 % of items within {counted(most or 0, 'day')}**; half take at most {half}, "
        f"95 % at most {nearly_all}."
    )
