"""An answer appears where people look: in its earlier comment while that is near, else in a new one."""

from typing import Any

import pytest

from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.conversations import create_thread
from tests.support.placement import advance, chat, list_minimized
from tests.support.running import Bot, query_as_administrator, wait_until
from tests.support.sprints import create_item, day_from_today, make_sprint

COMMENTS = r"/issues/\d+/comments$"


async def ids_of_answers(bot: Bot, number: int) -> list[int]:
    comments = await bot.github.comments(bot.repo, number)
    return [comment["id"] for comment in comments if comment["user"]["type"] == "Bot"]


async def test_up_to_three_comments_may_follow_an_answer_that_is_edited(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    await chat(bot, number, 2)
    await bot.say(number, "/help")  # The third one.
    assert len(await bot.answers(number)) == 1
    await chat(bot, number, 1)
    comment = await bot.say(number, "/help")  # The fifth one.

    assert await list_minimized(bot, number) == ["outdated", None]
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_other_answers_of_the_bot_count_as_well(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint status")
    await bot.say(number, "/risk")
    await bot.say(number, "/sprint status")
    assert await list_minimized(bot, number) == [None, None]
    await bot.say(number, "/sprint status")

    assert await list_minimized(bot, number) == ["outdated", None, None]


async def test_in_an_hour_one_new_comment_takes_the_place_of_an_earlier_one(bot: Bot, clock: Clock) -> None:
    number = await create_thread(bot)
    for _ in range(3):
        await bot.say(number, "/help")
        await chat(bot, number, 4)
    assert await list_minimized(bot, number) == ["outdated", None]
    advance(clock, minutes=61)
    await bot.say(number, "/help")

    assert await list_minimized(bot, number) == ["outdated", "outdated", None]


async def test_an_answer_asked_for_in_a_new_comment_is_the_one_that_is_edited_next(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    await bot.say(number, "/help new:yes")
    assert await list_minimized(bot, number) == ["outdated", None]
    await chat(bot, number, 4)
    await bot.say(number, "/help")

    assert await list_minimized(bot, number) == ["outdated", None]


async def test_comments_that_were_deleted_do_not_count(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    await chat(bot, number, 4)
    for comment in (await bot.github.comments(bot.repo, number))[-2:]:
        await bot.github.delete_comment(bot.repo, comment["id"])
    await bot.say(number, "/help")

    assert len(await bot.answers(number)) == 1


async def test_comments_count_whose_deliveries_were_missed(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    async with bot.github.muted():
        await chat(bot, number, 4)
    await bot.say(number, "/help")

    assert await list_minimized(bot, number) == ["outdated", None]


async def test_many_older_comments_that_were_edited_lately_do_not_count(bot: Bot) -> None:
    number = await create_thread(bot)
    async with bot.github.muted():
        older = [await bot.github.comment(bot.repo, number, f"Older {n}") for n in range(40)]
    await bot.say(number, "/help")
    async with bot.github.muted():
        for comment in older:
            await bot.github.edit_comment(bot.repo, comment["id"], "Edited since")
    await bot.say(number, "/help")

    assert len(await bot.answers(number)) == 1


async def test_a_far_answer_that_somebody_deleted_is_posted_anew_and_hides_nothing(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    (first,) = await ids_of_answers(bot, number)
    await chat(bot, number, 4)
    await bot.github.delete_comment(bot.repo, first)
    await bot.say(number, "/help")

    assert await list_minimized(bot, number) == [None]
    assert not await _refused(bot)


async def test_what_people_added_to_an_answer_is_not_hidden(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    (first,), (body,) = await ids_of_answers(bot, number), await bot.answers(number)
    await bot.github.edit_comment(bot.repo, first, f"{body}\n\nThis helped me a lot.")
    await chat(bot, number, 4)
    await bot.say(number, "/help")

    assert await list_minimized(bot, number) == [None, None]


async def test_an_answer_of_an_earlier_version_counts_what_follows_as_well(bot: Bot) -> None:
    """Its row does not tell when GitHub created the comment."""
    number = await create_thread(bot)
    await bot.say(number, "/help")
    query_as_administrator(bot.base, "update outbox set comment_at = null")
    await chat(bot, number, 4)
    await bot.say(number, "/help")

    assert await list_minimized(bot, number) == ["outdated", None]


# Other things than the usual


async def test_another_day_never_takes_the_place_of_the_present_one(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint status")
    (now,) = await bot.answers(number)
    await bot.say(number, f"/sprint status as-of:{day_from_today(-1)}")
    await bot.say(number, f'/sprint status "Sprint 12" as-of:{day_from_today(-2)}')
    assert (await bot.answers(number))[0] == now
    assert len(await bot.answers(number)) == 3
    assert len(await bot.answers(number)) == 3
    await bot.say(number, f'/sprint status as-of:{day_from_today(-2)} "sprint 12"')

    assert len(await bot.answers(number)) == 3
    assert (await bot.answers(number))[0] == now


async def test_the_form_of_an_answer_and_the_spelling_of_names_do_not_matter(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/burndown for:"Sprint 12"')
    await bot.say(number, '/burndown as:table for:"sprint 12"')

    assert len(await bot.answers(number)) == 1


async def test_a_command_has_five_views_in_an_hour_and_the_newest_serves_for_the_rest(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    for name in ("estimate", "burndown", "velocity", "risk", "my", "standup", "forecast"):
        await bot.say(number, f"/help {name}")

    answers = await bot.answers(number)
    assert len(answers) == 6
    assert "/forecast" in answers[-1]
    assert "standup" not in answers[-1]
    # The view that gave way has no comment any more.
    await bot.say(number, "/help my")
    assert len(await bot.answers(number)) == 6


async def test_changes_of_other_items_have_other_comments(bot: Bot) -> None:
    number = await make_sprint(bot)
    items = [await create_item(bot) for _ in range(2)]
    for item in (*items, items[0]):
        await bot.say(number, f"/sprint add #{item}")

    first, second = await bot.answers(number)
    assert f"#{items[0]}" in first
    assert f"#{items[1]}" in second


# Whatever breaks


@pytest.mark.parametrize("status", [502, 0], ids=["bad gateway", "connection lost"])
async def test_a_new_comment_whose_receipt_got_lost_is_not_posted_again(bot: Bot, status: int) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    await chat(bot, number, 4)
    bot.github.fail_next("POST", COMMENTS, status, after_effect=True)
    await bot.say(number, "/help")

    assert await _wait_for(bot, number, ["outdated", None])


@pytest.mark.parametrize("is_done", [True, False], ids=["after effect", "before"])
async def test_hiding_is_repeated_until_it_is_done_and_delays_no_answer(bot: Bot, is_done: bool) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    await chat(bot, number, 4)
    bot.github.fail_next("POST", "/graphql", 502, after_effect=is_done, times=2)
    comment = await bot.say(number, "/help")
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert len(await bot.answers(number)) == 2

    assert await _wait_for(bot, number, ["outdated", None])


async def test_without_the_permission_to_hide_the_answer_is_given_all_the_same(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    await chat(bot, number, 4)
    forbidden = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
    bot.github.fail_next("POST", "/graphql", 200, body={"data": None, "errors": [forbidden]})
    comment = await bot.say(number, "/help")

    assert bot.reactions(comment) == ["eyes", "+1"]
    assert await list_minimized(bot, number) == [None, None]
    assert len(await _refused(bot)) == 1


async def test_two_deliveries_at_once_post_one_new_comment(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/help")
    await chat(bot, number, 4)
    for person in ("alice", "bob"):
        await bot.github.comment(bot.repo, number, "/help", as_user=person)
    await bot.rest()

    assert await list_minimized(bot, number) == ["outdated", None]


async def test_a_late_answer_does_not_take_the_place_of_a_newer_one(bot: Bot) -> None:
    """The first answer is lost on its way; the second person asks before it is tried again."""
    number = await make_sprint(bot)
    bot.github.fail_next("POST", COMMENTS, 502, headers={"retry-after": "1"})
    await bot.github.comment(bot.repo, number, "/sprint status", as_user="alice")
    await bot.github.comment(bot.repo, number, "/sprint status", as_user="bob")
    await bot.rest()

    assert await _wait_for(bot, number, [None])
    sent = await query_database(bot, "select event_id from outbox where kind = 'reply' order by sent_at, id")
    assert [row.event_id for row in sent] == sorted(row.event_id for row in sent)


async def _wait_for(bot: Bot, number: int, minimized: list[str | None]) -> bool:
    """Wait for delayed jobs; then whether exactly these of the bot's comments are hidden."""

    async def is_so() -> bool:
        return await list_minimized(bot, number) == minimized

    await wait_until(is_so)
    await bot.rest()
    return await is_so()


async def _refused(bot: Bot) -> list[Any]:
    return await query_database(bot, "select 1 from outbox where refused is not null")
