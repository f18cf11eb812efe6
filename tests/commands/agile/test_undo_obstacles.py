"""What cannot be taken back stays, with a reason, and never keeps anybody from undoing what came before."""

from tests.support.changes import query_database, tick_box
from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.sprints import create_item, get_milestone_title
from tests.support.undoing import find_differences, make_two_sprints


async def read_labels(bot: Bot, number: int) -> list[str]:
    return [label["name"] for label in (await bot.github.issue(bot.repo, number))["labels"]]


async def test_items_of_a_deleted_sprint_stay_and_older_changes_are_undone(bot: Bot) -> None:
    number = await make_two_sprints(bot)
    other = await create_item(bot, 3)
    await bot.say(number, f"/estimate #{other} 8")
    await bot.say(number, '/sprint close to:"Sprint 13" confirm:yes')
    await bot.github.call("DELETE", f"/repos/{bot.repo}/milestones/1")
    await bot.rest()

    preview = await ask_bot(bot, number, "/agile undo")
    assert preview.startswith(f"### Undo `/estimate #{other} 8`?")
    assert f"- #{number}: Sprint 12 → Sprint 13 – Sprint 12 has been deleted" in preview
    await tick_box(bot, number)
    assert await read_labels(bot, other) == ["points: 3"]
    assert await get_milestone_title(bot, number) == "Sprint 13"
    assert await find_differences(bot) == []


async def test_what_github_refuses_keeps_nobody_from_older_changes(bot: Bot) -> None:
    number = await make_two_sprints(bot)
    await bot.say(number, "/estimate 8")
    await bot.say(number, '/sprint add milestone:"Sprint 13"')
    bot.github.fail_next("PATCH", rf"/issues/{number}$", 422, body={"message": "Validation Failed"}, times=9)
    answer = await ask_bot(bot, number, "/agile undo confirm:yes")
    assert "GitHub would not let me undo" in answer

    answer = await ask_bot(bot, number, "/agile undo confirm:yes")
    assert '### Undo `/estimate 8`?\n\n`/sprint add milestone:"Sprint 13"` by `alice`, ' in answer
    assert " stays: GitHub refused to undo it.\n\nInstead, this undoes `/estimate 8`" in answer
    assert await read_labels(bot, number) == ["points: 8"]
    await tick_box(bot, number)
    assert await read_labels(bot, number) == ["points: 5"]
    bot.github.clear_faults()
    await bot.say(number, "/agile undo confirm:yes")
    assert await get_milestone_title(bot, number) == "Sprint 12"


async def test_one_refused_step_does_not_hold_up_the_others(bot: Bot) -> None:
    number = await make_two_sprints(bot)
    await bot.say(number, '/sprint close to:"Sprint 13" confirm:yes')
    bot.github.fail_next("PATCH", rf"/issues/{number + 1}$", 422, body={"message": "Validation Failed"})
    answer = await ask_bot(bot, number, "/agile undo confirm:yes")

    assert f"#{number + 1}: " in answer
    assert "Still done: " in answer
    assert await get_milestone_title(bot, number) == "Sprint 12"
    assert await get_milestone_title(bot, number + 1) == "Sprint 13"
    states = await query_database(bot, "select state from changes order by id")
    assert [row.state for row in states] == ["undone", "applied"]
