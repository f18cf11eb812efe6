"""The texts of `/agile roles`: who may run what, and roles that an admin grants."""

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
        "Your role on GitHub decides. Each role may also run the commands of the roles above it.",
        table(("Role", "May run"), rows, numbers_from=2),
        _others(entries),
        _granted(granted),
        footer("`/agile roles grant @login maintain` gives a role for commands only, never on GitHub"),
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
    return "**Changed by your team**\n\n" + table(
        ("Command", "Who may run it", "Default role"), rows, numbers_from=3
    )


def _granted(granted: Mapping[str, str]) -> str:
    if not granted:
        return "Nobody has an additional role for commands."
    rows = [(person(login), role) for login, role in sorted(granted.items())]
    return "**Granted by an admin**\n\n" + table(("Person", "Role for commands"), rows, numbers_from=2)


def missing_person_text(action: str) -> str:
    """Ask for the person whose role is to be changed."""
    role = " maintain" if action == "grant" else ""
    return f"Please name a person, for example `/agile roles {action} @carol{role}`."


def missing_role_text(roles: Sequence[str]) -> str:
    """Ask for the role to grant."""
    names = [f"`{name}`" for name in roles]
    return f"Please name a role: {', '.join(names[:-1])}, or {names[-1]}."


def no_collaborator_text(login: str) -> str:
    """Refuse a role for somebody without access to the repository."""
    return (
        f"{person(login)} is not a collaborator of this repository, so a role would have no effect. Invite "
        "them on GitHub first."
    )


def has_role_text(login: str, role: str, *, is_on_github: bool) -> str:
    """Say that somebody has a role already."""
    where = "on GitHub" if is_on_github else "for commands"
    return f"{person(login)} already has the {role} role {where}."


def granted_text(login: str, role: str, role_on_github: str) -> str:
    """Confirm a granted role."""
    return (
        f"{person(login)} may now run commands that need the **{role}** role. Their role on GitHub is still "
        f"{role_on_github}."
    )


def revoked_text(login: str, role: str) -> str:
    """Confirm a revoked role."""
    return f"{person(login)} no longer has the {role} role for commands. Their role on GitHub applies."


def not_granted_text(login: str) -> str:
    """Say that there is no granted role to revoke."""
    return f"{person(login)} has no role for commands to revoke. You change roles on GitHub in its settings."
