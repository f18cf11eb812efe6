"""Changes come one after the other: each command sees what those before it have changed."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.support.changes import query_database
from tests.support.late_webhooks import late_webhooks
from tests.support.repository_settings import read_command_settings
from tests.support.running import Bot, wait_until
from tests.support.sprints import create_item, make_running_sprint, make_sprint


async def read_labels(bot: Bot, number: int) -> list[str]:
    """List an item's labels on GitHub."""
    return sorted(label["name"] for label in (await bot.github.issue(bot.repo, number))["labels"])


async def has_answer(bot: Bot, number: int) -> bool:
    """Whether the bot has answered in a thread."""
    return bool(await bot.answers(number))


async def say_at_once(bot: Bot, comments: Sequence[tuple[int, str]]) -> None:
    """Post comments in several threads at the same time, and wait until all of them are answered."""
    await asyncio.gather(*(bot.github.comment(bot.repo, number, text) for number, text in comments))
    await bot.rest()


async def test_two_estimates_in_one_comment_leave_the_second(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8\n/estimate 13")

    assert await read_labels(bot, number) == ["points: 13"]
    first, second = await bot.answers(number)
    assert "#1: 5 points → **8 points**" in first
    assert "#1: 8 points → **13 points**" in second


async def test_estimates_that_go_back_and_forth_leave_the_last(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8\n/estimate 13\n/estimate 8\n/estimate none\n/estimate 3")

    assert await read_labels(bot, number) == ["points: 3"]


async def test_days_off_of_one_comment_are_all_kept(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/calendar add 2027-05-14\n/calendar add 2027-06-01")

    days = [{"from": day, "to": day} for day in ("2027-05-14", "2027-06-01")]
    assert await read_command_settings(bot) == {"days_off": days}


async def test_a_setting_holds_for_the_rest_of_its_comment(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/agile config set sizes.XL 13\n/estimate XL")

    assert await read_labels(bot, number) == ["points: 13"]


async def test_each_addition_counts_from_the_scope_that_the_last_one_left(bot: Bot) -> None:
    milestone = await make_running_sprint(bot)
    first = await create_item(bot, 5, milestone)
    second, third = await create_item(bot, 3, None), await create_item(bot, 2, None)
    await bot.say(first, f"/sprint add #{second}\n/sprint add #{third}")

    answers = "\n".join(await bot.answers(first))
    assert "5 points in 1 item → **8 points in 2 items**" in answers
    assert "8 points in 2 items → **10 points in 3 items**" in answers


async def test_an_undo_in_the_same_comment_undoes(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8\n/agile undo confirm:yes")

    assert await read_labels(bot, number) == ["points: 5"]


async def test_an_item_is_unblocked_that_the_line_before_has_blocked(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/blocked reason:"no account"\n/unblocked')

    assert "#1 is no longer blocked**, after less than an hour." in (await bot.answers(number))[-1]


async def test_a_reading_command_shows_the_change_before_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/estimate 8\n/sprint status")

    (status,) = [answer for answer in await bot.answers(number) if "### Sprint 12" in answer]
    assert "| **Scope** | **11** | **3** |" in status


async def test_estimates_of_one_item_from_several_threads_leave_one(bot: Bot) -> None:
    number = await make_sprint(bot)
    threads = [await create_item(bot, 1, None) for _ in range(6)]
    await say_at_once(bot, [(thread, f"/estimate #{number} {n}") for n, thread in enumerate(threads, 1)])

    (label,) = await read_labels(bot, number)
    assert label in {f"points: {n}" for n in range(1, 7)}


async def test_days_off_of_several_threads_are_all_kept(bot: Bot) -> None:
    number = await make_sprint(bot)
    other = await create_item(bot, 1, None)
    await say_at_once(
        bot, [(number, "/calendar add 2027-05-14 @alice"), (other, "/calendar add 2027-06-01 @alice")]
    )

    stored = await read_command_settings(bot)
    assert "2027-05-14" in str(stored)
    assert "2027-06-01" in str(stored)


async def test_two_undos_at_once_undo_two_changes(bot: Bot) -> None:
    number = await make_sprint(bot)
    other = await create_item(bot, 1, None)
    await bot.say(number, "/estimate 8")
    await bot.say(other, "/estimate 2")
    undo = "/agile undo confirm:yes"
    await say_at_once(bot, [(number, undo), (other, undo)])

    assert await read_labels(bot, number) == ["points: 5"]
    assert await read_labels(bot, other) == ["points: 1"]
    undone = await query_database(
        bot, "select undoes from changes where undoes is not null and state = 'applied'"
    )
    assert len({row[0] for row in undone}) == len(undone) == 2


async def test_the_same_action_from_two_threads_is_opened_once(bot: Bot) -> None:
    number = await make_sprint(bot)
    other = await create_item(bot, 1, None)
    action = '/sprint retro action:"Write it down"'
    await say_at_once(bot, [(number, action), (other, action)])

    issues = await bot.github.call("GET", f"/repos/{bot.repo}/issues?state=all")
    assert [issue["title"] for issue in issues].count("Write it down") == 1


async def test_a_reading_command_waits_for_late_webhooks_of_the_change_before_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    async with late_webhooks(bot, "issues", seconds=1.5):
        await bot.github.comment(bot.repo, number, "/estimate 8\n/sprint status")
        await wait_until(lambda: has_answer(bot, number))

    (status,) = [answer for answer in await bot.answers(number) if "### Sprint 12" in answer]
    assert "| **Scope** | **11** | **3** |" in status


async def test_after_a_pause_the_rest_of_its_comment_does_nothing(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/agile pause confirm:yes\n/estimate 13")

    assert await read_labels(bot, number) == ["points: 5"]
    assert "`/estimate` was not run: the bot is paused here." in "\n".join(await bot.answers(number))


@pytest.mark.parametrize(
    ("comment", "label"),
    [
        ("/estimate 5\n/estimate 8\n/estimate #3 13", "points: 8"),  # The first changes nothing.
        ("/estimate 13\n/agile undo confirm:yes\n/estimate #3 13", "points: 5"),
        ("/unblocked\n/estimate 8\n/estimate #3 13", "points: 8"),
    ],
)
async def test_no_line_runs_twice_if_webhooks_are_late(bot: Bot, comment: str, label: str) -> None:
    number = await make_sprint(bot)
    async with late_webhooks(bot, "issues", seconds=1):
        await bot.github.comment(bot.repo, number, comment)
        await wait_until(lambda: has_answer(bot, number))

    assert await read_labels(bot, number) == [label]
    assert await read_labels(bot, number + 2) == ["points: 13"]


async def test_changes_are_made_in_the_order_of_their_comments(bot: Bot) -> None:
    number = await make_sprint(bot)
    async with late_webhooks(bot, "issues", seconds=1):
        for points in (8, 13, 20):
            await bot.github.comment(bot.repo, number, f"/estimate {points}")
        await wait_until(lambda: is_labelled(bot, number, "points: 20"))

    assert await read_labels(bot, number) == ["points: 20"]


async def is_labelled(bot: Bot, number: int, label: str) -> bool:
    """Whether an item has a label on GitHub."""
    return label in await read_labels(bot, number)


async def test_what_follows_the_end_of_a_pause_runs(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/agile pause confirm:yes")
    await bot.say(number, "/estimate 13\n/agile resume confirm:yes\n/estimate 8")

    assert await read_labels(bot, number) == ["points: 8"]


async def test_a_box_that_is_ticked_again_while_its_change_is_made_changes_nothing_more(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/split into:"Part one","Part two"')
    comments = await bot.github.comments(bot.repo, number)
    (comment,) = [each for each in comments if "**Do it**" in each["body"]]
    unticked = comment["body"]
    ticked = unticked.replace("- [ ] **Do it**", "- [x] **Do it**")
    bot.github.delay = 0.3
    await bot.github.edit_comment(bot.repo, comment["id"], ticked, as_user="alice")
    await wait_until(lambda: is_split_in_progress(bot))
    await bot.github.edit_comment(bot.repo, comment["id"], unticked, as_user="alice")
    await bot.github.edit_comment(bot.repo, comment["id"], ticked, as_user="alice")
    await bot.rest()
    bot.github.delay = 0

    issues = await bot.github.call("GET", f"/repos/{bot.repo}/issues?state=all")
    titles = [issue["title"] for issue in issues]
    assert (titles.count("Part one"), titles.count("Part two")) == (1, 1)


async def is_split_in_progress(bot: Bot) -> bool:
    """Whether a `/split` is being carried out."""
    query = "select 1 from changes where state = 'begun' and command like '/split%'"
    return bool(await query_database(bot, query))
