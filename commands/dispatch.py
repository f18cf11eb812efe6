"""Dispatch: turn the command lines of a comment into answers.

For every command in the same order: look up the name (commands of other bots are ignored), react with 👀,
check the permission, the plan and the arguments, run. All lines are parsed before the first one runs.
"""

import asyncio
import difflib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial

from commands.formatting.foreign_text import code
from commands.formatting.wording import footer
from commands.framework.arguments import Arguments, parse_arguments, split_words
from commands.framework.changes import Changes
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Answer, Reply
from commands.framework.permissions import NAMESPACE, Level, Policy
from commands.framework.planning import Planning
from commands.framework.ports import GitHubPort, Thread
from commands.framework.registry import Command
from commands.framework.request import CommandLine, Request
from commands.messages.completeness import missing_text
from marketplace.entitlements import Denied, Entitled, allow_everything

OpenContext = Callable[[], AbstractAsyncContextManager[Context]]

MOST_COMMANDS = 10
# The most characters of a command line: enough for `/split` into twenty parts with long titles.
MOST_LINE = 8_000
# The most lines of one comment that are compared with all names of commands, in search of a typo.
_MOST_COMPARISONS = 20
# Characters of a mistyped name that are compared; no command's name is nearly as long.
_LONGEST_NAME = 60
_UNREADABLE = (
    "This comment's Markdown is too complex, so nothing ran. Post your commands in a separate comment."
)
# The only command that is run while the bot is paused.
_RESUME = f"{NAMESPACE} resume"
_HELP = ("help",)
_CLOSE_ENOUGH = 0.8
_ERROR_SLOT = "error"


@dataclass(frozen=True, slots=True)
class CommandEnvironment:
    """The environment of a request: its thread and repository on GitHub, and the team's policy."""

    thread: Thread
    repository: GitHubPort
    policy: Policy
    open_context: OpenContext
    is_public: bool = False
    entitled: Entitled = allow_everything


@dataclass(frozen=True, slots=True)
class _Call:
    """A line that addresses this bot: the command with its arguments, or the problem as Markdown."""

    line: CommandLine
    command: Command | None
    arguments: Arguments | None
    problem: str | None = None


class Dispatcher:
    """A dispatcher that answers requests with the given commands."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._commands = {command.words: command for command in commands}
        self._verbs = {command.words[0] for command in commands}

    def has_command(self, request: Request, policy: Policy) -> bool:
        """Whether any line of the request is a command of this bot; runs nothing."""
        return bool(self._select_lines(request, policy))

    def is_changing(self, request: Request, policy: Policy) -> bool:
        """Whether any line that would run names a command that changes something.

        This is checked for every comment before its sender's role is known, so only names are compared, and
        only of as many lines as may run.
        """
        if request.is_unreadable:
            return False
        lines = self._select_lines(request, policy)[: MOST_COMMANDS + 1]
        commands = [self._resolve_command(_split_words(line.text), policy)[0] for line in lines]
        return any(command is not None and command.is_changing for command in commands)

    async def find_refusal(self, request: Request, environment: CommandEnvironment, name: str) -> str | None:
        """The text why the asker may not run a command now; None if they may.

        The name may be followed by other words. A command that no longer exists is refused to everybody.
        """
        command = self._find_longest_match(name.split())
        if command is None:
            return f"`/{name}` no longer exists, so it can't be undone or resumed."
        level = await _find_level(request, environment)
        if await _is_allowed(command, request, level, environment):
            return None
        return _refusal_text(command, level, environment)

    async def answer(self, request: Request, environment: CommandEnvironment) -> list[Answer]:
        """Answer a request: one answer per command line, in order; none if no line is a command of this bot.

        The context is opened only if some command may run.
        """
        lines = self._select_lines(request, environment.policy)
        # With more commands than one comment may have, none is run, so the rest need not be parsed.
        calls = [self._parse_line(line, environment.policy) for line in lines[: MOST_COMMANDS + 1]]
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
            calls = [call for call in calls if call.command and call.command.name == _RESUME]
        try:
            if not calls:
                return []
            return await self._answer_calls(request, calls, environment, len(lines))
        finally:
            await reaction

    async def _answer_calls(
        self, request: Request, calls: Sequence[_Call], environment: CommandEnvironment, total: int
    ) -> list[Answer]:
        """Answer parsed calls; `total` is the number of command lines in the comment."""
        level = await _find_level(request, environment)
        if level is Level.NONE and not await _is_exempt(request, calls, environment):
            return [_build_failure(_refusal_text(calls[0].command, level, environment))]
        if request.is_unreadable:
            return [_build_failure(_UNREADABLE)]
        if len(calls) > MOST_COMMANDS:
            return [
                _build_failure(f"This comment has {total:,} commands. You can run up to {MOST_COMMANDS}.")
            ]
        async with environment.open_context() as opened:
            context = replace(
                opened, level=level, find_refusal=partial(self.find_refusal, request, environment)
            )
            answers = [await _run_call(call, context, environment) for call in calls]
        return [answer for answer in answers if answer.is_success] + _join_failures(answers)

    def _select_lines(self, request: Request, policy: Policy) -> list[CommandLine]:
        """Return the lines that are commands of this bot; a bot's lines only if the team lists the bot."""
        if request.is_bot and request.sender.lower() not in policy.bots:
            return []
        lines, comparisons = list[CommandLine](), 0
        for line in request.lines:
            words = _split_words(line.text)
            is_command = bool(words) and words[0] == NAMESPACE
            if words and not is_command:
                words = _expand_alias(words, policy)
                is_short = policy.answers_short_form(words[0])
                is_command = is_short and words[0] in self._verbs
                if is_short and not is_command and len(words) > 1 and comparisons < _MOST_COMPARISONS:
                    comparisons += 1
                    is_command = self._find_nearest(words) is not None
            if is_command:
                lines.append(line)
        return lines

    def _parse_line(self, line: CommandLine, policy: Policy) -> _Call:
        if len(line.text) > MOST_LINE:
            problem = f"This line has {len(line.text):,} characters. A command can have up to {MOST_LINE:,}."
            return _Call(line, None, None, problem)
        words = _split_words(line.text)
        command, skipped = self._resolve_command(words, policy)
        if command is None:
            return _Call(line, None, None, self._explain_unknown(words[skipped:]))
        try:
            # A team's own name for a command is a single word.
            typed_words = words[skipped : skipped + 1]
            extra = len(_expand_alias(typed_words, policy)) - 1
            start = _find_end_of_words(line.text, skipped + len(command.words) - extra)
            arguments = split_words(line.text, start)
            return _Call(line, command, parse_arguments(line.text, arguments, command.accepted))
        except UserError as problem:
            return _Call(line, command, None, f"{problem}\n\nFor example: `{command.examples[0]}`")

    def _resolve_command(self, words: Sequence[str], policy: Policy) -> tuple[Command | None, int]:
        """Resolve the command that a line names, and the number of words before its name."""
        skipped = 1 if words[0] == NAMESPACE else 0
        # The full names of commands about the bot begin with `agile`.
        if skipped and (command := self._find_longest_match(words)) and len(command.words) > 1:
            return command, 0
        if len(words) == skipped:
            return self._commands.get(_HELP), skipped
        return self._find_longest_match(_expand_alias(words[skipped:], policy)), skipped

    def _find_longest_match(self, words: Sequence[str]) -> Command | None:
        """The command with the longest name with which the words begin."""
        longest = max(map(len, self._commands), default=0)
        for length in range(min(len(words), longest), 0, -1):
            if command := self._commands.get(tuple(words[:length])):
                return command
        return None

    def _explain_unknown(self, words: Sequence[str]) -> str:
        if not words:
            names = ", ".join(
                f"`/{NAMESPACE} {name}`" for name in sorted(c.name for c in self._commands.values())
            )
            return f"Here is what I can do: {names}."
        name = code(f"/{' '.join(words[:2])[:_LONGEST_NAME]}")
        if nearest := self._find_nearest(words, least=0.0):
            return f"I do not know {name}. Did you mean `/{nearest.name}` – {nearest.summary}?"
        return f"I do not know {name}."

    def _find_nearest(self, words: Sequence[str], least: float = _CLOSE_ENOUGH) -> Command | None:
        """The command with the name most like the typed words; None for a single word unless `least` is 0."""
        typed = " ".join(words[:2])
        if (len(words) < 2 and least) or len(typed) > _LONGEST_NAME:
            return None
        names = [command.name for command in self._commands.values()]
        matches = difflib.get_close_matches(typed, names, n=1, cutoff=least)
        return self._commands[tuple(matches[0].split())] if matches else None


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


async def _run_call(call: _Call, context: Context, environment: CommandEnvironment) -> Answer:
    if call.command and not await _is_allowed(call.command, context.request, context.level, environment):
        return _build_failure(_refusal_text(call.command, context.level, environment))
    if call.command and call.command.feature:
        decision = await environment.entitled(call.command.feature, context.request.sender)
        if isinstance(decision, Denied):
            return _build_failure(decision.text)
    if call.problem or not call.command or call.arguments is None:
        return _build_failure(call.problem or "")
    try:
        result = await call.command.run(context, call.arguments)
    except UserError as problem:
        return _build_failure(str(problem))
    # With `new:yes` the answer gets a slot of its own, so that no later answer edits it.
    topic = result.topic if isinstance(result, Changes) else ""
    slot = f"{call.command.name} {topic}".strip()
    if call.arguments.flag("new"):
        slot += f" {context.request.delivery} {call.line.line}"
    if isinstance(result, Changes):
        is_confirmed = call.arguments.flag("confirm")
        return Answer(slot, None, is_success=True, changes=result, call=call.line, is_confirmed=is_confirmed)
    return Answer(slot, await _add_completeness(call.command, result, context), is_success=True)


async def _add_completeness(command: Command, reply: Reply, planning: Planning) -> Reply:
    """Add a note on missing events to a reply with figures, unless the reply states it by itself."""
    if not command.has_figures or reply.says_completeness:
        return reply
    text = missing_text(await planning.read_gaps(), planning.calendar)
    return replace(reply, parts=(*reply.parts, footer(text))) if text else reply


def _join_failures(answers: Sequence[Answer]) -> list[Answer]:
    """Join all failures of one comment into a single answer."""
    failures = [answer.reply.parts for answer in answers if not answer.is_success and answer.reply]
    if not failures:
        return []
    return [_build_failure("\n\n".join(str(part) for parts in failures for part in parts))]


def _refusal_text(command: Command | None, level: Level, environment: CommandEnvironment) -> str:
    subject = f"`/{command.name}`" if command else "Commands"
    needed = environment.policy.find_requirement(command.name, command.level).level if command else Level.READ
    if level is Level.NONE:
        verb = "is" if command else "are"
        return f"{subject} {verb} for collaborators of this repository. Please ask {needed.whom_to_ask}."
    return (
        f"{subject} needs the {needed.name.lower()} role; yours is {level.name.lower()}. "
        f"Please ask {needed.whom_to_ask}; `/agile help` tells who may do what."
    )


def _build_failure(text: str) -> Answer:
    return Answer(_ERROR_SLOT, Reply((text,)), is_success=False)


def _expand_alias(words: Sequence[str], policy: Policy) -> list[str]:
    """Replace a team's own name for a command by the command's words."""
    return [*policy.resolve_alias(words[0]).split(), *words[1:]] if words else []


def _split_words(line: str) -> list[str]:
    """Split a line into words in lower case, without the slash."""
    return line.lstrip("/").lower().split()


def _find_end_of_words(line: str, count: int) -> int:
    """The position at which the first `count` words of a line end."""
    position = 0
    for _ in range(count):
        while line[position : position + 1].isspace():
            position += 1
        while position < len(line) and not line[position].isspace():
            position += 1
    return position
