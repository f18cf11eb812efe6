"""`/sprint start`, from a person's comment to what GitHub then has."""

import re
from datetime import date
from typing import Any

import pytest

from commands.formatting.wording import full_day
from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.sprints import day_from_today, make_sprint


async def milestone(bot: Bot, title: str) -> dict[str, Any]:
    milestones = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    (item,) = [item for item in milestones if item["title"] == title]
    return dict(item)


def written(offset: int) -> str:
    """A day so many days from today, as replies write it."""
    return full_day(date.fromisoformat(day_from_today(offset)))


async def test_a_new_milestone_is_made(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "Card form")
    comment = await bot.say(
        issue["number"],
        f'/sprint start "Sprint 25" due:{day_from_today(11)} goal:"Pay by card"',
        as_user="bob",
    )

    made = await milestone(bot, "Sprint 25")
    assert made["due_on"].startswith(day_from_today(11))
    assert made["description"].splitlines() == ["Goal: Pay by card", f"Start: {day_from_today(0)}"]
    (answer,) = await bot.answers(issue["number"])
    assert answer.startswith("### Sprint 25 has started")
    assert bot.reactions(comment) == ["eyes", "+1"]
    await bot.say(issue["number"], "/sprint add")
    assert "Planned for Sprint 25" in (await bot.answers(issue["number"]))[-1]


async def test_one_of_that_title_is_adopted(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f'/sprint start "SPRINT 12" due:{day_from_today(11)} start:{day_from_today(1)}')

    made = await milestone(bot, "Sprint 12")
    assert made["due_on"].startswith(day_from_today(11))
    assert made["description"].splitlines() == ["Goal: Pay by card", f"Start: {day_from_today(1)}"]
    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 12 is planned")
    assert "**Goal:** Pay by card" in answer
    assert "Changed: due date (it was" in answer
    assert f"**1 item is not estimated:** #{number + 2}." in answer
    assert "/sprint status" not in answer


async def test_said_again_it_changes_nothing(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f'/sprint start "Sprint 12" due:{day_from_today(9)}')

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 12 has started")
    assert "Changed" not in answer
    assert "Start: " + day_from_today(-4) in (await milestone(bot, "Sprint 12"))["description"]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (f'"Sprint 25" due:{day_from_today(-1)}', "is in the past. Use today or a later day."),
        (f'"Sprint 25" due:{day_from_today(3)} start:{day_from_today(4)}', "is after"),
        ('"Sprint 25" due:someday', "`due` must be a date, such as"),
        (
            f'"Sprint 11" due:{day_from_today(3)}',
            'and its numbers are final. Start one with another title. Try: `/sprint start "Sprint 12" due:',
        ),
        ('"Sprint 25" due:9999-12-31', "Use a date from 2000 to 2100."),
        (
            f'"Sprint 25" due:{day_from_today(731)}',
            f"A sprint can last up to two years. Use a `due:` up to {written(730)}.",
        ),
        (
            f'"Sprint 25" due:{day_from_today(740)} start:{day_from_today(5)}',
            f"Use a `due:` up to {written(735)}.",
        ),
        (f'"Sprint 25" due:{day_from_today(3)} start:2001-01-01', f"Use a `start:` from {written(-727)}."),
        (
            f'"{"x" * 256}" due:{day_from_today(3)}',
            "This title has 256 characters. A title can have up to 255.",
        ),
    ],
)
async def test_invalid_input_is_refused_with_a_reason(bot: Bot, words: str, refusal: str) -> None:
    number = await make_sprint(bot, "Sprint 11", start=-20, due=-7)
    comment = await bot.say(number, f"/sprint start {words}")

    (answer,) = await bot.answers(number)
    assert refusal in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_who_may_not(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f'/sprint start "Sprint 25" due:{day_from_today(3)}', as_user="carol")

    (answer,) = await bot.answers(number)
    assert "`/sprint start` needs the write role; yours is triage." in answer


async def test_a_year_too_far_away_is_named_with_the_day_that_may_be_meant(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await ask_bot(bot, number, '/sprint start "Sprint 26" due:2099-12-30')
    limit, _, question = answer.partition(" Or did you mean ")
    assert "Use a `due:` up to " in limit
    assert re.match(r'30 Dec \d{4}\? `/sprint start "Sprint 26" due:\d{4}-12-30`', question)
