"""`/burndown`: remaining work by day beside the ideal line."""

from commands.formatting.wording import plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, BY, ChartText, chart_reply
from commands.messages.sprint_charts import burndown_reading, days_table, days_table_title, sprint_footer
from commands.shared.choosing import facts_meant
from sprints.burndown import burndown_of


@command(
    "burndown",
    summary="how much remains of the sprint day by day, why, and what would be needed",
    level=Level.READ,
    arguments=(
        Argument("for", ArgumentKind.TEXT, "the milestone's title; else the one that is running"),
        BY,
        AS,
    ),
    examples=("/burndown", '/burndown for:"Sprint 24" by:count', "/burndown as:table"),
)
async def burndown(context: Context, arguments: Arguments) -> Reply:
    """The distance to the ideal line, in its two parts, before the picture."""
    facts = await facts_meant(context, arguments.text("for"))
    found = burndown_of(facts, arguments.text("by"))
    words = ChartText(
        f"Burndown · {plain(facts.sprint.title)}",
        burndown_reading(facts, found),
        days_table_title(found),
        days_table(found),
        sprint_footer(facts),
        says_completeness=True,
    )
    return chart_reply(context, words, found if found.latest else None, arguments.text("as"))
