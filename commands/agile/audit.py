"""`/agile audit`: the changes made through commands, and their authors."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.audit import audit_card, too_many_entries_text
from commands.messages.change_steps import titles_by_number

_USUAL, _MOST = 20, 100


@command(
    "agile audit",
    summary="who changed what by command in this repository, latest first",
    level=Level.ADMIN,
    arguments=(
        Argument(
            "last",
            ArgumentKind.NUMBER,
            f"the number of entries, at most {_MOST}; {_USUAL} if you leave it out",
        ),
    ),
    examples=("/agile audit", "/agile audit last:50"),
    feature="audit",
)
async def agile_audit(context: Context, arguments: Arguments) -> Reply:
    """List the latest entries of the audit log, which is append-only."""
    most = arguments.number("last") or _USUAL
    if most > _MOST:
        raise UserError(too_many_entries_text(most, _MOST))
    entries = await context.changes.audit_entries(most)
    titles = titles_by_number(await context.sprints.all(context.now))
    return Reply((audit_card(entries, titles, context.calendar),))
