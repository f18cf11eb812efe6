"""From a comment's lines to answers, in one order for all commands.

Look up (other bots' words → silence), 👀, permission, plan, arguments, run. All lines
are read before any runs.
"""

import asyncio
import difflib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial

from commands.formatting.foreign_text import code
from commands.formatting.wording import footer
from commands.framework.arguments import Arguments, read, words_of
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
# Twenty parts with long titles fit in; a longer line nobody typed.
MOST_LINE = 8_000
# Lines of one comment that are compared with the names of all commands, for one that was mistyped.
_MOST_GUESSES = 20
# No command's name is nearly as long.
_LONGEST_NAME = 60
_UNREADABLE = (
    "This comment's Markdown is too complex, so nothing ran. Post your commands in a separate comment."
)
# What is answered while we are paused.
_RESUME = f"{NAMESPACE} resume"
_HELP = ("help",)
_CLOSE_ENOUGH = 0.8
_ERROR_SLOT = "error"


@dataclass(frozen=True, slots=True)
class CommandEnvironment:
    """Where a request is worked on: its thread and repository on GitHub, and what the team has settled."""

    thread: Thread
    repository: GitHubPort
    policy: Policy
    open_context: OpenContext
    is_public: bool = False
    entitled: Entitled = allow_everything


@dataclass(frozen=True, slots=True)
class _Call:
    """A line that is meant for us: a command with its arguments, or what is wrong with it."""

    line: CommandLine
    command: Command | None
    arguments: Arguments | None
    problem: str | None = None


class Dispatcher:
    """Answers requests with the given commands."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._commands = {command.words: command for command in commands}
        self._verbs = {command.words[0] for command in commands}

    def concerns_us(self, request: Request, policy: Policy) -> bool:
        """Whether any line is ours, without running it."""
        return bool(self._ours(request, policy))

    def is_changing(self, request: Request, policy: Policy) -> bool:
        """Whether any line that may run names a command that changes something.

        Anybody's comment is asked this, before any role is: so it looks at names only, and at no more lines
        than may run.
        """
        if request.is_unreadable:
            return False
        lines = self._ours(request, policy)[: MOST_COMMANDS + 1]
        named = [self._resolve(_words(line.text), policy)[0] for line in lines]
        return any(command is not None and command.is_changing for command in named)

    async def refusal_of(self, request: Request, desk: CommandEnvironment, name: str) -> str | None:
        """Why who asks may not run a command now, in words; None if they may.

        The name may be followed by other words. What no command is called any more, nobody may run.
        """
        command = self._longest_match(name.split())
        if command is None:
            return f"`/{name}` no longer exists, so it can't be undone or resumed."
        level = await _level(request, desk)
        if await _may(command, request, level, desk):
            return None
        return _refusal_text(command, level, desk)

    async def answer(self, request: Request, desk: CommandEnvironment) -> list[Answer]:
        """The answers to a request, in the order of its lines; none if no line is ours.

        The context is opened once it is known that something may run in it.
        """
        lines = self._ours(request, desk.policy)
        # Of more than may be in one comment none is run, so the others need not be understood.
        calls = [self._parse(line, desk.policy) for line in lines[: MOST_COMMANDS + 1]]
        if not calls:
            return []
        if not desk.policy.greets_strangers:  # Whom we do not greet sees no 👀 either.
            level = await _level(request, desk)
            if level is Level.NONE and not await _is_exempt(request, calls, desk):
                return []
        # 👀 is on its way while the rest begins; nobody is told anything before it has arrived.
        seen = asyncio.create_task(desk.thread.acknowledge(request))
        await asyncio.sleep(0)
        if desk.policy.is_paused:
            calls = [call for call in calls if call.command and call.command.name == _RESUME]
        try:
            if not calls:
                return []
            return await self._answer(request, calls, desk, len(lines))
        finally:
            await seen

    async def _answer(
        self, request: Request, calls: Sequence[_Call], desk: CommandEnvironment, total: int
    ) -> list[Answer]:
        """The answers to calls, of which the comment had `total`."""
        level = await _level(request, desk)
        if level is Level.NONE and not await _is_exempt(request, calls, desk):
            return [_failure(_refusal_text(calls[0].command, level, desk))]
        if request.is_unreadable:
            return [_failure(_UNREADABLE)]
        if len(calls) > MOST_COMMANDS:
            return [_failure(f"This comment has {total:,} commands. You can run up to {MOST_COMMANDS}.")]
        async with desk.open_context() as opened:
            context = replace(opened, level=level, refusal_of=partial(self.refusal_of, request, desk))
            answers = [await _run(call, context, desk) for call in calls]
        return [answer for answer in answers if answer.is_success] + _one_failure(answers)

    def _ours(self, request: Request, policy: Policy) -> list[CommandLine]:
        """The lines that are meant for us. What a bot says is not, unless the team lists it."""
        if request.is_bot and request.sender.lower() not in policy.bots:
            return []
        ours, guesses = list[CommandLine](), 0
        for line in request.lines:
            words = _words(line.text)
            is_ours = bool(words) and words[0] == NAMESPACE
            if words and not is_ours:
                words = _meant(words, policy)
                is_short = policy.answers_short(words[0])
                is_ours = is_short and words[0] in self._verbs
                if is_short and not is_ours and len(words) > 1 and guesses < _MOST_GUESSES:
                    guesses += 1
                    is_ours = self._nearest(words) is not None
            if is_ours:
                ours.append(line)
        return ours

    def _parse(self, line: CommandLine, policy: Policy) -> _Call:
        if len(line.text) > MOST_LINE:
            problem = f"This line has {len(line.text):,} characters. A command can have up to {MOST_LINE:,}."
            return _Call(line, None, None, problem)
        words = _words(line.text)
        command, skipped = self._resolve(words, policy)
        if command is None:
            return _Call(line, None, None, self._unknown(words[skipped:]))
        try:
            # A team's other name for it is one word.
            typed_words = words[skipped : skipped + 1]
            saved = len(_meant(typed_words, policy)) - 1
            start = _end_of_words(line.text, skipped + len(command.words) - saved)
            typed = words_of(line.text, start)
            return _Call(line, command, read(line.text, typed, command.accepted))
        except UserError as problem:
            return _Call(line, command, None, f"{problem}\n\nFor example: `{command.examples[0]}`")

    def _resolve(self, words: Sequence[str], policy: Policy) -> tuple[Command | None, int]:
        """The command that a line's words name, and how many words stand before its name."""
        skipped = 1 if words[0] == NAMESPACE else 0
        # What is about the bot itself is called `/agile …` in full.
        if skipped and (own := self._longest_match(words)) and len(own.words) > 1:
            return own, 0
        if len(words) == skipped:
            return self._commands.get(_HELP), skipped
        return self._longest_match(_meant(words[skipped:], policy)), skipped

    def _longest_match(self, words: Sequence[str]) -> Command | None:
        longest = max(map(len, self._commands), default=0)
        for length in range(min(len(words), longest), 0, -1):
            if command := self._commands.get(tuple(words[:length])):
                return command
        return None

    def _unknown(self, words: Sequence[str]) -> str:
        if not words:
            names = ", ".join(
                f"`/{NAMESPACE} {name}`" for name in sorted(c.name for c in self._commands.values())
            )
            return f"Here is what I can do: {names}."
        typed = code(f"/{' '.join(words[:2])[:_LONGEST_NAME]}")
        if nearest := self._nearest(words, least=0.0):
            return f"I do not know {typed}. Did you mean `/{nearest.name}` – {nearest.summary}?"
        return f"I do not know {typed}."

    def _nearest(self, words: Sequence[str], least: float = _CLOSE_ENOUGH) -> Command | None:
        """The command that looks most like what was typed; a single foreign word never looks like ours."""
        typed = " ".join(words[:2])
        if (len(words) < 2 and least) or len(typed) > _LONGEST_NAME:
            return None
        names = [command.name for command in self._commands.values()]
        close = difflib.get_close_matches(typed, names, n=1, cutoff=least)
        return self._commands[tuple(close[0].split())] if close else None


async def _level(request: Request, desk: CommandEnvironment) -> Level:
    """What the asker may do: as GitHub says, or as an admin granted, or as anybody may."""
    known = await desk.repository.level_of(request.sender)
    floor = desk.policy.public_level if desk.is_public else Level.NONE
    if known is Level.NONE:
        return floor
    return max(known, desk.policy.granted(request.sender))


async def _is_exempt(request: Request, calls: Sequence[_Call], desk: CommandEnvironment) -> bool:
    """Whether the team lets somebody who is no collaborator run any of this."""
    known = [call.command for call in calls if call.command]
    return any([await _may(command, request, Level.NONE, desk) for command in known])


async def _may(command: Command, request: Request, level: Level, desk: CommandEnvironment) -> bool:
    need = desk.policy.need(command.name, command.level)
    if need.admits(request.sender, level, request.author):
        return True
    return any([await desk.repository.is_in_team(request.sender, team) for team in sorted(need.teams)])


async def _run(call: _Call, context: Context, desk: CommandEnvironment) -> Answer:
    if call.command and not await _may(call.command, context.request, context.level, desk):
        return _failure(_refusal_text(call.command, context.level, desk))
    if call.command and call.command.feature:
        decision = await desk.entitled(call.command.feature, context.request.sender)
        if isinstance(decision, Denied):
            return _failure(decision.text)
    if call.problem or not call.command or call.arguments is None:
        return _failure(call.problem or "")
    try:
        result = await call.command.run(context, call.arguments)
    except UserError as problem:
        return _failure(str(problem))
    # A new comment each time has a slot of its own, which nothing can edit later.
    slot = call.command.name
    if call.arguments.flag("new"):
        slot += f" {context.request.delivery} {call.line.line}"
    if isinstance(result, Changes):
        is_confirmed = call.arguments.flag("confirm")
        return Answer(slot, None, is_success=True, changes=result, call=call.line, is_confirmed=is_confirmed)
    return Answer(slot, await _with_doubts(call.command, result, context), is_success=True)


async def _with_doubts(command: Command, reply: Reply, planning: Planning) -> Reply:
    """Figures say that they are incomplete while events are missing, unless they say so by themselves."""
    if not command.tells_figures or reply.says_completeness:
        return reply
    text = missing_text(await planning.gaps(), planning.calendar)
    return replace(reply, parts=(*reply.parts, footer(text))) if text else reply


def _one_failure(answers: Sequence[Answer]) -> list[Answer]:
    """All that went wrong in one comment is told in one."""
    failed = [answer.reply.parts for answer in answers if not answer.is_success and answer.reply]
    if not failed:
        return []
    return [_failure("\n\n".join(str(part) for parts in failed for part in parts))]


def _refusal_text(command: Command | None, level: Level, desk: CommandEnvironment) -> str:
    asked = f"`/{command.name}`" if command else "Commands"
    needed = desk.policy.need(command.name, command.level).level if command else Level.READ
    if level is Level.NONE:
        verb = "is" if command else "are"
        return f"{asked} {verb} for collaborators of this repository. Please ask {needed.whom_to_ask}."
    return (
        f"{asked} needs the {needed.name.lower()} role; yours is {level.name.lower()}. "
        f"Please ask {needed.whom_to_ask}; `/agile help` tells who may do what."
    )


def _failure(text: str) -> Answer:
    return Answer(_ERROR_SLOT, Reply((text,)), is_success=False)


def _meant(words: Sequence[str], policy: Policy) -> list[str]:
    """The words of the command that a team calls by another name."""
    return [*policy.meant_by(words[0]).split(), *words[1:]] if words else []


def _words(line: str) -> list[str]:
    """The line's words in lower case, without the slash."""
    return line.lstrip("/").lower().split()


def _end_of_words(line: str, count: int) -> int:
    """Where the first `count` words of a line end."""
    position = 0
    for _ in range(count):
        while line[position : position + 1].isspace():
            position += 1
        while position < len(line) and not line[position].isspace():
            position += 1
    return position
