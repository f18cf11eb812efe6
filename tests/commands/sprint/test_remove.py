"""`/sprint remove`, from a person's comment to what GitHub then has."""

from tests.support.changes import query_database, tick_box
from tests.support.running import Bot
from tests.support.sprints import create_item, get_milestone_title, make_sprint


async def test_one_item_leaves_at_once_and_the_reason_is_kept(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, f'/sprint remove #{number} reason:"waits for the API"', as_user="carol")

    assert await get_milestone_title(bot, number) is None
    (answer,) = await bot.answers(number)
    assert "Sprint 12:** 8 points in 3 items → **3 points in 2 items** (−5 points, −1 item)" in answer
    assert "**Reason:** waits for the API" in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    (entry,) = await query_database(bot, "select actor, details from audit_log")
    assert (entry.actor, entry.details["step"]["reason"]) == ("carol", "waits for the API")


async def test_several_are_shown_first(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/sprint remove #{number} #{number + 1}")
    (answer,) = await bot.answers(number)
    assert "### Remove 2 items from Sprint 12?" in answer
    assert f"- #{number + 1}: 3 points, already done; it will no longer count as done" in answer
    assert await get_milestone_title(bot, number) == "Sprint 12"

    await tick_box(bot, number)
    assert [await get_milestone_title(bot, number + n) for n in range(2)] == [None, None]


async def test_what_is_not_in_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    other = await create_item(bot)
    await bot.say(number, f"/sprint remove #{number} #{other}")

    (answer,) = await bot.answers(number)
    assert f"#{other} is not in Sprint 12. Nothing was removed." in answer
    assert await get_milestone_title(bot, number) == "Sprint 12"


async def test_who_may_not(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint remove", as_user="dave")

    (answer,) = await bot.answers(number)
    assert "`/sprint remove` needs the triage role; yours is read." in answer
