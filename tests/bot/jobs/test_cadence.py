"""A cadence makes the next sprint ahead, once."""

from datetime import UTC, datetime, timedelta

from tests.support.builders import Box, Card
from tests.support.cadences import begin_night, drop_retry, milestones, set_cadence, set_present_cadence
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.past import record_events, record_past
from tests.support.repository_settings import replace_settings
from tests.support.running import Bot


async def test_the_next_sprint_is_made_once(bot: Bot, clock: Clock) -> None:
    await set_cadence(bot, clock)
    await begin_night(bot, times=3)

    (made,) = await milestones(bot)
    assert (made["title"], made["description"], made["due_on"][:10]) == (
        "Sprint 25",
        "Start: 2026-11-30",
        "2026-12-11",
    )
    rows = await query_database(bot, "select action, target from audit_log")
    assert [tuple(row) for row in rows] == [("cadence", "milestone “Sprint 25”")]


async def test_a_deleted_one_is_not_made_again(bot: Bot, clock: Clock) -> None:
    await set_present_cadence(bot, clock)
    await begin_night(bot)
    (made,) = await milestones(bot)
    await bot.github.call("DELETE", f"/repos/{bot.repo}/milestones/{made['number']}")
    await bot.rest()
    clock.now = datetime.now(UTC) + timedelta(days=1)  # The deletion is a thing of the past.
    await begin_night(bot)

    assert await milestones(bot) == []
    assert count_tries(bot) == 1


async def test_a_try_that_died_after_github_answered_makes_no_second_one(bot: Bot, clock: Clock) -> None:
    await set_present_cadence(bot, clock)
    bot.github.fail_next("POST", r"/milestones$", 502, after_effect=True)
    await begin_night(bot)
    drop_retry(bot)
    clock.now = datetime.now(UTC) + timedelta(days=1)
    await begin_night(bot)

    assert [made["title"] for made in await milestones(bot)] == ["Sprint 25"]
    assert count_tries(bot) == 1  # GitHub, too, refuses a second one of the same title.
    rows = await query_database(bot, "select milestone is not null from planned_sprints")
    assert [tuple(row) for row in rows] == [(True,)]


def count_tries(bot: Bot) -> int:
    """How often GitHub was asked to make a milestone."""
    path = f"/repos/{bot.repo}/milestones"
    return sum((request.method, request.path) == ("POST", path) for request in bot.github.requests)


async def test_a_pause_and_a_cadence_that_is_off_make_nothing(bot: Bot, clock: Clock) -> None:
    await set_cadence(bot, clock, paused=True)
    await begin_night(bot)
    await replace_settings(bot, '{"cadence": "off"}')
    await begin_night(bot)

    assert await milestones(bot) == []


async def test_after_two_sprints_without_work_nothing_is_made(bot: Bot, clock: Clock) -> None:
    boxes = [
        Box("11-01", milestone=7023, number=23, title="Sprint 23", start="11-02", due="2026-11-13"),
        Box("11-10", milestone=7024, number=24, title="Sprint 24", start="11-16", due="2026-11-27"),
    ]
    await record_past(bot, clock, boxes, [])
    await replace_settings(bot, '{"cadence": "2 weeks"}')
    await begin_night(bot)
    assert await milestones(bot) == []

    await record_events(bot, *Card(1).opened("11-11").joined("11-17", 7024).events)
    await begin_night(bot)
    assert [made["title"] for made in await milestones(bot)] == ["Sprint 25"]
