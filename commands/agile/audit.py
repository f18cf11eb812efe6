"""`/agile audit`: who changed what through commands."""

from collections.abc import Sequence

import msgspec

from commands.formatting.wording import code, footer, moment, person, plain, table
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Step
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.change_steps import Titles, described, titles_of
from sprints.calendar import Calendar
from storage.changes import AuditEntry

_USUAL, _MOST = 20, 100


@command(
    "agile audit",
    summary="who changed what through commands in this repository, the latest first",
    level=Level.ADMIN,
    arguments=(Argument("last", ArgumentKind.NUMBER, f"how many entries; else {_USUAL}, at most {_MOST}"),),
    examples=("/agile audit", "/agile audit last:50"),
    feature="audit",
)
async def agile_audit(context: Context, arguments: Arguments) -> Reply:
    """List the latest entries of the audit log, which nobody can change or remove."""
    most = arguments.number("last") or _USUAL
    if most > _MOST:
        raise UserError(f"`last:{most}` is more than one comment holds. Use a number up to {_MOST}.")
    entries = await context.changes.audit_entries(most)
    titles = titles_of(await context.sprints.all(context.now))
    return Reply((audit_card(entries, titles, context.calendar),))


def audit_card(entries: Sequence[AuditEntry], titles: Titles, calendar: Calendar) -> str:
    """A line for each thing that was changed."""
    if not entries:
        return "No command has changed anything in this repository yet."
    rows = [
        (
            moment(calendar.local(entry.at)),
            person(entry.actor),
            code(entry.action[:100]),
            _changed(entry, titles),
        )
        for entry in entries
    ]
    note = footer(
        "one line for each thing that a command changed", "what people did on GitHub itself is not here"
    )
    return f"{table(('When', 'Who', 'Command', 'Changed'), rows, numbers_from=4)}\n\n{note}"


def _changed(entry: AuditEntry, titles: Titles) -> str:
    """What an entry tells; one of a kind that is no longer known, by what it was about."""
    try:
        return described(msgspec.convert(entry.details.get("step"), Step), titles)
    except msgspec.ValidationError:
        return plain(entry.target)
