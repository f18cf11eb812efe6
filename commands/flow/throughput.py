"""`/throughput`: the number of items done per week, regardless of their size."""

from charts.values import build_throughput_bars
from commands.formatting.wording import footer, format_moment
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, ChartText, chart_reply
from commands.messages.throughput import counts_table, summarize_throughput
from commands.shared.flow_window import FOR, LAST, resolve_window
from sprints.durations import select_done
from sprints.throughput import count_throughput


@command(
    "throughput",
    summary="how many items are done per week, or per day of a sprint",
    level=Level.READ,
    feature="flow",
    arguments=(FOR, LAST, AS),
    examples=("/throughput", "/throughput last:8", '/throughput "Sprint 24" as:mermaid'),
)
async def throughput(context: Context, arguments: Arguments) -> Reply:
    """Show the most unusual week, the median week, and the items that are not counted."""
    window = await resolve_window(context, arguments)
    calendar = context.calendar
    flows = await context.flows.active(calendar.midnight(window.first), context.now)
    bars = build_throughput_bars(count_throughput(flows, calendar, window.first, window.last), calendar)
    done = select_done(flows, window.first, window.last, calendar)
    as_of = format_moment(calendar.local(context.now))
    text = ChartText(
        f"Throughput · {window.name}",
        summarize_throughput(bars, sum(flow.is_covered for flow in done)),
        f"Items done per {bars.span}",
        counts_table(bars),
        footer(f"As of {as_of}", window.days, "every item counts as one, whatever its size"),
    )
    chart = bars if any(bar.count for bar in bars.bars) else None
    return chart_reply(context, text, chart, arguments.text("as"))
