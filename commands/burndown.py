"""`/burndown`: remaining work by day beside the ideal line."""

from commands.arguments import Argument, Arguments, Kind
from commands.charting import AS, BY, Words, reply_with
from commands.choosing import facts_meant
from commands.context import Context
from commands.outcome import Reply
from commands.permissions import Level
from commands.registry import command
from commands.sprint_reading import burndown_reading, days_name, days_table, sprint_footer
from commands.wording import plain
from sprints.burndown import burndown_of


@command(
    "burndown",
    summary="how much remains of the sprint day by day, why, and what would be needed",
    level=Level.READ,
    arguments=(Argument("for", Kind.TEXT, "the milestone's title; else the one that is running"), BY, AS),
    examples=("/burndown", '/burndown for:"Sprint 24" by:count', "/burndown as:table"),
)
async def burndown(context: Context, arguments: Arguments) -> Reply:
    """The distance to the ideal line, in its two parts, before the picture."""
    facts = await facts_meant(context, arguments.text("for"))
    found = burndown_of(facts, arguments.text("by"))
    words = Words(
        f"Burndown · {plain(facts.sprint.title)}",
        burndown_reading(facts, found),
        days_name(found),
        days_table(found),
        sprint_footer(facts),
        says_completeness=True,
    )
    return reply_with(context, words, found if found.latest else None, arguments.text("as"))
