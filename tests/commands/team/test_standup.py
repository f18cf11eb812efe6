"""`/standup`: its words, and its way from the timeline to the thread."""

from tests.support.repository_settings import replace_settings
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def test_it_tells_what_happened_and_what_waits(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = (await bot.github.open_pull_request(bot.repo, "Cards", as_user="bob"))["number"]
    await bot.say(number, "/start")
    await bot.say(number + 2, f'/blocked by:#{number} reason:"the form first"')
    comment = await bot.say(number, "/standup", as_user="dave")

    answer = (await bot.answers(number))[-1]
    assert "### Since " in answer
    assert f"**Done (1)**\n\n- #{number + 1} – 3 points" in answer
    assert f"**Started (2)**\n\n- #{number} – 5 points\n- #{pull}" in answer.replace(
        f"- #{pull}\n- #{number} – 5 points", f"- #{number} – 5 points\n- #{pull}"
    )
    assert f"- #{number + 2} – for less than an hour, by #{number} (the form first)" in answer
    assert f"**Waiting for review (1)**\n\n- #{pull} – for less than an hour" in answer
    assert "2 items are in progress." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_a_review_by_another_person_ends_the_wait(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = (await bot.github.open_pull_request(bot.repo, "Cards", as_user="bob"))["number"]
    await bot.github.trigger(
        "pull_request_review", "submitted", bot.repo, as_user="bob", number=pull, state="commented"
    )
    await bot.say(number, "/standup")
    assert "Waiting for review (1)" in (await bot.answers(number))[0]

    await bot.github.trigger("pull_request_review", "submitted", bot.repo, number=pull, state="commented")
    await bot.say(number, "/standup")
    assert "Waiting for review" not in (await bot.answers(number))[0]


async def test_a_broken_limit_is_reported(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, '{"wip": {"limit": 1}}')
    await bot.say(number, "/start")
    await bot.say(number + 2, "/start")
    await bot.say(number, "/standup")

    assert "**2 items are in progress, 1 over the limit of 1.**" in (await bot.answers(number))[-1]


async def test_a_quiet_day_is_stated_to_be_one(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "Card form")
    await bot.rest()
    await bot.say(issue["number"], "/standup")

    (answer,) = await bot.answers(issue["number"])
    assert "Nothing was done or started.\n\n0 items are in progress." in answer


async def test_strangers_are_refused_and_words_pointed_at(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/standup", as_user="mallory")
    assert "`/standup` is for collaborators" in (await bot.answers(number))[0]
    await bot.say(number, "/standup today")
    assert "I do not know this argument: `/standup 👉today👈`" in (await bot.answers(number))[-1]
