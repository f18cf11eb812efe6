"""`/summary`: a sprint told to everybody who had a part in it."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.summary import summary_parts
from commands.shared.choosing import sprint_meant
from commands.shared.reporting import sheet_of, with_people


@command(
    "summary",
    summary="a milestone summed up: goal, burndown, numbers with their lists, longest waits, and thanks",
    level=Level.READ,
    arguments=(
        Argument(
            "milestone", ArgumentKind.TEXT, "the milestone's title in quotation marks; else the running one"
        ),
    ),
    examples=("/summary", '/summary milestone:"Sprint 24"'),
)
async def summary(context: Context, arguments: Arguments) -> Reply:
    """Made of the frozen numbers where there are some, so that it can be posted again as it was."""
    sprint = await sprint_meant(context, arguments.text("milestone"))
    sheet = await with_people(context, await sheet_of(context, sprint))
    return Reply(tuple(summary_parts(context, sheet)), says_completeness=True)
