"""`/sprint plan`, from a person's comment to the bot's answer."""

from tests.support.conversations import ask_bot
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


async def test_without_a_next_sprint_it_says_first_that_it_shows_the_running_one(bot: Bot) -> None:
    number = await make_sprint(bot)
    notice = (
        "There is no next sprint yet, so this is the running one.** To plan the next one: `/sprint start`."
    )
    answer = await ask_bot(bot, number, "/sprint plan")
    assert answer.startswith(f"### Sprint 12 · plan\n\n**{notice}")
    assert notice not in await ask_bot(bot, number, '/sprint plan "Sprint 12"')
    await make_next_sprint(bot)
    assert (await ask_bot(bot, number, "/sprint plan new:yes")).startswith("### Sprint 13 · plan\n\n")
