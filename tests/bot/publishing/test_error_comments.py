"""Errors: each person has one comment for them in a thread, which goes when their next try succeeds."""

import pytest

from tests.support.changes import query_database
from tests.support.conversations import create_thread
from tests.support.placement import chat, list_minimized
from tests.support.running import Bot, wait_until
from tests.support.sprints import make_sprint

DELETE = r"/issues/comments/\d+$"


async def test_errors_of_two_people_never_share_a_comment(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many", as_user="alice")
    await bot.say(number, "/sprint close", as_user="dave")

    first, second = await bot.answers(number)
    assert first.startswith("@alice: ")
    assert "many" in first
    assert second.startswith("@dave: `/sprint close` needs the maintain role; yours is read.")


async def test_a_newer_error_takes_the_place_of_an_earlier_one_of_that_person(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many")
    await bot.say(number, "/sprint status foo:bar")

    (answer,) = await bot.answers(number)
    assert "foo:bar" in answer
    assert "many" not in answer


async def test_a_newer_error_further_down_leaves_none_above(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many")
    await chat(bot, number, 4)
    await bot.say(number, "/estimate more")

    assert await list_minimized(bot, number) == [None]
    (answer,) = await bot.answers(number)
    assert "more" in answer


async def test_an_error_goes_when_the_next_try_succeeds(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many", as_user="alice")
    await bot.say(number, "/estimate many", as_user="bob")
    await bot.say(number, "/sprint status", as_user="alice")  # Another command.
    assert len(await bot.answers(number)) == 3
    comment = await bot.say(number, "/estimate 8", as_user="alice")

    answers = await bot.answers(number)
    assert [answer for answer in answers if answer.startswith("@")] == [
        answer for answer in answers if answer.startswith("@bob: ")
    ]
    assert len(answers) == 3
    assert bot.reactions(comment) == ["eyes", "+1"]
    await bot.say(number, "/estimate many", as_user="alice")
    assert (await bot.answers(number))[-1].startswith("@alice: ")


async def test_an_error_of_an_unknown_command_goes_with_any_success(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/agile hlep me")
    (error,) = await bot.answers(number)
    assert error.startswith("@alice: There is no command `/hlep me`. Did you mean `/help`")
    assert "```text\n/help\n```" in error
    await bot.say(number, "/help")

    (answer,) = await bot.answers(number)
    assert not answer.startswith("@alice")


async def test_of_two_errors_in_one_comment_the_one_that_is_resolved_goes(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many\n/sprint status foo:bar")
    await bot.say(number, "/estimate 8")
    (answer,) = [answer for answer in await bot.answers(number) if answer.startswith("@")]
    assert "foo:bar" in answer
    assert "many" not in answer
    await bot.say(number, "/sprint status")

    assert not [answer for answer in await bot.answers(number) if answer.startswith("@")]


async def test_an_error_that_cannot_be_deleted_is_hidden_as_resolved(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many")
    bot.github.fail_next("DELETE", DELETE, 403, body={"message": "Must have admin rights"})
    await bot.say(number, "/estimate 8")

    assert await list_minimized(bot, number) == ["resolved", None]


async def test_an_error_to_which_somebody_replied_in_place_is_hidden_as_resolved(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many")
    (comment,) = [c for c in await bot.github.comments(bot.repo, number) if c["user"]["type"] == "Bot"]
    await bot.github.edit_comment(bot.repo, comment["id"], f"{comment['body']}\n\nIt takes numbers.")
    await bot.say(number, "/estimate 8")

    assert await list_minimized(bot, number) == ["resolved", None]
    assert "It takes numbers." in (await bot.answers(number))[0]


@pytest.mark.parametrize("is_done", [True, False], ids=["after effect", "before"])
async def test_the_deletion_of_an_error_is_repeated_until_it_is_done(bot: Bot, is_done: bool) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many")
    bot.github.fail_next("DELETE", DELETE, 502, after_effect=is_done)
    comment = await bot.say(number, "/estimate 8")
    assert bot.reactions(comment) == ["eyes", "+1"]

    async def is_gone() -> bool:
        return not [answer for answer in await bot.answers(number) if answer.startswith("@")]

    await wait_until(is_gone)


async def test_a_new_error_outlives_the_late_deletion_of_the_earlier_one(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate many")
    bot.github.fail_next("DELETE", DELETE, 502)
    await bot.github.comment(bot.repo, number, "/estimate 8")
    await bot.github.comment(bot.repo, number, "/sprint status foo:bar")
    await bot.rest()

    async def is_everything_sent() -> bool:
        return not await query_database(bot, "select 1 from outbox where sent_at is null")

    await wait_until(is_everything_sent)
    (error,) = [answer for answer in await bot.answers(number) if answer.startswith("@")]
    assert "foo:bar" in error


async def test_an_error_whose_receipt_got_lost_goes_with_the_next_success_as_well(bot: Bot) -> None:
    number = await make_sprint(bot)
    bot.github.fail_next("POST", r"/issues/\d+/comments$", 502, after_effect=True)
    await bot.github.comment(bot.repo, number, "/estimate many")
    await bot.github.comment(bot.repo, number, "/estimate 8")
    await bot.rest()

    (answer,) = await bot.answers(number)
    assert "**8 points**" in answer
