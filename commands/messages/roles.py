"""The text of `/agile roles`."""

from collections.abc import Mapping, Sequence

from commands.formatting.wording import footer, person, table
from commands.framework.permissions import Level
from commands.messages.help import HelpEntry, who_may_text

_HEADINGS = {
    Level.READ: "Read",
    Level.TRIAGE: "Triage",
    Level.WRITE: "Write",
    Level.MAINTAIN: "Maintain",
    Level.ADMIN: "Admin",
}


def roles_card(entries: Sequence[HelpEntry], granted: Mapping[str, str]) -> str:
    """The commands by role, then the team's exceptions, then the roles that an admin granted."""
    rows = []
    for level, heading in _HEADINGS.items():
        allowed = [entry for entry in entries if entry.need.level is level]
        if allowed:
            rows.append((heading, ", ".join(f"`{entry.spelled}`" for entry in allowed)))
    parts = [
        "GitHub's roles decide; each may do what those above it may.",
        table(("Role", "May run"), rows, numbers_from=2),
        _others(entries),
        _granted(granted),
        footer("`/agile roles grant @login maintain` gives a role for commands alone, never on GitHub"),
    ]
    return "\n\n".join(part for part in parts if part)


def _others(entries: Sequence[HelpEntry]) -> str:
    """Commands that the team opened to more people, or whose required role it changed."""
    settled = [
        entry
        for entry in entries
        if entry.need.teams or entry.need.users or entry.need.level is not entry.command.level
    ]
    if not settled:
        return ""
    rows = [
        (f"`{entry.spelled}`", who_may_text(entry.need), entry.command.level.name.lower())
        for entry in settled
    ]
    return "**Settled by your team**\n\n" + table(("Command", "Who may", "Usually"), rows, numbers_from=3)


def _granted(granted: Mapping[str, str]) -> str:
    if not granted:
        return "Nobody was given another role than the one on GitHub."
    rows = [(person(login), role) for login, role in sorted(granted.items())]
    return "**Given by an admin**\n\n" + table(("Person", "Role for commands"), rows, numbers_from=2)
