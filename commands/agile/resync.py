"""`/agile resync`: ask GitHub again for missed events."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, Resync
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.resync import future_day_text, started_text


@command(
    "agile resync",
    summary="compares the running sprints with GitHub now, and imports the history again if you ask for it",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "since", ArgumentKind.DATE, "also import the history again, at least since this day", is_past=True
        ),
    ),
    examples=("/agile resync", "/agile resync since:2026-10-01"),
    is_changing=True,
)
async def agile_resync(context: Context, arguments: Arguments) -> Changes:
    """Start a reconciliation in the background, which only adds missed events."""
    since = arguments.date("since")
    if since and since > context.calendar.day_of(context.now):
        raise UserError(future_day_text(since))
    return Changes("compare with GitHub", (Resync(is_whole=since is not None),), started_text(since))
