"""`/agile roles`: who may run which command, and roles for commands that an admin grants."""

from commands.agile.help import list_entries
from commands.formatting.wording import person
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.roles import (
    granted_text,
    has_role_text,
    missing_person_text,
    missing_role_text,
    no_collaborator_text,
    not_granted_text,
    revoked_text,
    roles_card,
)

ROLES = "roles"
_GRANT, _REVOKE = "grant", "revoke"
_NAMES = tuple(level.name.lower() for level in Level if level is not Level.NONE)


@command(
    "agile roles",
    summary="who may run what here; grants a person a role for commands, or revokes it",
    level=Level.ADMIN,
    arguments=(
        Argument(
            "action",
            ArgumentKind.CHOICE,
            "`grant` or `revoke`; leave it out to see all roles",
            is_positional=True,
            choices=(_GRANT, _REVOKE),
        ),
        Argument("person", ArgumentKind.PERSON, "a collaborator", is_positional=True),
        Argument("role", ArgumentKind.CHOICE, "the role to grant", is_positional=True, choices=_NAMES),
    ),
    examples=("/agile roles", "/agile roles grant @carol maintain", "/agile roles revoke @carol"),
    is_changing=True,
)
async def agile_roles(context: Context, arguments: Arguments) -> Changes | Reply:
    """Show, grant or revoke roles. A granted role only adds to the role on GitHub, and ends with it."""
    before = _stored_roles(context.project.stored_settings.get(ROLES))
    action, login, role = (arguments.text(name) for name in ("action", "person", "role"))
    if action is None:
        return Reply((roles_card(await list_entries(context), before),))
    if login is None:
        raise UserError(missing_person_text(action))
    if action == _REVOKE:
        return _revoke(before, login)
    if role is None:
        raise UserError(missing_role_text(_NAMES))
    return await _grant(context, before, login, role)


def _stored_roles(setting: object) -> dict[str, str]:
    """The stored setting `roles` as a copy to edit: the granted role by login in lower case."""
    roles = setting if isinstance(setting, dict) else {}
    return {str(login).lower(): str(role) for login, role in roles.items()}


async def _grant(context: Context, before: dict[str, str], login: str, role: str) -> Changes:
    level = await context.github.find_level(login)
    if level is Level.NONE:
        raise UserError(no_collaborator_text(login))
    summary, role_on_github = f"grant {person(login)} the {role} role for commands", level.name.lower()
    if level >= Level[role.upper()]:
        return Changes(summary, (), has_role_text(login, role_on_github, is_on_github=True), topic=login)
    if before.get(login.lower()) == role:
        return Changes(summary, (), has_role_text(login, role, is_on_github=False), topic=login)
    done = granted_text(login, role, role_on_github)
    step = ChangeSetting(ROLES, before or None, before | {login.lower(): role})
    return Changes(summary, (step,), done, topic=login)


def _revoke(before: dict[str, str], login: str) -> Changes:
    summary = f"revoke the role of {person(login)} for commands"
    if login.lower() not in before:
        return Changes(summary, (), not_granted_text(login), topic=login)
    after = {other: role for other, role in before.items() if other != login.lower()}
    done = revoked_text(login, before[login.lower()])
    return Changes(summary, (ChangeSetting(ROLES, before, after),), done, topic=login)
