"""Tests that each outcome of several commands in one comment is shown, through the front door."""

from tests.support.running import Bot
from tests.support.undoing import make_two_sprints


async def test_each_estimate_is_shown(bot: Bot) -> None:
    number = await make_two_sprints(bot)
    await bot.say(number, "/estimate #1 8\n/estimate #2 13")
    shown = "\n".join(await bot.answers(number))
    assert "**8 points**" in shown
    assert "**13 points**" in shown


async def test_each_preview_keeps_its_box(bot: Bot) -> None:
    number = await make_two_sprints(bot)
    await bot.say(number, '/sprint close to:backlog\n/sprint close to:"Sprint 13"')
    assert sum("- [ ]" in answer for answer in await bot.answers(number)) == 2
