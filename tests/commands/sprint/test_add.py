"""`/sprint add`, from a person's comment to what GitHub then has."""

from tests.support.changes import tick_box
from tests.support.running import Bot
from tests.support.sprints import (
    create_item,
    get_milestone_title,
    make_next_sprint,
    make_running_sprint,
    make_sprint,
)


async def test_one_item_comes_in_at_once(bot: Bot) -> None:
    await make_sprint(bot)
    number = await create_item(bot)
    comment = await bot.say(number, "/sprint add", as_user="carol")

    assert await get_milestone_title(bot, number) == "Sprint 12"
    (answer,) = await bot.answers(number)
    assert "Sprint 12:** 8 points in 3 items → **11 points in 4 items** (+3 points, +1 item)" in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_several_are_shown_first(bot: Bot) -> None:
    number = await make_sprint(bot)
    other = await make_next_sprint(bot)
    first, second = await create_item(bot, 5), await create_item(bot, None, other)
    await bot.say(number, f"/sprint add #{first} #{second} #{number}")
    (answer,) = await bot.answers(number)
    assert "### Add 2 items to Sprint 12?" in answer
    assert f"- #{second}: not estimated, from Sprint 13" in answer
    assert f"- #{number}: 5 points, already in it" in answer
    assert await get_milestone_title(bot, first) is None

    await tick_box(bot, number)
    assert [await get_milestone_title(bot, entry) for entry in (first, second)] == ["Sprint 12", "Sprint 12"]


async def test_into_a_sprint_by_name(bot: Bot) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    added = await create_item(bot)
    await bot.say(number, f'/sprint add #{added} milestone:"sprint 13"')

    (answer,) = await bot.answers(number)
    assert "**Planned for Sprint 13:** 0 points in 0 items → **3 points in 1 item**" in answer
    assert await get_milestone_title(bot, added) == "Sprint 13"


async def test_what_is_there_already(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/sprint add #{number}")

    (answer,) = await bot.answers(number)
    assert f"#{number} is in Sprint 12 already." in answer


async def test_to_a_sprint_that_has_ended_nothing_is_added(bot: Bot) -> None:
    await make_sprint(bot, "Sprint 11", start=-20, due=-7)
    await make_sprint(bot)
    number = await create_item(bot)
    comment = await bot.say(number, f'/sprint add #{number} milestone:"Sprint 11"')

    (answer,) = await bot.answers(number)
    assert "Sprint 11 ended on" in answer
    assert "its numbers are final: nothing can be added to it. Open ones: “Sprint 12”." in answer
    assert f'`/sprint add #{number} milestone:"Sprint 12"`' in answer
    assert await get_milestone_title(bot, number) is None
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_what_cannot_be_understood(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint add #999\n/sprint add everything\n/sprint add other/repo#3")

    (answer,) = await bot.answers(number)
    assert "I have no record of #999 here" in answer
    assert "There is no milestone called “everything” here" in answer
    assert "`other/repo#3` is in another repository" in answer


async def test_who_may_not(bot: Bot) -> None:
    await make_sprint(bot)
    number = await create_item(bot)
    await bot.say(number, "/sprint add", as_user="dave")

    (answer,) = await bot.answers(number)
    assert "`/sprint add` needs the triage role; yours is read." in answer
    assert await get_milestone_title(bot, number) is None


async def test_over_the_commitment_it_says_what_could_leave(bot: Bot) -> None:
    number = await create_item(bot, 5, await make_running_sprint(bot))
    added = await create_item(bot, 5)
    await bot.say(number, f"/sprint add #{added}")

    (answer,) = await bot.answers(number)
    assert "**10 points in 2 items** (+5 points, +1 item)" in answer
    assert (
        "That is **10 points over** the 0 points committed. "
        f'To make room: `/sprint remove #{number} for:"Sprint 12"` – 5 points in 1 item, which is open and not started.'
    ) in answer
