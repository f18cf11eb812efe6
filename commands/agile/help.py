"""`/help`: the commands, and who may run them."""

import difflib
from functools import cache

import commands
from commands.formatting.wording import plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import NAMESPACE, Level, Policy, Requirement
from commands.framework.planning import Planning
from commands.framework.registry import Command, command, load_commands
from commands.messages.help import FAMILIES, HelpEntry, command_text, family_text, help_overview
from commands.shared.help_situation import read_situation


@command(
    "help",
    summary="what you can write here, and who may",
    level=Level.READ,
    arguments=(
        Argument("command", ArgumentKind.TEXTS, "one command, to hear all about it", is_positional=True),
    ),
    examples=("/help", "/help sprint status"),
    synonyms=(
        "commands",
        "sprint help",
        "sprint commands",
        "wip help",
        "team help",
        "calendar help",
    ),
)
async def help_(context: Context, arguments: Arguments) -> Reply:
    """Show what fits here, list a family of commands or those that begin with a word, or describe one."""
    entries = await list_entries(context)
    words = " ".join(" ".join(arguments.texts("command")).lower().split()).lstrip("/")
    if not words:
        return Reply((help_overview(entries, await read_situation(context)),))
    policy = build_policy(context)
    name = _resolve_name(words, entries, policy)
    exact = [entry for entry in entries if entry.command.name == name]
    if family := _find_family(name, entries):
        return Reply((family_text(family),))
    if exact:
        return Reply((command_text(exact[0], context.level),))
    if beginning := [entry for entry in entries if entry.command.words[0] == name]:
        return Reply((family_text(beginning),))
    close = difflib.get_close_matches(name, [entry.command.name for entry in entries], n=1, cutoff=0.5)
    hint = f"Did you mean `/help {close[0]}`?" if close else "`/help` lists all commands."
    raise UserError(f"There is no command “{plain(words)}”. {hint}")


async def list_entries(context: Context) -> list[HelpEntry]:
    """The help entries of all commands as they apply to this repository and the asker."""
    policy, declared = build_policy(context), all_commands()
    features = {command.feature for command in declared if command.feature}
    included = {feature for feature in features if await context.can_use(feature)}
    entries = []
    for command_ in declared:
        requirement = policy.find_requirement(command_.name, command_.level)
        is_allowed = await _is_allowed(context, requirement)
        is_enabled = command_.feature is None or command_.feature in included
        spelled = policy.spell(command_.name)
        entries.append(HelpEntry(command_, spelled, requirement, is_allowed, is_enabled))
    return entries


def _find_family(name: str, entries: list[HelpEntry]) -> list[HelpEntry]:
    """The commands of the family with a name or the name of its folder; none if there is no such family."""
    keys = {key for key, title in FAMILIES.items() if name in {key, key.rstrip("s"), title.lower()}}
    return [entry for entry in entries if entry.family in keys]


def build_policy(planning: Planning) -> Policy:
    """Build the team's policy on commands."""
    return Policy(planning.project.settings, planning.project.other_bots)


@cache
def all_commands() -> tuple[Command, ...]:
    """All commands, loaded once."""
    return load_commands(commands)


def _resolve_name(words: str, entries: list[HelpEntry], policy: Policy) -> str:
    """Resolve typed words to a command's own name, from the team's name for it or without `/agile`."""
    names = {entry.command.name for entry in entries}
    if words in names:
        return words
    verb, _, rest = words.partition(" ")
    if verb == NAMESPACE and rest in names:
        return rest
    return " ".join(filter(None, (policy.resolve_alias(verb), rest)))


async def _is_allowed(context: Context, requirement: Requirement) -> bool:
    request = context.request
    if requirement.admits(request.sender, context.level, request.author):
        return True
    return any([await context.github.is_in_team(request.sender, team) for team in sorted(requirement.teams)])
