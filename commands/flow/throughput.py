"""`/throughput`: the number of items done per week, regardless of their size."""

from decimal import Decimal

from charts.reading import number, short_day
from charts.values import CountBar, ThroughputBars, build_throughput_bars
from commands.formatting.wording import counted, footer, moment, table, weekday
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, ChartText, reply_with
from commands.shared.flow_window import FOR, LAST, resolve_window
from sprints.durations import select_done
from sprints.order_statistics import find_outlier
from sprints.throughput import count_throughput as throughput_of

# With small numbers twice as many is nothing unusual.
_LEAST_DISTANCE = 3


@command(
    "throughput",
    summary="how many items are done per week, or per day of a sprint",
    level=Level.READ,
    feature="flow",
    arguments=(FOR, LAST, AS),
    examples=("/throughput", "/throughput last:8", '/throughput for:"Sprint 24" as:mermaid'),
)
async def throughput(context: Context, arguments: Arguments) -> Reply:
    """Show the week that stands out, the median week, and the items that are not counted."""
    window = await resolve_window(context, arguments)
    flows, calendar = await context.read_flows(), context.calendar
    bars = build_throughput_bars(throughput_of(flows, calendar, window.first, window.last), calendar)
    done = select_done(flows, window.first, window.last, calendar)
    as_of = moment(calendar.local(context.now))
    text = ChartText(
        f"Throughput · {window.name}",
        throughput_reading(bars, sum(flow.is_covered for flow in done)),
        f"Items done per {bars.span}",
        counts_table(bars),
        footer(f"As of {as_of}", window.days, "every item counts as one, whatever its size"),
    )
    chart = bars if any(bar.count for bar in bars.bars) else None
    return reply_with(context, text, chart, arguments.text("as"))


def throughput_reading(bars: ThroughputBars, covered: int) -> list[str]:
    """What stands out, what is usual, and what is left out: `covered` items, whose work others tell."""
    total = sum(bar.count for bar in bars.bars)
    left_out = ""
    if covered:
        verb, their = ("is", "its") if covered == 1 else ("are", "their")
        left_out = f"{counted(covered, 'done item')} {verb} not counted, because others tell {their} work."
    if not total:
        return ["**Nothing was done in these days.** See what is in progress: `/aging`.", left_out]
    return [_outlier(bars), _usual(bars, total), left_out]


def counts_table(bars: ThroughputBars) -> str:
    """The figures; the sum stands last."""
    rows = [[_when(bar, bars.span) + _mark(bar, bars.span), str(bar.count)] for bar in bars.bars]
    rows.append(["**Sum**", f"**{sum(bar.count for bar in bars.bars)}**"])
    return table(("Week of" if bars.span == "week" else "Day", "Items done"), rows)


def _outlier(bars: ThroughputBars) -> str:
    """Weeks that are not over, and days off, are like no others; they are not compared."""
    usual = [bar for bar in bars.bars if bar.is_whole and not bar.is_off]
    place = find_outlier([Decimal(bar.count) for bar in usual], _LEAST_DISTANCE)
    if place is None or bars.median is None:
        if len(usual) < 3:
            return f"**Too early to say what is usual**: {counted(len(usual), f'whole {bars.span}')} so far."
        return f"**No {bars.span} stands out**: none has much more or less than the median."
    bar = usual[place]
    on = f"in the week of {short_day(bar.first)}" if bars.span == "week" else f"on {weekday(bar.first)}"
    said = f"**{counted(bar.count, 'item')} done {on}**, the median is {number(bars.median)}."
    if bar.count > bars.median:
        return f"{said} See whether that was a clean-up (`/explain throughput`) before you count on it."
    return f"{said} If people were away, tell me with `/calendar add`; if not, `/aging` shows what waits now."


def _usual(bars: ThroughputBars, total: int) -> str:
    spans = counted(len(bars.bars), bars.span)
    said = f"{counted(total, 'item')} done in {spans}"
    last = bars.bars[-1]
    so_far = f"; this week {last.count} so far" if bars.span == "week" and not last.is_whole else ""
    if bars.median is None:
        return f"{said}{so_far}."
    kind = "whole week" if bars.span == "week" else "working day"
    return f"The median {kind} brings **{number(bars.median)}**: {said}{so_far}."


def _when(bar: CountBar, span: str) -> str:
    return short_day(bar.first) if span == "week" else weekday(bar.first)


def _mark(bar: CountBar, span: str) -> str:
    if span == "week":
        return "" if bar.is_whole else " (in part)"
    return " (day off)" if bar.is_off else ""
