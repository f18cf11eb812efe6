"""Changes by commands: previewed where required, applied once, audited, undone."""

import asyncio
from datetime import UTC, datetime
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.publishing.change_applier import ChangeApplier, ChangeTask
from commands.framework.changes import MoveItem, decode_steps, encode_steps
from commands.framework.outcome import Reply
from storage.changes import ChangeState, CommandChange
from storage.database import Database
from storage.jobs import Jobs
from tests.support.changes import box_line, have_milestones, query_database, tick_box
from tests.support.running import Bot, wait_until
from tests.support.sprints import make_sprint

# One thing is done at once


async def test_single_step_is_applied_and_audited(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/estimate 8")

    assert [label["name"] for label in (await bot.github.issue(bot.repo, number))["labels"]] == ["points: 8"]
    (answer,) = await bot.answers(number)
    assert f"#{number}: 5 points → **8 points**" in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    (entry,) = await query_database(bot, "select actor, action, target, details from audit_log")
    assert entry[:3] == ("alice", "/estimate 8", f"#{number}")
    assert entry.details["step"] == {
        "type": "Relabel", "number": number, "removed": ["points: 5"], "added": ["points: 8"]
    }  # fmt: skip


async def test_what_we_changed_comes_back_by_webhook_and_counts_once(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8")
    await bot.say(number, "/sprint status by:points")

    answers = await bot.answers(number)
    assert any("3 of 11 points done" in answer for answer in answers)
    labeled = await query_database(
        bot, "select actor from timeline where event = 'labeled' and subject = 'points: 8'"
    )
    assert [row.actor for row in labeled] == [bot.github.bot_login]


async def test_what_is_so_already_changes_nothing(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 5")

    (answer,) = await bot.answers(number)
    assert f"#{number} has 5 points already" in answer
    assert not await query_database(bot, "select 1 from audit_log")


# More than one is shown first


@pytest.mark.usefixtures("evacuate_command")
async def test_more_than_one_is_shown_first_and_done_when_the_box_is_ticked(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, f"/evacuate #{number} #{number + 2}")

    (answer,) = await bot.answers(number)
    assert "### Evacuate 2 items?" in answer
    assert box_line(answer)
    assert await have_milestones(bot, number, number + 2) == [True, True]
    assert bot.reactions(comment) == ["eyes", "+1"]

    await tick_box(bot, number)
    (answer,) = await bot.answers(number)
    assert "Evacuated 2 items." in answer
    assert "Do it" not in answer
    assert await have_milestones(bot, number, number + 2) == [False, False]


@pytest.mark.usefixtures("evacuate_command")
async def test_who_may_not_run_it_may_not_tick_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/evacuate #{number} #{number + 2}")
    await tick_box(bot, number, as_user="dave")

    assert await have_milestones(bot, number, number + 2) == [True, True]
    answers = await bot.answers(number)
    assert any("needs the write role; yours is read" in answer for answer in answers)


@pytest.mark.usefixtures("evacuate_command")
async def test_a_preview_that_is_stale_is_not_carried_out(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/evacuate #{number} #{number + 1} #{number + 2}")
    await bot.github.update_issue(bot.repo, number + 1, milestone=None)
    await bot.rest()
    await tick_box(bot, number)

    assert await have_milestones(bot, number, number + 2) == [True, True]
    (answer,) = await bot.answers(number)
    assert "Things have changed since the last preview" in answer
    assert "### Evacuate 2 items?" in answer
    await tick_box(bot, number)
    assert await have_milestones(bot, number, number + 2) == [False, False]


@pytest.mark.usefixtures("evacuate_command")
async def test_it_can_be_confirmed_in_the_command(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/evacuate #{number} #{number + 2} confirm:yes")

    assert await have_milestones(bot, number, number + 2) == [False, False]
    assert len(await query_database(bot, "select 1 from audit_log")) == 2


@pytest.mark.usefixtures("evacuate_command")
async def test_one_that_was_refused_tells_what_was_done_before(bot: Bot) -> None:
    number = await make_sprint(bot)
    bot.github.fail_next("PATCH", f"/repos/{bot.repo}/issues/{number + 2}", status=422)
    await bot.say(number, f"/evacuate #{number} #{number + 2} confirm:yes")

    assert await have_milestones(bot, number, number + 2) == [False, True]
    (answer,) = await bot.answers(number)
    assert f"GitHub would not let me evacuate 2 items: #{number + 2}: GitHub answered 422" in answer
    assert f"Done before that: #{number}." in answer


@pytest.mark.usefixtures("evacuate_command")
async def test_interrupted_attempt_is_resumed(bot: Bot) -> None:
    """GitHub goes away in the middle; nothing is done twice, and the answer is that of the whole."""
    number = await make_sprint(bot)
    bot.github.fail_next("PATCH", f"/repos/{bot.repo}/issues/{number + 2}", status=502)
    await bot.say(number, f"/evacuate #{number} #{number + 2} confirm:yes")

    async def is_done() -> bool:
        return await have_milestones(bot, number, number + 2) == [False, False]

    await wait_until(is_done)
    await bot.rest()
    (answer,) = await bot.answers(number)
    assert "Evacuated 2 items." in answer
    assert len(await query_database(bot, "select 1 from audit_log")) == 2


def test_steps_survive_their_way_through_the_database() -> None:
    steps = (MoveItem(1, 2, None),)
    assert decode_steps(encode_steps(steps)) == steps
    assert steps[0].invert() == MoveItem(1, None, 2)


@given(st.sampled_from(["", "interrupted", "Interrupted. ", "stopped partway: "]), st.text(max_size=20))
@example("interrupted", " uploads: GitHub answered 422")
def test_the_state_of_a_change_is_never_read_from_what_its_note_says(first: str, rest: str) -> None:
    """A note begins with what somebody called a milestone, an issue or a setting."""
    note = f"{first}{rest}"
    clock = datetime(2026, 11, 23, tzinfo=UTC)
    changing = ChangeApplier(cast("Database", None), lambda: clock, cast("Jobs", None))

    async def answer_to(state: ChangeState, note: str | None) -> str:
        words = "/split a", "split", "bob", "open 2 issues"
        ended = CommandChange(1, 7, *words, b"[]", "", "Opened.", None, state, note, None, None)
        (part,) = cast("Reply", (await changing.carry_out(cast("ChangeTask", None), ended)).reply).parts
        return str(part)

    refused = asyncio.run(answer_to(ChangeState.FAILED, note))
    interrupted = asyncio.run(answer_to(ChangeState.INTERRUPTED, note))

    assert refused == f"GitHub would not let me open 2 issues: {note}. Nothing was changed."
    assert interrupted == f"`/split a` stopped partway: {note} Whatever it had already changed stays changed."
    assert asyncio.run(answer_to(ChangeState.APPLIED, None)) == "Opened."
