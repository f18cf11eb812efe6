"""`/unblocked`: dependencies are taken away, and what was said is over."""

from tests.support.items import list_blocking_issues, list_item_commands
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def test_it_ends_what_github_knows_and_what_was_said(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/blocked by:#{number + 2}")
    await bot.say(number, '/blocked reason:"no test account"')
    await bot.say(number, "/unblocked")

    answers = await bot.answers(number)
    assert f"**#{number} is no longer blocked**, after less than an hour." in answers[-1]
    assert await list_blocking_issues(bot, number) == []
    await bot.say(number, "/unblocked new:yes")
    assert f"#{number} is not blocked." in (await bot.answers(number))[-1]


async def test_one_issue_may_end_while_another_goes_on(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/blocked by:#{number + 2}")
    await bot.say(number, '/blocked reason:"no test account"')
    await bot.say(number, f"/unblocked by:#{number + 2}")

    assert f"#{number} is still blocked: no test account." in (await bot.answers(number))[-1]
    assert await list_blocking_issues(bot, number) == []


async def test_what_does_not_block_cannot_end(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/blocked by:#{number + 2}")
    await bot.say(number, f"/unblocked by:#{number + 1}")

    answer = (await bot.answers(number))[-1]
    assert f"#{number} is not blocked by #{number + 1}. It is blocked by #{number + 2}." in answer
    assert await list_blocking_issues(bot, number) == [number + 2]


async def test_an_issue_that_was_closed_blocks_no_more_without_a_word(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/blocked by:#{number + 2}")
    await bot.github.close_issue(bot.repo, number + 2)
    await bot.rest()
    await bot.say(number, "/unblocked")

    assert f"#{number} is not blocked." in (await bot.answers(number))[-1]
    assert {event for event, _, _ in await list_item_commands(bot)} == {"blocked"}


async def test_readers_may_not_run_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/unblocked", as_user="dave")
    assert "`/unblocked` needs the triage role; yours is read." in (await bot.answers(number))[0]


async def test_it_takes_issues_only(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/unblocked by:all")
    assert "`by` must be issues or pull requests" in (await bot.answers(number))[0]


async def test_an_issue_of_another_repository_blocks_until_it_is_closed(bot: Bot) -> None:
    number = await make_sprint(bot)
    elsewhere = await bot.github.create_repository(name=f"{bot.repository['name']}-api")
    other = await bot.github.create_issue(elsewhere["full_name"], "API")
    path = f"/repos/{bot.repo}/issues/{number}/dependencies/blocked_by"
    await bot.github.call("POST", path, {"issue_id": other["id"]})
    await bot.rest()
    await bot.say(number, "/unblocked")
    answer = (await bot.answers(number))[-1]
    assert f"#{number} is blocked by an issue of another repository. Remove that on GitHub" in answer

    await bot.github.close_issue(elsewhere["full_name"], other["number"])
    await bot.rest()
    await bot.say(number, "/unblocked")
    assert f"#{number} is not blocked." in (await bot.answers(number))[-1]
