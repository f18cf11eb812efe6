"""`/sprint report`: the outcome of a sprint, every number with its list."""

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.report import report_text
from commands.shared.choosing import SPRINT, resolve_sprint
from commands.shared.reporting import read_report


@command(
    "sprint report",
    summary="what became of a sprint: its final numbers with their lists, and what was learned since",
    level=Level.READ,
    arguments=(SPRINT,),
    examples=("/sprint report", '/sprint report "Sprint 24"'),
    synonyms=("sprint result", "sprint results", "sprint outcome"),
)
async def sprint_report(context: Context, arguments: Arguments) -> Reply:
    """Report the final numbers of a finished sprint, or the numbers of a running one so far."""
    sprint = await resolve_sprint(context, arguments.text("sprint"))
    return Reply((report_text(await read_report(context, sprint)),), says_completeness=True)
