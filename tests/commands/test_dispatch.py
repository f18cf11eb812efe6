"""The dispatcher: which lines are commands, who may run them, and in which order they run."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from commands.framework.permissions import Level
from commands.framework.request import CommandLine
from commands.framework.slots import slot_command
from tests.support.dispatching import DispatchHarness, make_request, reply_texts

# What is ours


@pytest.mark.parametrize(
    "line",
    ["/lgtm", "/hold", "/assign @bob", "/milestone v1", "/close", "/help", "/retest please", "/status", "/s"],
)
async def test_words_of_other_bots_are_met_with_silence(line: str) -> None:
    harness = DispatchHarness()

    assert not harness.dispatcher.has_command(make_request(line), harness.policy)
    assert await harness.say(line) == []
    assert harness.log == []


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
    harness = DispatchHarness()
    (answer,) = await harness.say(line)

    assert (answer.slot, answer.is_success) == ("sprint status", True)
    assert harness.ran == ["sprint status"]


async def test_its_arguments_keep_their_case() -> None:
    harness = DispatchHarness()
    await harness.say('/AGILE Sprint STATUS "Sprint Twelve"')

    assert harness.ran == ["sprint status Sprint Twelve"]


@pytest.mark.parametrize("line", ["/sprint statsu", "/sprnt status", "/sprint", "/agile sprnt status"])
async def test_a_misspelt_command_of_ours_is_answered_with_the_nearest(line: str) -> None:
    (answer,) = await DispatchHarness().say(line)

    assert not answer.is_success
    assert "Did you mean `/sprint " in reply_texts([answer])[0]


async def test_our_name_alone_is_answered_with_what_can_be_said() -> None:
    (text,) = reply_texts(await DispatchHarness().say("/agile"))

    assert "`/`" not in text
    assert "sprint status" in text


async def test_what_was_misspelt_cannot_leave_the_code_in_which_it_is_shown() -> None:
    (text,) = reply_texts(await DispatchHarness().say("/sprint `@acme/everybody"))

    assert "`@" not in text


async def test_foreign_words_beside_ours_are_passed_over() -> None:
    harness = DispatchHarness()

    assert len(await harness.say("/lgtm", "/sprint status", "/hold")) == 1
    assert harness.ran == ["sprint status"]


# Who may


async def test_permission_is_asked_and_the_comment_seen_before_anything_runs() -> None:
    harness = DispatchHarness()
    await harness.say("/sprint status")

    assert sorted(harness.log[:2]) == ["saw 77", "who is alice"]
    assert harness.log[2:] == ["opened", "ran sprint status"]


async def test_when_permission_cannot_be_told_nothing_runs() -> None:
    harness = DispatchHarness(ConnectionError("GitHub is away"))

    with pytest.raises(ConnectionError):
        await harness.say("/sprint status")
    assert "opened" not in harness.log
    assert harness.ran == []


async def test_who_is_no_collaborator_is_refused_once_and_in_words() -> None:
    harness = DispatchHarness(Level.NONE)
    (answer,) = await harness.say("/sprint status", "/sprint close")

    assert not answer.is_success
    assert reply_texts([answer]) == [
        "`/sprint status` is for collaborators of this repository. Please ask a maintainer of this repository."
    ]
    assert "opened" not in harness.log


async def test_a_stranger_who_misspells_is_refused_in_good_english() -> None:
    (text,) = reply_texts(await DispatchHarness(Level.NONE).say("/sprint nonsense"))

    assert text.startswith("Commands are for collaborators")


async def test_a_refusal_names_the_role_that_is_needed_and_whom_to_ask() -> None:
    harness = DispatchHarness(Level.TRIAGE)
    (answer,) = await harness.say("/sprint close")

    assert reply_texts([answer]) == [
        "`/sprint close` needs the maintain role; yours is triage. Please ask a maintainer of this repository. `/agile help` shows who may run what."
    ]
    assert harness.ran == []


async def test_each_command_has_its_own_level() -> None:
    harness = DispatchHarness(Level.TRIAGE)
    answers = await harness.say("/sprint close", "/estimate 5", "/sprint status")

    assert [slot_command(answer.slot) for answer in answers] == ["estimate", "sprint status", "error"]
    assert harness.ran == ["estimate 5", "sprint status"]


# What is read and run


async def test_all_lines_are_read_before_any_runs() -> None:
    harness = DispatchHarness()

    class Lines(tuple[CommandLine, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[CommandLine]:
            for line in super().__iter__():
                harness.log.append(f"read {line.line}")
                yield line

    await harness.answer(
        replace(
            make_request(),
            lines=Lines(make_request("/sprint status", "/sprint status foo:bar", "/estimate").lines),
        )
    )

    assert harness.log[:3] == ["read 1", "read 2", "read 3"]
    assert harness.ran == ["sprint status", "estimate"]


async def test_answers_come_in_the_order_of_the_lines() -> None:
    answers = await DispatchHarness().say("/estimate 5", "/sprint status")

    assert reply_texts(answers) == ["estimate for alice", "sprint status for alice"]


async def test_several_failures_are_reported_in_one_comment_after_what_went_well() -> None:
    answers = await DispatchHarness().say(
        "/sprint status missing", "/sprint status foo:bar", "/sprint status"
    )

    assert [answer.slot for answer in answers] == ["sprint status", "error"]
    (_, data) = reply_texts(answers)
    assert "There is no milestone called “missing”." in data
    assert "/sprint status 👉foo:bar👈" in data
    assert "Try:\n\n```text\n/sprint status\n```" in data


async def test_ten_commands_are_answered_and_eleven_are_too_many() -> None:
    harness = DispatchHarness()
    assert len(await harness.say(*["/sprint status"] * 10)) == 10

    (answer,) = await harness.say(*["/sprint status"] * 11, "/lgtm")
    assert reply_texts([answer]) == [
        "This comment has 11 commands, so I ran none of them. Use up to 10 per comment."
    ]
    assert len(harness.ran) == 10


async def test_an_answer_that_is_to_be_new_has_the_same_slot_so_that_the_next_one_takes_its_place() -> None:
    usual, new, again = await DispatchHarness().say(
        "/sprint status", "/sprint status new:yes", "/sprint status"
    )

    assert {usual.slot, new.slot, again.slot} == {"sprint status"}
    assert [answer.is_new for answer in (usual, new, again)] == [False, True, False]


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
    assert await DispatchHarness().say(*lines)


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
    harness, request = DispatchHarness(), make_request(*lines)
    begun = time.thread_time()

    harness.dispatcher.is_changing(request, harness.policy)

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
    harness = DispatchHarness(commands={"sprint close": {"name": "done"}})

    assert harness.dispatcher.is_changing(make_request(*lines), harness.policy) is is_changing
    unreadable = replace(make_request(*lines), is_unreadable=True)
    assert not harness.dispatcher.is_changing(unreadable, harness.policy)  # Nothing of it runs.


async def test_a_command_that_is_gone_can_be_undone_and_resumed_by_nobody() -> None:
    harness = DispatchHarness(Level.ADMIN)
    request = make_request("/agile undo")
    environment = harness.build_environment(request)

    refusal = await harness.dispatcher.find_refusal(request, environment, "evacuate")

    assert refusal == "`/evacuate` no longer exists, so it can't be undone or confirmed."
    assert await harness.dispatcher.find_refusal(request, environment, "sprint close guid 1") is None
