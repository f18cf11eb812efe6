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
from commands.messages.roles import roles_card

ROLES = "roles"
_GRANT, _REVOKE = "grant", "revoke"
_NAMES = tuple(level.name.lower() for level in Level if level is not Level.NONE)


@command(
    "agile roles",
    summary="who may do what here; gives a person a role for commands, or takes it back",
    level=Level.ADMIN,
    arguments=(
        Argument(
            "action",
            ArgumentKind.CHOICE,
            "`grant` or `revoke`; nothing to see what holds",
            is_positional=True,
            choices=(_GRANT, _REVOKE),
        ),
        Argument("person", ArgumentKind.PERSON, "a collaborator", is_positional=True),
        Argument("role", ArgumentKind.CHOICE, "the role to give", is_positional=True, choices=_NAMES),
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
        raise UserError(
            f"Whom? For example: `/agile roles {action} @carol{' maintain' * (action == _GRANT)}`."
        )
    if action == _REVOKE:
        return _revoke(before, login)
    if role is None:
        raise UserError(f"Which role? One of {', '.join(f'`{name}`' for name in _NAMES)}.")
    return await _grant(context, before, login, role)


def _stored_roles(setting: object) -> dict[str, str]:
    """The stored setting `roles` as a copy to edit: the granted role by login in lower case."""
    roles = setting if isinstance(setting, dict) else {}
    return {str(login).lower(): str(role) for login, role in roles.items()}


async def _grant(context: Context, before: dict[str, str], login: str, role: str) -> Changes:
    level = await context.github.find_level(login)
    if level is Level.NONE:
        raise UserError(
            f"{person(login)} is no collaborator of this repository, and a role would have no effect. Invite "
            "them on GitHub first."
        )
    summary = f"give {person(login)} the {role} role for commands"
    if level >= Level[role.upper()]:
        return Changes(summary, (), f"{person(login)} has the {level.name.lower()} role on GitHub already.")
    if before.get(login.lower()) == role:
        return Changes(summary, (), f"{person(login)} has the {role} role for commands already.")
    done = (
        f"{person(login)} may now run what needs the **{role}** role. On GitHub it stays "
        f"{level.name.lower()}."
    )
    return Changes(summary, (ChangeSetting(ROLES, before or None, before | {login.lower(): role}),), done)


def _revoke(before: dict[str, str], login: str) -> Changes:
    summary = f"take back the role of {person(login)}"
    if login.lower() not in before:
        return Changes(
            summary, (), f"{person(login)} was given no role here; on GitHub roles are taken there."
        )
    after = {other: role for other, role in before.items() if other != login.lower()}
    done = f"{person(login)} has only the role on GitHub again; it was {before[login.lower()]} for commands."
    return Changes(summary, (ChangeSetting(ROLES, before, after),), done)
