"""`/help`: what there is to say here, and who may."""

import difflib
from functools import cache

import commands
from commands.formatting.wording import plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import NAMESPACE, Level, Need, Policy
from commands.framework.planning import Planning
from commands.framework.registry import Command, command, load
from commands.messages.help import HelpEntry, command_group_text, command_text, help_overview


@command(
    "help",
    summary="what you can write here, and who may",
    level=Level.READ,
    arguments=(
        Argument("command", ArgumentKind.TEXTS, "one command, to hear all about it", is_positional=True),
    ),
    examples=("/help", "/help sprint status"),
)
async def help_(context: Context, arguments: Arguments) -> Reply:
    """All commands, those that begin with a word, or one."""
    entries = await entries_of(context)
    words = " ".join(" ".join(arguments.texts("command")).lower().split()).lstrip("/")
    if not words:
        return Reply((help_overview(entries),))
    policy = policy_of(context)
    meant = _meant(words, entries, policy)
    if exact := [entry for entry in entries if entry.command.name == meant]:
        return Reply((command_text(exact[0], context.level),))
    if beginning := [entry for entry in entries if entry.command.words[0] == meant]:
        return Reply((command_group_text(beginning),))
    close = difflib.get_close_matches(meant, [entry.command.name for entry in entries], n=1, cutoff=0.5)
    hint = f"Did you mean `/help {close[0]}`?" if close else "`/help` shows all there are."
    raise UserError(f"There is no command “{plain(words)}”. {hint}")


async def entries_of(context: Context) -> list[HelpEntry]:
    """All commands as they are in this repository, for the person who asks."""
    policy = policy_of(context)
    found = []
    for each in known():
        need = policy.need(each.name, each.level)
        found.append(HelpEntry(each, policy.spelled(each.name), need, await _may(context, need)))
    return found


def policy_of(planning: Planning) -> Policy:
    """What the team has settled about its commands."""
    return Policy(planning.project.settings, planning.project.other_bots)


@cache
def known() -> tuple[Command, ...]:
    """All commands."""
    return load(commands)


def _meant(words: str, entries: list[HelpEntry], policy: Policy) -> str:
    """The command's own name, of what may be the team's name for it, or what stands behind `/agile`."""
    names = {entry.command.name for entry in entries}
    if words in names:
        return words
    verb, _, rest = words.partition(" ")
    if verb == NAMESPACE and rest in names:
        return rest
    return " ".join(filter(None, (policy.meant_by(verb), rest)))


async def _may(context: Context, need: Need) -> bool:
    request = context.request
    if need.admits(request.sender, context.level, request.author):
        return True
    return any([await context.github.is_in_team(request.sender, team) for team in sorted(need.teams)])
