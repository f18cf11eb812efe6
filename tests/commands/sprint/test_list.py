"""`/sprint list`, from a person's comment to the bot's answer."""

import pytest

from tests.support.clock import Clock
from tests.support.running import Bot
from tests.support.sprints import make_ended_sprint, make_next_sprint


async def test_all_sprints(bot: Bot, clock: Clock) -> None:
    number = await make_ended_sprint(bot, clock)
    await make_next_sprint(bot)
    comment = await bot.say(number, "/sprint list", as_user="dave")

    (answer,) = await bot.answers(number)
    assert answer.startswith("### 2 sprints\n\nDone so far: 1 item in 1 sprint; a velocity needs three.\n\n")
    assert answer.index("| Sprint 13 |") < answer.index("| Sprint 12 |")
    assert "| ended, not closed | 8 / 3 | 3 / 1 | 38 % / 33 % |" in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [("last:0", "`last:0` must be from 1 to 100."), ("last:many", "`last` must be a whole number")],
)
async def test_bad_arguments(bot: Bot, words: str, refusal: str) -> None:
    issue = await bot.github.create_issue(bot.repo, "Card form")
    comment = await bot.say(issue["number"], f"/sprint list {words}")

    (answer,) = await bot.answers(issue["number"])
    assert refusal in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_where_there_is_none_it_says_how_to_begin(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "Card form")
    await bot.say(issue["number"], "/sprint list")

    (answer,) = await bot.answers(issue["number"])
    assert "There is no sprint yet. Start one with `/sprint start" in answer


async def test_a_stranger_is_refused(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "Card form")
    await bot.say(issue["number"], "/sprint list", as_user="mallory")

    (answer,) = await bot.answers(issue["number"])
    assert "`/sprint list` is for collaborators" in answer
