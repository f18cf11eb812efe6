"""Previews: ticked by who may, unticked for who may not, and gone when they are too old or replaced."""

from typing import Any

import pytest

from storage.outbox import Outbox
from tests.support.changes import box_line, have_milestones, tick_box
from tests.support.clock import Clock
from tests.support.placement import advance, chat, list_minimized
from tests.support.running import Bot, wait_until
from tests.support.sprints import make_sprint

pytestmark = pytest.mark.usefixtures("evacuate_command")


async def make_preview(bot: Bot) -> int:
    """Ask for a change of two items; returns the number of the first."""
    number = await make_sprint(bot)
    await bot.say(number, f"/evacuate #{number} #{number + 2}")
    (answer,) = await bot.answers(number)
    assert box_line(answer)
    return number


async def test_the_outcome_appears_in_the_comment_that_was_ticked(bot: Bot) -> None:
    number = await make_preview(bot)
    await chat(bot, number, 5)
    await tick_box(bot, number)

    (answer,) = await bot.answers(number)
    assert "Evacuated 2 items." in answer
    assert "Do it" not in answer


async def test_a_tick_that_is_refused_is_taken_back_and_says_why(bot: Bot) -> None:
    number = await make_preview(bot)
    await tick_box(bot, number, as_user="dave")

    preview, refusal = await bot.answers(number)
    assert box_line(preview)
    assert refusal.startswith("@dave: `/evacuate` needs the write role; yours is read.")
    assert await have_milestones(bot, number, number + 2) == [True, True]
    await tick_box(bot, number, as_user="alice")
    assert await have_milestones(bot, number, number + 2) == [False, False]
    assert "Evacuated 2 items." in (await bot.answers(number))[0]


async def test_a_tick_in_a_paused_repository_is_taken_back_and_says_why(bot: Bot) -> None:
    number = await make_preview(bot)
    await bot.say(number + 1, "/agile pause confirm:yes")
    await tick_box(bot, number)

    preview, refusal = await bot.answers(number)
    assert box_line(preview)
    assert refusal.startswith("@alice: The bot is paused here, so nothing was changed. Run `/agile resume`")
    assert await have_milestones(bot, number, number + 2) == [True, True]


async def test_a_preview_expires_by_itself_and_says_so(bot: Bot, clock: Clock) -> None:
    number = await make_preview(bot)
    await bot.rest()
    advance(clock, hours=25)

    (answer,) = await _wait_for_text(bot, number, "expired")
    assert answer.startswith(f"This preview of `/evacuate #{number} #{number + 2}` expired after 24 hours")
    assert "Do it" not in answer
    await bot.say(number, f"/evacuate #{number} #{number + 2}")
    (answer,) = await bot.answers(number)
    assert box_line(answer)
    assert "expired" not in answer


async def test_a_box_that_is_ticked_too_late_changes_nothing(bot: Bot, clock: Clock) -> None:
    number = await make_preview(bot)
    async with bot.github.muted():  # The tick arrives before the job that takes the box out.
        (comment,) = [c for c in await bot.github.comments(bot.repo, number) if c["user"]["type"] == "Bot"]
    advance(clock, hours=25)
    body = comment["body"].replace("- [ ] **Do it**", "- [x] **Do it**")
    await bot.github.edit_comment(bot.repo, comment["id"], body)
    await bot.rest()

    (answer,) = await _wait_for_text(bot, number, "expired")
    assert "Do it" not in answer
    assert await have_milestones(bot, number, number + 2) == [True, True]


async def test_a_newer_preview_further_down_ends_the_earlier_one(bot: Bot) -> None:
    number = await make_preview(bot)
    await chat(bot, number, 4)
    await bot.say(number, f"/evacuate #{number} #{number + 2}")

    earlier, newer = await bot.answers(number)
    assert earlier.startswith(f"This preview of `/evacuate #{number} #{number + 2}` is outdated.")
    assert "Do it" not in earlier
    assert box_line(newer)
    assert await list_minimized(bot, number) == ["outdated", None]
    await tick_box(bot, number)
    assert await have_milestones(bot, number, number + 2) == [False, False]


async def test_what_is_done_at_once_ends_the_earlier_preview(bot: Bot) -> None:
    number = await make_preview(bot)
    await chat(bot, number, 4)
    await bot.say(number, f"/evacuate #{number} #{number + 2} confirm:yes")

    earlier, newer = await bot.answers(number)
    assert "is outdated" in earlier
    assert "Do it" not in earlier
    assert "Evacuated 2 items." in newer


async def test_two_ticks_at_once_are_answered_once(bot: Bot) -> None:
    number = await make_preview(bot)
    (comment,) = [c for c in await bot.github.comments(bot.repo, number) if c["user"]["type"] == "Bot"]
    ticked = comment["body"].replace("- [ ] **Do it**", "- [x] **Do it**")
    for person in ("alice", "bob"):
        await bot.github.edit_comment(bot.repo, comment["id"], ticked, as_user=person)
        await bot.github.edit_comment(bot.repo, comment["id"], comment["body"], as_user=person)
    await bot.rest()

    (answer,) = await bot.answers(number)
    assert "Evacuated 2 items." in answer
    assert await have_milestones(bot, number, number + 2) == [False, False]


async def test_an_attempt_that_died_after_the_change_still_shows_the_outcome(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await make_preview(bot)
    enqueue, tries = Outbox.enqueue, list[int]()

    async def die_once(outbox: Outbox, project: int, event: int, *rest: Any) -> None:
        tries.append(event)
        if len(tries) == 1:
            raise ZeroDivisionError("as if the worker had died")
        await enqueue(outbox, project, event, *rest)

    monkeypatch.setattr(Outbox, "enqueue", die_once)
    await tick_box(bot, number)

    (answer,) = await _wait_for_text(bot, number, "Evacuated 2 items.")
    assert "Do it" not in answer


async def test_two_failures_of_one_comment_are_both_shown(bot: Bot) -> None:
    number = await make_sprint(bot)
    bot.github.fail_next("PATCH", f"/repos/{bot.repo}/issues/{number + 2}", status=422)
    await bot.say(number, f"/evacuate #{number} #{number + 2} confirm:yes\n/sprint status foo:bar")

    (answer,) = await bot.answers(number)
    assert "GitHub would not let me evacuate 2 items" in answer
    assert "foo:bar" in answer


async def test_a_change_that_github_refuses_says_so_in_the_ticked_comment(bot: Bot) -> None:
    number = await make_preview(bot)
    bot.github.fail_next("PATCH", f"/repos/{bot.repo}/issues/{number + 2}", status=422)
    await tick_box(bot, number)

    (answer,) = await bot.answers(number)
    assert "GitHub would not let me evacuate 2 items" in answer
    assert "Do it" not in answer


async def _wait_for_text(bot: Bot, number: int, text: str) -> list[str]:
    async def is_there() -> bool:
        return any(text in answer for answer in await bot.answers(number))

    await wait_until(is_there)
    await bot.rest()
    return await bot.answers(number)
