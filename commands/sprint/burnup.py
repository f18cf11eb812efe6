"""`/burnup`: scope and work done by day, two lines that a burndown subtracts."""

from commands.formatting.wording import plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, BY, ChartText, chart_reply
from commands.messages.sprint_charts import burnup_reading, days_table, days_table_title, sprint_footer
from commands.shared.choosing import facts_meant
from sprints.burnup import burnup_of


@command(
    "burnup",
    summary="the sprint's scope and what of it is done, day by day",
    level=Level.READ,
    arguments=(
        Argument("for", ArgumentKind.TEXT, "the milestone's title; else the one that is running"),
        BY,
        AS,
    ),
    examples=("/burnup", '/burnup for:"Sprint 24" by:points', "/burnup as:mermaid"),
)
async def burnup(context: Context, arguments: Arguments) -> Reply:
    """The largest change of the scope before the picture."""
    facts = await facts_meant(context, arguments.text("for"))
    found = burnup_of(facts, arguments.text("by"))
    sprint = found.sprint
    words = ChartText(
        f"Burnup · {plain(facts.sprint.title)}",
        burnup_reading(facts, sprint),
        days_table_title(sprint),
        days_table(sprint),
        sprint_footer(facts),
        says_completeness=True,
    )
    return chart_reply(context, words, found if sprint.latest else None, arguments.text("as"))
