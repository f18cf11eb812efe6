"""`/sprint plan`, from a person's comment to the bot's answer."""

from tests.support.running import Bot
from tests.support.sprints import make_next_sprint, make_sprint


async def test_the_next_sprint_is_meant(bot: Bot) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    comment = await bot.say(number, "/sprint plan", as_user="bob")

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 13 · plan")
    assert "**0 points planned.** No sprint has ended yet to compare with." in answer
    assert "Sprint 12 still holds 5 points in 2 items that are open." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_by_name(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/sprint plan "sprint 12"\n/sprint plan "Sprint 99"')

    card, trouble = await bot.answers(number)
    assert card.startswith("### Sprint 12 · plan")
    assert "There is no milestone called “Sprint 99” here" in trouble


async def test_who_may_not(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint plan", as_user="carol")

    (answer,) = await bot.answers(number)
    assert "`/sprint plan` needs the write role; yours is triage." in answer


async def test_no_sprint_at_all(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "Card form")
    await bot.say(issue["number"], "/sprint plan")

    (answer,) = await bot.answers(issue["number"])
    assert "There is no sprint yet" in answer
