"""`/agile undo` of commands that changed one thing, and of those that cannot be undone."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.publishing.pictures import ChartRenderer
from bot.settings import Settings
from github_standin.github import StandInGitHub
from tests.support.changes import box_line, have_milestones, tick_box
from tests.support.clock import Clock
from tests.support.conversations import ask_bot
from tests.support.github_openapi import load_checker
from tests.support.running import Bot, running_bot
from tests.support.sprints import create_item, day_from_today, make_running_sprint, make_sprint


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("/estimate 8", "#1 is estimated at 5 again."),
        ("/estimate none", "#1 is estimated at 5 again."),
        ("/start", "#1 no longer counts as started by `/start`."),
        ("/blocked by:#3", "#1 no longer waits for #3."),
        ('/blocked reason:"no account"', "#1 is no longer blocked."),
        ("/sprint remove", "#1 is in Sprint 12 again."),
        ('/sprint goal "Ship it"', "The goal of Sprint 12 is “Pay by card” again."),
        ("/wip limit 5", "The setting `wip` is no longer set."),
        ("/agile config set timezone Europe/Berlin", "The setting `timezone` is no longer set."),
        ("/calendar add 2027-05-14", "The setting `days_off` has changed: no longer off: 14 May 2027."),
        ("/agile roles grant @carol maintain", "The setting `roles` is no longer set."),
    ],
)
async def test_one_change_is_undone_and_said_precisely(bot: Bot, command: str, result: str) -> None:
    number = await make_sprint(bot)
    await bot.say(number, command)
    answer = await ask_bot(bot, number, "/agile undo")
    assert answer.startswith(f"### Undo `{command}`?")
    await tick_box(bot, number)

    answer = (await bot.answers(number))[-1]
    assert f"Undone: `{command}` by `alice`, " in answer
    assert f"\n- {result}\n" in answer
    assert "There is nothing to undo" in await ask_bot(bot, number, "/agile undo new:yes")


async def test_a_pause_is_undone_and_the_start_stays(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start")
    await bot.say(number, '/pause reason:"lunch"')
    answer = await ask_bot(bot, number, "/agile undo confirm:yes")
    assert "- #1 is in progress again, as if it had never been paused." in answer
    assert "has been in progress since today, by `/start` (`alice`)" in await ask_bot(
        bot, number, "/start new:yes"
    )


async def test_what_somebody_has_estimated_since_stays(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8")
    await bot.github.update_issue(bot.repo, number, labels=["points: 8", "points: 2"])
    await bot.rest()
    answer = await ask_bot(bot, number, "/agile undo confirm:yes")
    assert "cannot be undone:\n\n- #1: `points: 5` → `points: 8` – it has changed again since then" in answer
    labels = (await bot.github.issue(bot.repo, number))["labels"]
    assert sorted(label["name"] for label in labels) == ["points: 2", "points: 8"]


async def test_a_split_says_before_that_it_stays_and_what_came_before_is_offered(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8")
    answer = await ask_bot(bot, number, '/split into:"Card form","Refunds of cards"')
    assert "`/agile undo` will not close the new issues; close them if you do not need them." in answer
    await bot.say(number, '/split into:"Card form","Refunds of cards" confirm:yes')

    answer = await ask_bot(bot, number, "/agile undo new:yes")
    assert answer.startswith("### Undo `/estimate 8`?")
    assert '`/split into:"Card form","Refunds of cards"` by `alice`, ' in answer
    assert "cannot be undone:\n\n- new issue “Refunds of cards” – someone may have replied" in answer
    assert box_line(answer)


@pytest.mark.parametrize(
    ("command", "staying"),
    [
        (f'/sprint start "Sprint 20" due:{day_from_today(23)} confirm:yes', "new milestone “Sprint 20”"),
        ('/split into:"Card form","Refunds of cards" confirm:yes', "new issue “Card form”"),
        ("/agile resync confirm:yes", "running sprints compared with GitHub"),
    ],
)
async def test_confirm_does_not_undo_another_change_than_the_last(
    bot: Bot, command: str, staying: str
) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/calendar add 2027-05-14")
    await bot.say(number, "/estimate 8")
    await bot.say(number, command)
    for typed in ("/agile undo confirm:yes", "/agile undo confirm:yes new:yes"):
        answer = await ask_bot(bot, number, typed)
        heading, skipped, *_ = answer.split("\n\n")
        assert heading == "### Undo `/estimate 8`?"
        assert skipped.startswith(f"`{command.removesuffix(' confirm:yes')}` by `alice`, ")
        assert skipped.endswith("cannot be undone:")
        assert staying in answer
        assert "\n\nInstead, this undoes `/estimate 8` by `alice`, " in answer
        assert "confirm:yes" not in answer
        labels = (await bot.github.issue(bot.repo, number))["labels"]
        assert [label["name"] for label in labels] == ["points: 8"]

    await tick_box(bot, number)
    assert "Undone: `/estimate 8`" in (await bot.answers(number))[-1]


async def test_a_scope_explained_lists_what_was_undone(bot: Bot) -> None:
    first = await make_running_sprint(bot)
    await make_running_sprint(bot, "Sprint 13")
    number = await create_item(bot, 5, first)
    await create_item(bot, 2, first)
    await bot.say(number, '/sprint close to:"Sprint 13" confirm:yes')
    await bot.say(number, "/agile undo confirm:yes", as_user="alice")

    for title in ("Sprint 12", "Sprint 13"):
        answer = await ask_bot(bot, number, f'/explain scope for:"{title}" new:yes')
        assert '**Undone:** `/sprint close to:"Sprint 13"` by `alice`, ' in answer
        assert " by `alice`: 2 items, 0 net." in answer
    assert await have_milestones(bot, number) == [True]


@pytest.fixture
async def timed_bot(settings: Settings, drawing: ChartRenderer, clock: Clock) -> AsyncIterator[Bot]:
    """A bot and a GitHub that share a clock, which the test may move."""
    async with (
        StandInGitHub(check_request=load_checker(), clock=clock) as github,
        running_bot(github, settings, clock, drawing) as bot,
    ):
        yield bot


async def close_sprint(bot: Bot, clock: Clock, after_days: int) -> tuple[int, str]:
    """Close a sprint some days after its start; return the thread and the report of three days later."""
    number = await make_sprint(bot)
    clock.now = clock() + timedelta(days=after_days)
    await bot.say(number, "/sprint close to:backlog confirm:yes")
    clock.now += timedelta(days=3)
    report = await ask_bot(bot, number, '/sprint report "Sprint 12"')
    clock.now += timedelta(minutes=5)
    return number, report


async def undo_and_report(bot: Bot, number: int) -> str:
    """Undo the closing, and return the report that follows."""
    await bot.say(number, "/agile undo confirm:yes")
    await bot.rest()  # until the webhooks of the undoing are recorded
    return await ask_bot(bot, number, '/sprint report "Sprint 12" new:yes')


async def test_frozen_numbers_stay_and_the_report_has_a_footnote(timed_bot: Bot, clock: Clock) -> None:
    number, before = await close_sprint(timed_bot, clock, after_days=11)
    assert "Frozen on " in before
    preview = await ask_bot(timed_bot, number, "/agile undo")
    assert "The numbers of Sprint 12 were frozen on " in preview
    after = await undo_and_report(timed_bot, number)

    assert "1 thing became known later; the numbers don't change" in after
    assert "`/sprint close to:backlog` by `alice`, " in after
    assert ", was undone on " in after
    table = "| **Scope** | **8** | **3** |"
    assert table in before
    assert table in after


async def test_a_sprint_that_was_closed_early_and_frozen_runs_again(timed_bot: Bot, clock: Clock) -> None:
    number, before = await close_sprint(timed_bot, clock, after_days=2)
    assert "Frozen on " in before
    after = await undo_and_report(timed_bot, number)

    assert "still running: these are its numbers so far" in after
    assert "2 things became known later; the sprint runs again" in after
    assert " are kept: 3 of 8 points done" in after
    assert "Removed" not in after
