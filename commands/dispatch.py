"""From a comment's lines to answers, in one order for all commands.

Look up (other bots' words → silence), 👀, permission, arguments, run. All lines are read before any runs.
"""

import asyncio
import difflib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from commands.arguments import Arguments, read, words_of
from commands.context import Context
from commands.errors import UserError
from commands.outcome import Answer, Reply
from commands.permissions import Level
from commands.ports import Thread
from commands.registry import COMMON, Command
from commands.request import CommandLine, Request

OpenContext = Callable[[], AbstractAsyncContextManager[Context]]

MOST_COMMANDS = 10
# Every command answers to `/agile …` too, for threads in which another bot owns its short form.
_NAMESPACE = "agile"
_CLOSE_ENOUGH = 0.8
_ERROR_SLOT = "error"


@dataclass(frozen=True, slots=True)
class _Call:
    """A line that is meant for us: a command with its arguments, or what is wrong with it."""

    line: CommandLine
    command: Command | None
    arguments: Arguments | None
    problem: str | None = None

    @property
    def level(self) -> Level:
        return self.command.level if self.command else Level.READ


class Dispatcher:
    """Answers requests with the given commands."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._commands = {command.words: command for command in commands}

    def concerns_us(self, request: Request) -> bool:
        """Whether any line is ours, without running it."""
        return any(self._is_ours(line.text) for line in request.lines)

    async def answer(self, request: Request, thread: Thread, open_context: OpenContext) -> list[Answer]:
        """The answers to a request, in the order of its lines; none if no line is ours.

        The context is opened once it is known that something may run in it.
        """
        calls = [self._parse(line) for line in request.lines if self._is_ours(line.text)]
        if not calls:
            return []
        # 👀 is on its way while the rest begins; nobody is told anything before it has arrived.
        seen = asyncio.create_task(thread.acknowledge(request.comment_id))
        await asyncio.sleep(0)
        try:
            return await self._answer(request, calls, thread, open_context)
        finally:
            await seen

    async def _answer(
        self, request: Request, calls: Sequence[_Call], thread: Thread, open_context: OpenContext
    ) -> list[Answer]:
        level = await thread.level_of(request.sender)
        if level is Level.NONE:
            return [_refusal(calls[0], level)]
        if request.edited_author not in {None, request.sender} and level < Level.MAINTAIN:
            return [_failure("Only a comment's author or a maintainer can add commands by editing it.")]
        if len(calls) > MOST_COMMANDS:
            return [_failure(f"{len(calls)} commands in one comment are too many: {MOST_COMMANDS} at most.")]
        async with open_context() as context:
            answers = [await _run(call, context, level) for call in calls]
        return [answer for answer in answers if answer.is_success] + _one_failure(answers)

    def _is_ours(self, line: str) -> bool:
        words = _words(line)
        verbs = {name[0] for name in self._commands}
        return bool(words) and (
            words[0] in verbs or words[0] == _NAMESPACE or self._nearest(words) is not None
        )

    def _parse(self, line: CommandLine) -> _Call:
        words = _words(line.text)
        skipped = 1 if words[0] == _NAMESPACE else 0
        command = self._longest_match(words[skipped:])
        if command is None:
            return _Call(line, None, None, self._unknown(words[skipped:]))
        try:
            start = _end_of_words(line.text, skipped + len(command.words))
            typed = words_of(line.text, start)
            return _Call(line, command, read(line.text, typed, (*command.arguments, *COMMON)))
        except UserError as problem:
            return _Call(line, command, None, f"{problem}\n\nFor example: `{command.examples[0]}`")

    def _longest_match(self, words: Sequence[str]) -> Command | None:
        longest = max(map(len, self._commands), default=0)
        for length in range(min(len(words), longest), 0, -1):
            if command := self._commands.get(tuple(words[:length])):
                return command
        return None

    def _unknown(self, words: Sequence[str]) -> str:
        if not words:
            names = ", ".join(
                f"`/{_NAMESPACE} {name}`" for name in sorted(c.name for c in self._commands.values())
            )
            return f"Here is what I can do: {names}."
        said = " ".join(words[:2]).replace("`", "'")
        if nearest := self._nearest(words, least=0.0):
            return f"I do not know `/{said}`. Did you mean `/{nearest.name}` – {nearest.summary}?"
        return f"I do not know `/{said}`."

    def _nearest(self, words: Sequence[str], least: float = _CLOSE_ENOUGH) -> Command | None:
        """The command that looks most like what was typed; a single foreign word never looks like ours."""
        if len(words) < 2 and least:
            return None
        names = [command.name for command in self._commands.values()]
        close = difflib.get_close_matches(" ".join(words[:2]), names, n=1, cutoff=least)
        return self._commands[tuple(close[0].split())] if close else None


async def _run(call: _Call, context: Context, level: Level) -> Answer:
    if level < call.level:
        return _refusal(call, level)
    if call.problem or not call.command or not call.arguments:
        return _failure(call.problem or "")
    try:
        reply = await call.command.run(context, call.arguments)
    except UserError as problem:
        return _failure(str(problem))
    # A new comment each time has a slot of its own, which nothing can edit later.
    slot = call.command.name
    if call.arguments.flag("new"):
        slot += f" {context.request.delivery} {call.line.line}"
    return Answer(slot, reply, is_success=True)


def _one_failure(answers: Sequence[Answer]) -> list[Answer]:
    """All that went wrong in one comment is told in one."""
    failed = [answer.reply.parts for answer in answers if not answer.is_success and answer.reply]
    if not failed:
        return []
    return [_failure("\n\n".join(str(part) for parts in failed for part in parts))]


def _refusal(call: _Call, level: Level) -> Answer:
    asked = f"`/{call.command.name}`" if call.command else "Commands"
    needed, role = call.level, level.name.lower()
    if level is Level.NONE:
        verb = "is" if call.command else "are"
        return _failure(
            f"{asked} {verb} for collaborators of this repository. Please ask {needed.whom_to_ask}."
        )
    return _failure(
        f"{asked} needs the {needed.name.lower()} role; yours is {role}. Please ask {needed.whom_to_ask}."
    )


def _failure(text: str) -> Answer:
    return Answer(_ERROR_SLOT, Reply((text,)), is_success=False)


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
