"""`/burndown`: the remaining work by day beside the ideal line."""

from commands.formatting.wording import plain
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, BY, ChartText, chart_reply
from commands.messages.sprint_charts import days_table, days_table_title, sprint_footer, summarize_burndown
from commands.shared.choosing import SPRINT, resolve_facts
from sprints.burndown import build_burndown


@command(
    "burndown",
    summary="how much remains of the sprint day by day, why, and what would be needed",
    level=Level.READ,
    arguments=(
        SPRINT,
        BY,
        AS,
    ),
    examples=("/burndown", '/burndown "Sprint 24" by:count', "/burndown as:table"),
)
async def burndown(context: Context, arguments: Arguments) -> Reply:
    """Show the distance to the ideal line in its two parts, then the chart."""
    facts = await resolve_facts(context, arguments.text("sprint"))
    chart = build_burndown(facts, arguments.text("by"))
    text = ChartText(
        f"Burndown · {plain(facts.sprint.title)}",
        summarize_burndown(facts, chart),
        days_table_title(chart),
        days_table(chart),
        sprint_footer(facts),
        says_completeness=True,
    )
    return chart_reply(context, text, chart if chart.latest else None, arguments.text("as"))
