"""The lines that `/help` suggests: they fit the situation, and each of them works when it is copied."""

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from commands.framework.permissions import Level
from commands.messages.help import choose_suggestions, help_overview
from commands.messages.help_suggestions import (
    HelpSituation,
    SprintStage,
    ThreadItem,
    write_sprint_argument,
)
from tests.support.clock import Clock
from tests.support.conversations import ask_bot, create_thread
from tests.support.help_pages import make_entries, suggested_in
from tests.support.past import record_past
from tests.support.running import Bot
from tests.support.sprints import make_ended_sprint, make_sprint


async def test_in_a_running_sprint_its_commands_name_it_and_work_now(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_bot(bot, number, "/help", as_user="carol")

    assert "Sprint 24 runs until Fri 20 Nov" in answer
    lines = suggested_in(answer)
    assert '/sprint status "Sprint 24"' in lines
    assert len(lines) == 8
    await assert_all_work(bot, number, lines, "carol")


async def test_an_item_outside_of_the_sprint_can_be_added_and_one_within_not(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.github.create_issue(bot.repo, "Not planned")
    await bot.rest()
    outside = max(issue["number"] for issue in await all_issues(bot))
    answer = await ask_bot(bot, outside, "/help", as_user="carol")
    assert f", and #{outside} is not in it." in answer
    assert "/sprint add" in suggested_in(answer)
    await assert_all_work(bot, outside, suggested_in(answer), "carol")

    inside = await ask_bot(bot, number, "/help", as_user="carol")
    assert f", and #{number} is in it." in inside
    assert "/sprint add" not in suggested_in(inside)


async def test_what_is_started_and_estimated_is_not_offered_again(bot: Bot) -> None:
    number = await make_sprint(bot)
    before = suggested_in(await ask_bot(bot, number, "/help", as_user="carol"))
    for line in ("/estimate 8", "/start"):
        comment = await bot.say(number, line, as_user="carol")
        assert bot.reactions(comment) == ["eyes", "+1"]
    after = suggested_in(await ask_bot(bot, number, "/help new:yes", as_user="carol"))
    assert "/start" in before
    assert not {"/start", "/estimate 5"} & set(after)
    assert '/blocked reason:"waits for a review"' in after

    await bot.say(number, '/blocked reason:"waits for a review"', as_user="carol")
    blocked = suggested_in(await ask_bot(bot, number, "/help new:yes", as_user="carol"))
    assert blocked[0] == "/unblocked"


async def test_a_reader_is_offered_nothing_that_needs_another_role(bot: Bot) -> None:
    number = await make_sprint(bot)
    lines = suggested_in(await ask_bot(bot, number, "/help", as_user="dave"))
    assert len(lines) == 8
    assert not [line for line in lines if line.split()[0] in {"/estimate", "/start", "/blocked"}]
    await assert_all_work(bot, number, lines, "dave")


async def test_without_a_sprint_a_reader_and_an_admin_are_offered_what_works(bot: Bot) -> None:
    number = await create_thread(bot)
    for person, has_start in (("dave", False), ("alice", True)):
        lines = suggested_in(await ask_bot(bot, number, "/help new:yes", as_user=person))
        assert len(lines) == 8
        assert ("/sprint start" in lines) == has_start
        await assert_all_work(bot, number, lines, person)


async def test_a_sprint_that_is_over_is_to_be_closed(bot: Bot, clock: Clock) -> None:
    number = await make_ended_sprint(bot, clock)
    answer = await ask_bot(bot, number, "/help")
    assert "Sprint 12 is over but not closed yet" in answer
    lines = suggested_in(answer)
    assert lines[0].startswith("/sprint close")
    assert '/sprint report "Sprint 12"' in lines
    await assert_all_work(bot, number, lines, "alice")


async def test_a_closed_thread_offers_no_work_on_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.github.close_issue(bot.repo, number)
    await bot.rest()
    lines = suggested_in(await ask_bot(bot, number, "/help", as_user="carol"))
    assert len(lines) == 8
    assert not {"/start", "/estimate 5"} & set(lines)


async def assert_all_work(bot: Bot, number: int, lines: list[str], person: str) -> None:
    """Say each suggested line, and see that it is done or asks for a tick."""
    failed = []
    for line in lines:
        comment = await bot.say(number, f"{line} new:yes", as_user=person)
        if bot.reactions(comment) != ["eyes", "+1"]:
            failed.append((line, (await bot.answers(number))[-1]))
    assert failed == []


async def all_issues(bot: Bot) -> list[dict[str, Any]]:
    issues: list[dict[str, Any]] = await bot.github.call("GET", f"/repos/{bot.repo}/issues?state=all")
    return issues


# Words


TITLES = st.sampled_from(
    ["Sprint 24", "Sprint 24 `x`", 'The "big" one', "2026-W07", "v" * 250, "Q4", "Release 1.9"]
)


def situations() -> st.SearchStrategy[HelpSituation]:
    item = st.builds(ThreadItem, *[st.booleans()] * 4)
    due = st.dates(date(2026, 1, 1), date(2027, 12, 31))
    of_stages = st.builds(
        HelpSituation,
        thread=st.just(7),
        today=st.just(date(2026, 11, 18)),
        stage=st.sampled_from(SprintStage).filter(lambda stage: stage is not SprintStage.NONE),
        sprint=TITLES,
        last_day=st.none() | due,
        has_goal=st.booleans(),
        item=st.none() | item,
        is_paused=st.booleans(),
    )
    return of_stages | st.builds(
        HelpSituation, st.just(7), st.just(date(2026, 11, 18)), item=st.none() | item
    )


@given(situations(), st.sampled_from([level for level in Level if level is not Level.NONE]))
def test_eight_lines_are_suggested_whatever_the_situation(situation: HelpSituation, level: Level) -> None:
    listed = make_entries(level)
    chosen = choose_suggestions(listed, situation)
    assert len(chosen) == 8
    assert len({entry.command.name for entry, _ in chosen}) == 8
    for entry, line in chosen:
        assert entry.is_allowed
        assert line.startswith(entry.spelled)
        assert line.count('"') % 2 == 0
        assert len(line) < 110
    page = help_overview(listed, situation)
    assert len(page) < 14_000
    assert suggested_in(page) == [line for _, line in chosen]


def test_what_the_plan_lacks_is_marked_and_not_suggested() -> None:
    situation = replace(
        HelpSituation(7, date(2026, 11, 18)), stage=SprintStage.RUNNING, sprint="Sprint 24", has_goal=True
    )
    listed = [replace(entry, is_enabled=entry.command.feature is None) for entry in make_entries(Level.READ)]
    assert "/forecast" not in " ".join(suggested_in(help_overview(listed, situation)))
    assert "| read, **not in your plan** |" in help_overview(listed, situation)
    assert "/forecast" in " ".join(suggested_in(help_overview(make_entries(Level.READ), situation)))


def test_a_sprint_is_named_as_the_command_declares() -> None:
    by_name = {entry.command.name: entry.command.arguments for entry in make_entries(Level.ADMIN)}
    assert write_sprint_argument(by_name["sprint status"], "Sprint 24") == '"Sprint 24"'
    assert write_sprint_argument(by_name["risk"], "Sprint 24") in {'"Sprint 24"', 'milestone:"Sprint 24"'}
    assert write_sprint_argument(by_name["my"], "Sprint 24") == ""
    assert write_sprint_argument(by_name["sprint status"], 'The "big" one') == '«The "big" one»'
    assert write_sprint_argument(by_name["sprint status"], "The `big` one") == ""
