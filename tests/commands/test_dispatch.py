"""From a comment's lines to answers: what is ours, who may, what is read, what runs, and in which order."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from commands.dispatch import CommandEnvironment, Dispatcher
from commands.framework.arguments import Argument, Arguments, Kind
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Answer, Reply
from commands.framework.permissions import Level, Policy
from commands.framework.ports import File, Health
from commands.framework.registry import Command, command
from commands.framework.request import CommandLine, Request
from sprints.gaps import EventGap
from sprints.settings_parser import parse_settings
from storage.database import Tenant
from storage.projects import Project


class Place:
    """A thread and a repository that know everybody's level; they and the commands write into one log."""

    def __init__(self, level: Level | Exception, log: list[str]) -> None:
        self._level = level
        self._log = log
        self.teams = set[tuple[str, str]]()

    async def level_of(self, login: str) -> Level:
        self._log.append(f"who is {login}")
        if isinstance(self._level, Exception):
            raise self._level
        return self._level

    async def is_in_team(self, login: str, team: str) -> bool:
        return (login, team) in self.teams

    async def health(self) -> Health:
        return Health(5000, 5000, datetime(2026, 11, 23, tzinfo=UTC), {})

    async def file(self, path: str, pull_request: int | None = None) -> File | None:
        raise NotImplementedError

    async def acknowledge(self, request: Request) -> None:
        self._log.append(f"saw {request.comment_id}")


class WellHeard(Context):
    """A context without a database, in a repository whose every event reached us."""

    async def gaps(self) -> tuple[EventGap, ...]:
        return ()


class Office:
    """A dispatcher with three commands, and the log of all that it did."""

    def __init__(self, level: Level | Exception = Level.WRITE, **settings: object) -> None:
        self.log = list[str]()
        self.place = Place(level, self.log)
        self.policy = Policy(parse_settings(settings))
        self.dispatcher = Dispatcher(
            [
                self._command("sprint status", Level.READ),
                self._command("sprint close", Level.MAINTAIN, is_changing=True),
                self._command("estimate", Level.TRIAGE),
            ]
        )

    def _command(self, name: str, level: Level, *, is_changing: bool = False) -> Command:
        @command(
            name,
            summary=f"does {name}",
            level=level,
            examples=(f"/{name}",),
            is_changing=is_changing,
            arguments=(Argument("name", Kind.TEXT, "a name", is_positional=True),),
        )
        async def run(context: Context, arguments: Arguments) -> Reply:
            given = arguments.text("name")
            self.log.append(f"ran {name}" + (f" {given}" if given else ""))
            if given == "missing":
                raise UserError("There is no milestone called “missing”.")
            return Reply((f"{name} for {context.request.sender}",))

        return run

    async def say(self, *lines: str) -> list[Answer]:
        return await self.answer(asked(*lines))

    async def answer(self, request: Request) -> list[Answer]:
        desk = CommandEnvironment(self.place, self.place, self.policy, lambda: self._context(request))
        return await self.dispatcher.answer(request, desk)

    @asynccontextmanager
    async def _context(self, request: Request) -> AsyncIterator[Context]:
        self.log.append("opened")
        project = Project(1, "acme/shop", is_private=False, installation=100, stored_settings={})
        now = datetime(2026, 11, 20, tzinfo=UTC)
        yield WellHeard(request, project, cast("Tenant", None), self.place, now)

    @property
    def ran(self) -> list[str]:
        return [entry.removeprefix("ran ") for entry in self.log if entry.startswith("ran ")]


def asked(*lines: str) -> Request:
    numbered = tuple(CommandLine(line, number) for number, line in enumerate(lines, start=1))
    return Request("guid", 7, 77, "alice", None, numbered)


def texts(answers: list[Answer]) -> list[str]:
    return [str(part) for answer in answers if answer.reply for part in answer.reply.parts]


# What is ours


@pytest.mark.parametrize(
    "line",
    ["/lgtm", "/hold", "/assign @bob", "/milestone v1", "/close", "/help", "/retest please", "/status", "/s"],
)
async def test_words_of_other_bots_are_met_with_silence(line: str) -> None:
    desk = Office()

    assert not desk.dispatcher.concerns_us(asked(line), desk.policy)
    assert await desk.say(line) == []
    assert desk.log == []


@pytest.mark.parametrize(
    "line",
    [
        "/sprint status",
        "/SPRINT Status",
        "/sprint   status",
        "/sprint\tstatus",
        "/agile sprint status",
        "/Agile SPRINT status",
    ],
)
async def test_a_command_is_known_in_any_case_and_under_our_own_name(line: str) -> None:
    desk = Office()
    (answer,) = await desk.say(line)

    assert (answer.slot, answer.is_success) == ("sprint status", True)
    assert desk.ran == ["sprint status"]


async def test_its_arguments_keep_their_case() -> None:
    desk = Office()
    await desk.say('/AGILE Sprint STATUS "Sprint Twelve"')

    assert desk.ran == ["sprint status Sprint Twelve"]


@pytest.mark.parametrize("line", ["/sprint statsu", "/sprnt status", "/sprint", "/agile sprnt status"])
async def test_a_misspelt_command_of_ours_is_answered_with_the_nearest(line: str) -> None:
    (answer,) = await Office().say(line)

    assert not answer.is_success
    assert "Did you mean `/sprint " in texts([answer])[0]


async def test_our_name_alone_is_answered_with_what_can_be_said() -> None:
    (text,) = texts(await Office().say("/agile"))

    assert "`/`" not in text
    assert "sprint status" in text


async def test_what_was_misspelt_cannot_leave_the_code_in_which_it_is_shown() -> None:
    (text,) = texts(await Office().say("/sprint `@acme/everybody"))

    assert "`@" not in text


async def test_foreign_words_beside_ours_are_passed_over() -> None:
    desk = Office()

    assert len(await desk.say("/lgtm", "/sprint status", "/hold")) == 1
    assert desk.ran == ["sprint status"]


# Who may


async def test_permission_is_asked_and_the_comment_seen_before_anything_runs() -> None:
    desk = Office()
    await desk.say("/sprint status")

    assert sorted(desk.log[:2]) == ["saw 77", "who is alice"]
    assert desk.log[2:] == ["opened", "ran sprint status"]


async def test_when_permission_cannot_be_told_nothing_runs() -> None:
    desk = Office(ConnectionError("GitHub is away"))

    with pytest.raises(ConnectionError):
        await desk.say("/sprint status")
    assert "opened" not in desk.log
    assert desk.ran == []


async def test_who_is_no_collaborator_is_refused_once_and_in_words() -> None:
    desk = Office(Level.NONE)
    (answer,) = await desk.say("/sprint status", "/sprint close")

    assert not answer.is_success
    assert texts([answer]) == [
        "`/sprint status` is for collaborators of this repository. Please ask a maintainer of this repository."
    ]
    assert "opened" not in desk.log


async def test_a_stranger_who_misspells_is_refused_in_good_english() -> None:
    (text,) = texts(await Office(Level.NONE).say("/sprint nonsense"))

    assert text.startswith("Commands are for collaborators")


async def test_a_refusal_names_the_role_that_is_needed_and_whom_to_ask() -> None:
    desk = Office(Level.TRIAGE)
    (answer,) = await desk.say("/sprint close")

    assert texts([answer]) == [
        "`/sprint close` needs the maintain role; yours is triage. Please ask a maintainer of this repository; `/agile help` tells who may do what."
    ]
    assert desk.ran == []


async def test_each_command_has_its_own_level() -> None:
    desk = Office(Level.TRIAGE)
    answers = await desk.say("/sprint close", "/estimate 5", "/sprint status")

    assert [answer.slot for answer in answers] == ["estimate", "sprint status", "error"]
    assert desk.ran == ["estimate 5", "sprint status"]


# What is read and run


async def test_all_lines_are_read_before_any_runs() -> None:
    desk = Office()

    class Lines(tuple[CommandLine, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[CommandLine]:
            for line in super().__iter__():
                desk.log.append(f"read {line.line}")
                yield line

    await desk.answer(
        replace(asked(), lines=Lines(asked("/sprint status", "/sprint status foo:bar", "/estimate").lines))
    )

    assert desk.log[:3] == ["read 1", "read 2", "read 3"]
    assert desk.ran == ["sprint status", "estimate"]


async def test_answers_come_in_the_order_of_the_lines() -> None:
    answers = await Office().say("/estimate 5", "/sprint status")

    assert texts(answers) == ["estimate for alice", "sprint status for alice"]


async def test_several_failures_are_told_in_one_comment_after_what_went_well() -> None:
    answers = await Office().say("/sprint status missing", "/sprint status foo:bar", "/sprint status")

    assert [answer.slot for answer in answers] == ["sprint status", "error"]
    (_, told) = texts(answers)
    assert "There is no milestone called “missing”." in told
    assert "/sprint status 👉foo:bar👈" in told
    assert "For example: `/sprint status`" in told


async def test_ten_commands_are_answered_and_eleven_are_too_many() -> None:
    desk = Office()
    assert len(await desk.say(*["/sprint status"] * 10)) == 10

    (answer,) = await desk.say(*["/sprint status"] * 11, "/lgtm")
    assert texts([answer]) == ["This comment has 11 commands. You can run up to 10."]
    assert len(desk.ran) == 10


async def test_asked_again_it_has_the_same_slot_and_a_new_answer_one_of_its_own() -> None:
    again, first, second = await Office().say(
        "/sprint status", "/sprint status new:yes", "/sprint status new:yes"
    )

    assert again.slot == "sprint status"
    assert len({again.slot, first.slot, second.slot}) == 3


@pytest.mark.parametrize(
    "lines",
    [
        ["/sprint x"] * 6_500,
        ["/agile abcd"] * 5_400,
        ["/sprint close x:1"] * 3_600,
        ["/sprint status " + "a " * 32_000],
        ["/sprint " + "a " * 32_000],
        ["/sprint status " + '"' * 65_000],
        ["/agile " + "sprint " * 9_000],
    ],
    ids=["many", "many in full", "many wrong", "many arguments", "many words", "quotes", "repeated"],
)
@pytest.mark.timeout(30)
async def test_long_comments_take_no_time(lines: list[str]) -> None:
    # A way through the text that goes back and forth takes minutes: the limit above stops it.
    assert await Office().say(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["/sprint x"] * 6_500,
        ["/agile abcd"] * 5_400,
        ["/agile sprint x"] * 4_000,
        ["/sprint close x:1"] * 3_600,
        ["/sprint close " + '"' * 7_000] * 9,
    ],
    ids=["unknown", "unknown in full", "unknown twice", "wrong arguments", "quotes"],
)
def test_whether_a_comment_changes_something_is_asked_of_few_names(lines: list[str]) -> None:
    """Before any role is known, so that anybody's comment is asked it, on the event loop."""
    office, request = Office(), asked(*lines)
    begun = time.thread_time()

    office.dispatcher.is_changing(request, office.policy)

    assert time.thread_time() - begun < 0.1  # As the watchdog allows; it took up to four seconds.


@pytest.mark.parametrize(
    ("lines", "is_changing"),
    [
        (["/sprint status", "/estimate 5"], False),
        (["/sprint status", "/sprint close"], True),
        (["/agile sprint close"], True),
        (["/SPRINT  Close now"], True),
        (["/sprint close wrong:1 arguments:2"], True),
        (["/agile"], False),
        (["/sprint nonsense"], False),
        (["/done"], True),
        (["/agile done now"], True),
        (["/sprint status"] * 9 + ["/sprint close"], True),
    ],
)
def test_a_comment_changes_something_if_a_command_in_it_does(lines: list[str], is_changing: bool) -> None:
    office = Office(commands={"sprint close": {"name": "done"}})

    assert office.dispatcher.is_changing(asked(*lines), office.policy) is is_changing
    unreadable = replace(asked(*lines), is_unreadable=True)
    assert not office.dispatcher.is_changing(unreadable, office.policy)  # Nothing of it runs.


async def test_a_command_that_is_gone_can_be_undone_and_resumed_by_nobody() -> None:
    office = Office(Level.ADMIN)
    request = asked("/agile undo")
    desk = CommandEnvironment(office.place, office.place, office.policy, lambda: office._context(request))

    refusal = await office.dispatcher.refusal_of(request, desk, "evacuate")

    assert refusal == "`/evacuate` no longer exists, so it can't be undone or resumed."
    assert await office.dispatcher.refusal_of(request, desk, "sprint close guid 1") is None
