"""`/burnup`: scope and work done by day, whose difference is the burndown."""

from commands.formatting.wording import plain
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, BY, ChartText, chart_reply
from commands.messages.sprint_charts import days_table, days_table_title, sprint_footer, summarize_burnup
from commands.shared.choosing import SPRINT, resolve_facts
from sprints.burnup import build_burnup


@command(
    "burnup",
    summary="the sprint's scope and what of it is done, day by day",
    level=Level.READ,
    arguments=(
        SPRINT,
        BY,
        AS,
    ),
    examples=("/burnup", '/burnup "Sprint 24" by:points', "/burnup as:mermaid"),
)
async def burnup(context: Context, arguments: Arguments) -> Reply:
    """Show the largest change of the scope, then the chart."""
    facts = await resolve_facts(context, arguments.text("sprint"))
    chart = build_burnup(facts, arguments.text("by"))
    sprint = chart.sprint
    text = ChartText(
        f"Burnup · {plain(facts.sprint.title)}",
        summarize_burnup(facts, sprint),
        days_table_title(sprint),
        days_table(sprint),
        sprint_footer(facts),
        says_completeness=True,
    )
    return chart_reply(context, text, chart if sprint.latest else None, arguments.text("as"))
