"""A dispatcher with three commands, and requests to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

from commands.dispatch import CommandEnvironment, Dispatcher
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Answer, Reply
from commands.framework.permissions import Level, Policy
from commands.framework.ports import File, Health
from commands.framework.registry import Command, command
from commands.framework.request import CommandLine, Request
from sprints.gaps import EventGap
from sprints.milestone import Sprint
from sprints.settings_parser import parse_settings
from storage.database import Tenant
from storage.projects import Project
from storage.sprints import Sprints


class FakeThread:
    """A thread and a repository with a fixed permission level; with the commands they write into one log."""

    def __init__(self, level: Level | Exception, log: list[str]) -> None:
        self._level = level
        self._log = log
        self.teams = set[tuple[str, str]]()

    async def find_level(self, login: str) -> Level:
        self._log.append(f"who is {login}")
        if isinstance(self._level, Exception):
            raise self._level
        return self._level

    async def is_in_team(self, login: str, team: str) -> bool:
        return (login, team) in self.teams

    async def read_health(self) -> Health:
        return Health(5000, 5000, datetime(2026, 11, 23, tzinfo=UTC), {})

    async def read_file(self, path: str, pull_request: int | None = None) -> File | None:
        raise NotImplementedError

    async def acknowledge(self, request: Request) -> None:
        self._log.append(f"saw {request.comment_id}")


class NoSprints(Sprints):
    """The sprints of a repository that has none."""

    def __init__(self) -> None:
        """Read nothing."""

    async def all(self, _: datetime) -> list[Sprint]:
        return []


class GaplessContext(Context):
    """A context without a database, in a repository without gaps and without sprints."""

    @property
    def sprints(self) -> Sprints:
        return NoSprints()

    async def read_gaps(self) -> tuple[EventGap, ...]:
        return ()


class DispatchHarness:
    """A dispatcher with three commands, and the log of everything it did."""

    def __init__(self, level: Level | Exception = Level.WRITE, **settings: object) -> None:
        self.log = list[str]()
        self.place = FakeThread(level, self.log)
        self.settings = settings
        self.policy = Policy(parse_settings(settings))
        self.dispatcher = Dispatcher(
            [
                self._command("sprint status", Level.READ, synonyms=("sprint", "sprint show")),
                self._command("sprint close", Level.MAINTAIN, is_changing=True, synonyms=("sprint end",)),
                self._command("estimate", Level.TRIAGE),
            ]
        )

    def _command(
        self, name: str, level: Level, *, is_changing: bool = False, synonyms: tuple[str, ...] = ()
    ) -> Command:
        @command(
            name,
            summary=f"does {name}",
            level=level,
            examples=(f"/{name}",),
            is_changing=is_changing,
            synonyms=synonyms,
            arguments=(Argument("name", ArgumentKind.TEXT, "a name", is_positional=True),),
        )
        async def run(context: Context, arguments: Arguments) -> Reply:
            given = arguments.text("name")
            self.log.append(f"ran {name}" + (f" {given}" if given else ""))
            if given == "missing":
                raise UserError("There is no milestone called “missing”.")
            return Reply((f"{name} for {context.request.sender}",))

        return run

    async def say(self, *lines: str) -> list[Answer]:
        return await self.answer(make_request(*lines))

    async def answer(self, request: Request) -> list[Answer]:
        return await self.dispatcher.answer(request, self.build_environment(request))

    def build_environment(self, request: Request, **options: Any) -> CommandEnvironment:
        """The environment of a request, without a database."""

        async def run_call(run: Callable[[Context], Awaitable[Answer]], command: Command | None) -> Answer:
            async with self._context(request) as context:
                return await run(context)

        return CommandEnvironment(self.place, self.place, self.policy, run_call, **options)

    @asynccontextmanager
    async def _context(self, request: Request) -> AsyncIterator[Context]:
        self.log.append("opened")
        project = Project(1, "acme/shop", is_private=False, installation=100, stored_settings=self.settings)
        now = datetime(2026, 11, 20, tzinfo=UTC)
        yield GaplessContext(cast("Tenant", None), project, now, request=request, github=self.place)

    @property
    def ran(self) -> list[str]:
        return [entry.removeprefix("ran ") for entry in self.log if entry.startswith("ran ")]


def make_request(*lines: str) -> Request:
    """Make a request of lines that alice wrote."""
    numbered = tuple(CommandLine(line, number) for number, line in enumerate(lines, start=1))
    return Request("guid", 7, 77, "alice", None, numbered)


def reply_texts(answers: list[Answer]) -> list[str]:
    """List the texts of all replies."""
    return [str(part) for answer in answers if answer.reply for part in answer.reply.parts]
