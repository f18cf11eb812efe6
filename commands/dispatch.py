"""Dispatch: turn the command lines of a comment into answers.

For every command in the same order: look up the name (commands of other bots are ignored), react with 👀,
check the permission, the plan and the arguments, run. The commands of a comment run one after the other: each
sees what those before it have changed, also of the team's settings.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import dropwhile

from commands.formatting.wording import footer
from commands.framework.argument_parser import InputError, parse_arguments
from commands.framework.arguments import Arguments
from commands.framework.changes import Changes
from commands.framework.command_finder import CommandFinder, expand_alias, find_end_of_words, split_name
from commands.framework.context import Context
from commands.framework.errors import NamedValueError, UserError
from commands.framework.input_settings import InputSettings
from commands.framework.outcome import Answer, Failure, Reply, build_failure, join_failures
from commands.framework.permissions import NAMESPACE, Level, Policy
from commands.framework.planning import Planning
from commands.framework.ports import GitHubPort, Thread
from commands.framework.registry import Command
from commands.framework.request import CommandLine, Request
from commands.framework.slots import answer_slot
from commands.messages.bad_input import dates_note
from commands.messages.change_steps import step_target_text
from commands.messages.completeness import missing_text
from commands.messages.refusals import (
    UNREADABLE_COMMENT,
    gone_command_text,
    no_permission_text,
    paused_line_text,
    too_long_line_text,
    too_many_commands_text,
)
from commands.messages.unknown_command import choices_text, suggestion_text
from commands.shared.corrections import TypedLine, explain_input_error, explain_named_value
from marketplace.entitlements import Denied, Entitled, allow_everything

# Runs a call in a context of its own, carries out the changes that it asks for, and returns the answer.
RunCall = Callable[[Callable[[Context], Awaitable[Answer]], Command | None], Awaitable[Answer]]

MOST_COMMANDS = 10
# The most characters of a command line: enough for `/split` into twenty parts with long titles.
MOST_LINE = 8_000
# The only command that is run while the bot is paused.
RESUME = f"{NAMESPACE} resume"
_HELP = "help"


@dataclass(frozen=True, slots=True)
class CommandEnvironment:
    """The environment of a request: its thread and repository on GitHub, and the team's policy."""

    thread: Thread
    repository: GitHubPort
    policy: Policy
    run_call: RunCall
    is_public: bool = False
    entitled: Entitled = allow_everything


@dataclass(frozen=True, slots=True)
class _Call:
    """A line that addresses this bot: the command with the position of its arguments, or the problem.

    The problem is Markdown. The arguments are parsed when the call is run, as the team's settings say then.
    """

    line: CommandLine
    command: Command | None
    start: int = 0
    problem: str | None = None


class Dispatcher:
    """A dispatcher that answers requests with the given commands."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._finder = CommandFinder(commands)

    def has_command(self, request: Request, policy: Policy) -> bool:
        """Whether any line of the request is a command of this bot; runs nothing."""
        return bool(self._finder.select_lines(request, policy))

    def is_changing(self, request: Request, policy: Policy) -> bool:
        """Whether any line that would run names a command that changes something.

        This is checked for every comment before its sender's role is known, so only names are compared, and
        only of as many lines as may run.
        """
        if request.is_unreadable:
            return False
        lines = self._finder.select_lines(request, policy)[: MOST_COMMANDS + 1]
        commands = [self._finder.resolve(split_name(line.text), policy)[0] for line in lines]
        return any(command is not None and command.is_changing for command in commands)

    async def find_refusal(self, request: Request, environment: CommandEnvironment, name: str) -> str | None:
        """Explain why the asker may not run a command now; None if they may.

        The name may be followed by other words. A command that no longer exists is refused to everybody.
        """
        command = self._finder.find_longest_match(name.split())
        if command is None:
            return gone_command_text(name)
        level = await _find_level(request, environment)
        if await _is_allowed(command, request, level, environment):
            return None
        return _refusal_text(command, level, environment)

    async def answer(self, request: Request, environment: CommandEnvironment) -> list[Answer]:
        """Answer a request: one answer per command line, in order; none if no line is a command of this bot.

        A context is opened only for a command that may run.
        """
        lines = self._finder.select_lines(request, environment.policy)
        # With more commands than one comment may have, none is run, so the rest need not be parsed.
        calls = [self._find_command(line, environment.policy) for line in lines[: MOST_COMMANDS + 1]]
        if not calls:
            return []
        if not environment.policy.refuses_politely:  # Strangers who get no refusal get no 👀 either.
            level = await _find_level(request, environment)
            if level is Level.NONE and not await _is_exempt(request, calls, environment):
                return []
        # The reaction is sent while the commands run; no answer is returned before it has arrived.
        reaction = asyncio.create_task(environment.thread.acknowledge(request))
        await asyncio.sleep(0)
        if environment.policy.is_paused:
            calls = list(dropwhile(lambda call: call.command is None or call.command.name != RESUME, calls))
        try:
            if not calls:
                return []
            return await self._answer_calls(request, calls, environment, len(lines))
        finally:
            await reaction

    async def _answer_calls(
        self, request: Request, calls: Sequence[_Call], environment: CommandEnvironment, total: int
    ) -> list[Answer]:
        """Answer calls; `total` is the number of command lines in the comment."""
        level = await _find_level(request, environment)
        if level is Level.NONE and not await _is_exempt(request, calls, environment):
            return [_fail(calls[0].command, _refusal_text(calls[0].command, level, environment))]
        if request.is_unreadable:
            return [_fail(None, UNREADABLE_COMMENT)]
        if len(calls) > MOST_COMMANDS:
            return [_fail(None, too_many_commands_text(total, MOST_COMMANDS))]
        return join_failures([await self._answer_call(call, request, level, environment) for call in calls])

    async def _answer_call(
        self, call: _Call, request: Request, level: Level, environment: CommandEnvironment
    ) -> Answer:
        """Answer one call. An earlier one of the comment may have changed the team's settings."""
        command = call.command
        if command and (refusal := await _refuse(command, request, level, environment)):
            return _fail(command, refusal)

        async def run(opened: Context) -> Answer:
            current = replace(environment, policy=Policy(opened.project.settings))
            if command and current.policy.is_paused and command.name != RESUME:
                return _fail(command, paused_line_text(command.name))
            has_changed = current.policy.settings != environment.policy.settings
            if command and has_changed and (refusal := await _refuse(command, request, level, current)):
                return _fail(command, refusal)
            refusing = partial(self.find_refusal, request, environment)
            return await _run_call(call, replace(opened, level=level, find_refusal=refusing))

        return await environment.run_call(run, command)

    def _find_command(self, line: CommandLine, policy: Policy) -> _Call:
        if len(line.text) > MOST_LINE:
            problem = too_long_line_text(len(line.text), MOST_LINE)
            return _Call(line, None, problem=problem)
        words = split_name(line.text)
        command, skipped = self._finder.resolve(words, policy)
        if command is None:
            return _Call(line, None, problem=self._explain_unknown(line.text, words, skipped, policy))
        # A team's own name for a command is a single word.
        typed_words = words[skipped : skipped + 1]
        extra = len(expand_alias(typed_words, policy)) - 1
        return _Call(line, command, find_end_of_words(line.text, skipped + len(command.words) - extra))

    def _explain_unknown(self, line: str, words: Sequence[str], skipped: int, policy: Policy) -> str:
        own = words[skipped:]
        if not own:  # Our name alone, where there is no `/help`.
            own = words[:skipped]
        typed = f"/{' '.join(own[:2])}"
        help_line = policy.spell(_HELP)
        suggestion = self._finder.suggest(own)
        if suggestion is None and skipped and (suggestion := self._finder.suggest(words)):
            skipped = 0
        if suggestion is None:
            readings = self._finder.list_readings(own[0])
            return choices_text(typed, [policy.spell(command.name) for command in readings], help_line)
        spelled = policy.spell(suggestion.command.name)
        rest = line[find_end_of_words(line, skipped + suggestion.words) :].strip()
        if suggestion.command.name == _HELP:  # `/sprint help` is about sprints, and `/hlep me` about nothing.
            rest = own[0] if len(own) > 1 and self._finder.is_first_word(own[0]) else ""
        return suggestion_text(typed, suggestion.command, spelled, f"{spelled} {rest}".strip())


async def _find_level(request: Request, environment: CommandEnvironment) -> Level:
    """The level of the asker: the highest of the role on GitHub, a granted role and the public level."""
    role = await environment.repository.find_level(request.sender)
    floor = environment.policy.public_level if environment.is_public else Level.NONE
    if role is Level.NONE:
        return floor
    return max(role, environment.policy.find_granted_level(request.sender))


async def _is_exempt(request: Request, calls: Sequence[_Call], environment: CommandEnvironment) -> bool:
    """Whether the team's policy lets the asker run any of the commands without being a collaborator."""
    commands = [call.command for call in calls if call.command]
    return any([await _is_allowed(command, request, Level.NONE, environment) for command in commands])


async def _is_allowed(
    command: Command, request: Request, level: Level, environment: CommandEnvironment
) -> bool:
    requirement = environment.policy.find_requirement(command.name, command.level)
    if requirement.admits(request.sender, level, request.author):
        return True
    return any(
        [await environment.repository.is_in_team(request.sender, team) for team in sorted(requirement.teams)]
    )


async def _refuse(
    command: Command, request: Request, level: Level, environment: CommandEnvironment
) -> str | None:
    """Explain why the asker may not run a command, by role or plan; None if they may."""
    if not await _is_allowed(command, request, level, environment):
        return _refusal_text(command, level, environment)
    if command.feature:
        decision = await environment.entitled(command.feature, request.sender)
        if isinstance(decision, Denied):
            return decision.text
    return None


async def _run_call(call: _Call, context: Context) -> Answer:
    command = call.command
    if command is None or call.problem:
        return _fail(command, call.problem or "")
    settings = _read_input_settings(context)
    typed = TypedLine(call.line.text, command, call.start, settings)
    try:
        arguments = parse_arguments(call.line.text, call.start, command.accepted, settings)
    except InputError as error:
        return _fail(command, await explain_input_error(context, typed, error))
    try:
        result = await command.run(context, arguments)
    except NamedValueError as problem:
        return _fail(command, explain_named_value(typed, arguments, problem))
    except UserError as problem:
        return _fail(command, str(problem))
    result = _add_dates_note(result, arguments)
    slot = answer_slot(command, arguments, context.request.thread, result)
    answer = Answer(slot, None, is_success=True, is_new=arguments.flag("new"))
    if isinstance(result, Changes):
        line = replace(call.line, text=arguments.places.remove_argument("confirm"))
        return replace(answer, changes=result, call=line, is_confirmed=arguments.flag("confirm"))
    return replace(answer, reply=await _add_completeness(command, result, context))


def _read_input_settings(context: Context) -> InputSettings:
    today = context.calendar.day_of(context.now)
    return InputSettings.of_team(context.project.settings, today, context.project.full_name or "")


def _add_dates_note(result: Reply | Changes, arguments: Arguments) -> Reply | Changes:
    """Say in full how dates were read that were not typed in ISO's form."""
    if not arguments.dates_read:
        return result
    note = dates_note(arguments.dates_read)
    if isinstance(result, Reply):
        return replace(result, parts=(*result.parts, note))
    preview = result.preview or "\n".join(f"- {step_target_text(step)}" for step in result.steps)
    return replace(result, done=f"{result.done}\n\n{note}", preview=f"{preview}\n\n{note}")


async def _add_completeness(command: Command, reply: Reply, planning: Planning) -> Reply:
    """Add a note on missing events to a reply with figures, unless the reply states it by itself."""
    if not command.has_figures or reply.says_completeness:
        return reply
    text = missing_text(await planning.read_gaps(), planning.calendar)
    return replace(reply, parts=(*reply.parts, footer(text))) if text else reply


def _refusal_text(command: Command | None, level: Level, environment: CommandEnvironment) -> str:
    if command is None:
        return no_permission_text("", Level.READ, level)
    needed = environment.policy.find_requirement(command.name, command.level).level
    return no_permission_text(command.name, needed, level)


def _fail(command: Command | None, text: str) -> Answer:
    return build_failure(Failure(command.name if command else "", text))
