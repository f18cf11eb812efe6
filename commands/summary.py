"""`/summary`: a sprint told to everybody who had a part in it."""

from commands.arguments import Argument, Arguments, Kind
from commands.choosing import sprint_meant
from commands.context import Context
from commands.outcome import Reply
from commands.permissions import Level
from commands.registry import command
from commands.reporting import sheet_of, with_people
from commands.summary_post import summary_parts


@command(
    "summary",
    summary="a milestone summed up: goal, burndown, numbers with their lists, longest waits, and thanks",
    level=Level.READ,
    arguments=(
        Argument("milestone", Kind.TEXT, "the milestone's title in quotation marks; else the running one"),
    ),
    examples=("/summary", '/summary milestone:"Sprint 24"'),
)
async def summary(context: Context, arguments: Arguments) -> Reply:
    """Made of the frozen numbers where there are some, so that it can be posted again as it was."""
    sprint = await sprint_meant(context, arguments.text("milestone"))
    sheet = await with_people(context, await sheet_of(context, sprint))
    return Reply(tuple(summary_parts(context, sheet)), says_completeness=True)
