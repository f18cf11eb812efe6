"""`/sprint close`, from a person's comment to what GitHub then has."""

import pytest

from tests.support.builders import person
from tests.support.changes import query_database, tick_box
from tests.support.clock import Clock
from tests.support.running import Bot
from tests.support.sprints import (
    day_from_today,
    get_milestone_title,
    make_ended_sprint,
    make_next_sprint,
    make_sprint,
)


async def state_of(bot: Bot, title: str) -> str:
    milestones = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    return next(str(item["state"]) for item in milestones if item["title"] == title)


async def test_shown_first_then_closed_and_what_is_open_moves_on(bot: Bot) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    await bot.say(number, "/sprint close")
    (answer,) = await bot.answers(number)
    assert "### Close Sprint 12 and move 2 items to Sprint 13?" in answer
    assert f"**Done and stays** (3 points in 1 item): #{number + 1}." in answer
    assert "If you close it now, it ends " in answer
    assert await state_of(bot, "Sprint 12") == "open"

    await tick_box(bot, number)
    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 12 is closed")
    assert await state_of(bot, "Sprint 12") == "closed"
    moved = [await get_milestone_title(bot, number + n) for n in range(3)]
    assert moved == ["Sprint 13", "Sprint 12", "Sprint 13"]
    await bot.say(number, '/sprint report "Sprint 12"')
    report = (await bot.answers(number))[-1]
    assert "| **Carried over** | **5** | **2** |" in report
    assert "Removed" not in report


async def test_it_can_be_taken_back(bot: Bot) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    await bot.say(number, "/sprint close confirm:yes")
    await bot.say(number, "/agile undo confirm:yes")

    assert await state_of(bot, "Sprint 12") == "open"
    assert [await get_milestone_title(bot, number + n) for n in range(3)] == ["Sprint 12"] * 3


async def test_a_dry_run_changes_nothing_and_asks_for_nothing(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint close dry-run:yes to:backlog")

    (answer,) = await bot.answers(number)
    assert "### Would close Sprint 12 and move 2 items to the backlog" in answer
    assert "Do it" not in answer
    assert await state_of(bot, "Sprint 12") == "open"


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ('to:"Sprint 99"', "There is no milestone called “Sprint 99” here. Open ones: “Sprint 13”."),
        ('to:"sprint 12"', "Sprint 12 is the sprint that you are closing. Open ones: “Sprint 13”."),
        ("late:2d", "Sprint 12 has not ended yet, so nothing in it is late."),
        ("late:9d", "Use at most `late:3d`"),
        ("late:soon", "`late` must be a number of days such as `2d`"),
        ('milestone:"Sprint 99"', "There is no milestone called “Sprint 99” here."),
    ],
)
async def test_invalid_input_is_refused_with_a_reason(bot: Bot, words: str, refusal: str) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    comment = await bot.say(number, f"/sprint close {words}")

    (answer,) = await bot.answers(number)
    assert refusal in answer
    assert bot.reactions(comment) == ["eyes", "confused"]
    assert await state_of(bot, "Sprint 12") == "open"


async def test_nothing_goes_where_it_cannot_count(bot: Bot) -> None:
    await make_sprint(bot, "Sprint 11", start=-20, due=-7)
    number = await make_sprint(bot)
    await bot.say(number, '/sprint close to:"Sprint 11"\n/sprint close to:next')

    (answer,) = await bot.answers(number)
    assert "Sprint 11 ended on" in answer
    assert "nothing can be added to it. No other milestone is open. Start one with `/sprint start`" in answer
    assert "No open milestone is due after Sprint 12." in answer


async def test_who_may_not(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint close confirm:yes", as_user="carol")

    (answer,) = await bot.answers(number)
    assert "`/sprint close` needs the maintain role" in answer
    assert await state_of(bot, "Sprint 12") == "open"


async def test_a_preview_whose_numbers_moved_is_stale(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint close to:backlog")
    await bot.github.update_issue(bot.repo, number, labels=["points: 8"])
    await bot.rest()
    await tick_box(bot, number)

    (answer,) = await bot.answers(number)
    assert "Things have changed since the last preview" in answer
    assert f"#{number} (8 points)" in answer
    assert await state_of(bot, "Sprint 12") == "open"


async def test_closed_already_it_says_so(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint close to:backlog confirm:yes")
    await bot.say(number, '/sprint close milestone:"Sprint 12" confirm:yes new:yes')

    assert "Sprint 12 is closed already, and nothing is open in it." in (await bot.answers(number))[-1]


async def test_what_was_done_late_is_credited(bot: Bot, clock: Clock) -> None:
    number = await make_ended_sprint(bot, clock, days_ago=2)
    # GitHub's stand-in cannot be ahead of today; so it is told what it would tell.
    stamp = f"{day_from_today(3)}T02:00:00Z"
    done = {"state": "closed", "state_reason": "completed", "closed_at": stamp, "updated_at": stamp}
    await bot.github.send_webhook(
        "issues",
        {
            "action": "closed",
            "issue": await bot.github.issue(bot.repo, number) | done,
            "repository": bot.repository,
            "sender": person(),
            "installation": {"id": bot.github.installation_id},
        },
    )
    await bot.rest()
    await bot.say(number, "/sprint close late:2d to:backlog confirm:yes")

    (answer,) = await bot.answers(number)
    assert f"**Done late, counts towards its velocity** (5 points in 1 item): #{number}." in answer
    assert f"**Moved to the backlog** (0 points in 1 item): #{number + 2} (not estimated)." in answer
    (row,) = await query_database(bot, "select said from projects where said != '{}'")
    assert list(row.said["late"].values()) == [{"points": 5, "count": 1, "items": [number]}]
    await bot.say(number, "/sprint report")
    assert "**Velocity:** 2 items (1 item of it done late)." in (await bot.answers(number))[-1]
