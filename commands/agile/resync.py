"""`/agile resync`: ask GitHub again for missed events."""

from commands.formatting.wording import full_day
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, Resync
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command


@command(
    "agile resync",
    summary="compares the running sprints with GitHub at once, and reads the past again if asked to",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "since", ArgumentKind.DATE, "also read again what has happened since this day", is_past=True
        ),
    ),
    examples=("/agile resync", "/agile resync since:2026-10-01"),
    is_changing=True,
)
async def agile_resync(context: Context, arguments: Arguments) -> Changes:
    """Start a reconciliation in the background, which only adds missed events."""
    since = arguments.date("since")
    if since and since > context.calendar.day_of(context.now):
        raise UserError(f"`since:{since.isoformat()}` lies in the future; name today or a day before.")
    done = "I am comparing the running sprints with GitHub now; what differs is corrected."
    if since:
        done += (
            f" I also read the past of this repository again. That is all of it, not only what has happened "
            f"since {full_day(since)}, because the history of an item can only be read as a whole."
        )
    done += (
        "\n\nThis runs in the background and adds nothing twice. `/agile health` tells when it is done, and "
        "how many corrections there have been."
    )
    return Changes("ask GitHub again", (Resync(is_whole=since is not None),), done)
