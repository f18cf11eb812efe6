"""Texts and tables about the audit log."""

from collections.abc import Sequence

import msgspec

from commands.formatting.wording import code, footer, format_moment, person, plain, table
from commands.framework.changes import Step
from commands.messages.change_steps import Titles, step_text
from sprints.calendar import Calendar
from storage.changes import AuditEntry


def audit_card(entries: Sequence[AuditEntry], titles: Titles, calendar: Calendar) -> str:
    """A table of audit entries, one line for each thing that was changed."""
    if not entries:
        return "No command has changed anything in this repository yet."
    rows = [
        (
            format_moment(calendar.local(entry.at)),
            person(entry.actor),
            code(entry.action[:100]),
            _changed(entry, titles),
        )
        for entry in entries
    ]
    note = footer("one line per change made by a command", "changes made directly on GitHub are not listed")
    return f"{table(('When', 'Who', 'Command', 'Changed'), rows, numbers_from=4)}\n\n{note}"


def too_many_entries_text(count: int, most: int) -> str:
    """Refuse more entries than a comment can show."""
    return f"`last:{count}` does not fit into one comment. Use a number up to {most}."


def _changed(entry: AuditEntry, titles: Titles) -> str:
    """Describe what an entry changed; for a kind of step that no longer exists, only name its target."""
    try:
        return step_text(msgspec.convert(entry.details.get("step"), Step), titles)
    except msgspec.ValidationError:
        return plain(entry.target)
