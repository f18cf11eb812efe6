"""`/summary`, from a person's comment to the bot's answer."""

from tests.support.chart_links import find_chart_paths
from tests.support.clock import Clock
from tests.support.running import Bot
from tests.support.sprints import make_ended_sprint, make_sprint, use_private_repository


async def test_a_sprint_by_its_name(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, '/summary milestone:"sprint 12"', as_user="dave")

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 12 · summary")
    assert "**Thank you** – finished work: `alice`; reported what was done: `alice`." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_posted_again_it_is_the_same(bot: Bot, clock: Clock) -> None:
    number = await make_ended_sprint(bot, clock)
    await bot.say(number, "/summary")
    await bot.github.close_issue(bot.repo, number)
    await bot.github.update_issue(bot.repo, number + 1, labels=["points: 8"])
    await bot.rest()
    await bot.say(number, "/summary new:yes")

    first, second = await bot.answers(number)
    assert "<sub>Frozen on" in first
    assert first.partition("<!--")[0] == second.partition("<!--")[0]


async def test_the_burndown_of_a_sprint_that_is_over_stands_below_what_became_of_it(
    bot: Bot, clock: Clock
) -> None:
    number = await make_ended_sprint(bot, clock)
    await bot.say(number, "/summary")

    (answer,) = await bot.answers(number)
    _, result, _, _, picture, table, *_ = answer.split("\n\n")
    assert result.startswith("**1 of 3 items committed were done (33 %)**")
    assert '<img alt="Burndown: 2 of 3 items were left at the end on ' in picture
    assert table.startswith("|  | Points | Items |")
    light, _ = find_chart_paths(picture)
    async with bot.session.get(f"{bot.url}{light}") as response:
        assert (response.status, response.content_type) == (200, "image/png")


async def test_in_a_private_repository_the_burndown_is_mermaid(bot: Bot, clock: Clock) -> None:
    await use_private_repository(bot)
    number = await make_ended_sprint(bot, clock)
    await bot.say(number, "/summary")

    (answer,) = await bot.answers(number)
    assert "```mermaid" in answer
    assert "http" not in answer


async def test_what_it_does_not_know_is_shown(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/summary colour:red")

    (answer,) = await bot.answers(number)
    assert "👉colour:red👈" in answer


async def test_a_stranger_is_refused(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/summary", as_user="mallory")

    (answer,) = await bot.answers(number)
    assert "`/summary` is for collaborators of this repository" in answer
