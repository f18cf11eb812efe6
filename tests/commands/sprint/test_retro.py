"""`/sprint retro`, from a person's comment to the bot's answer."""

from tests.support.clock import Clock
from tests.support.running import Bot
from tests.support.sprints import make_ended_sprint, make_sprint


async def test_evidence_of_a_finished_sprint(bot: Bot, clock: Clock) -> None:
    number = await make_ended_sprint(bot, clock)
    await bot.github.close_issue(bot.repo, number)
    await bot.github.reopen_issue(bot.repo, number)
    await bot.github.update_issue(bot.repo, number, assignees=["bob"])
    await bot.rest()
    comment = await bot.say(number, "/sprint retro", as_user="bob")

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 12 · for the retrospective\n")
    assert f"**👀 Longest in progress** (1 item)\n- #{number}: 3 days, and not done" in answer
    assert f"**❤️ Reopened after it was done** (1 item)\n- #{number}: once, and not done again" in answer
    assert "bob" not in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_an_unknown_sprint(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/sprint retro "Sprint 99"')

    (answer,) = await bot.answers(number)
    assert "There is no milestone called “Sprint 99” here" in answer


async def test_who_may_not(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint retro", as_user="carol")

    (answer,) = await bot.answers(number)
    assert "`/sprint retro` needs the write role; yours is triage." in answer
