"""`/summary`: a sprint summed up for everybody who had a part in it."""

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.summary import summary_parts
from commands.shared.choosing import SPRINT, resolve_sprint
from commands.shared.reporting import add_people, read_report


@command(
    "summary",
    summary="a milestone summed up: goal, burndown, numbers with their lists, longest waits, and thanks",
    level=Level.READ,
    arguments=(SPRINT,),
    examples=("/summary", '/summary "Sprint 24"'),
)
async def summary(context: Context, arguments: Arguments) -> Reply:
    """Sum up a sprint from its snapshot if there is one, so that it can be posted again unchanged."""
    sprint = await resolve_sprint(context, arguments.text("sprint"))
    report = await add_people(context, await read_report(context, sprint))
    return Reply(tuple(summary_parts(context, report)), says_completeness=True)
