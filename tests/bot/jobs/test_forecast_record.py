"""The record of forecasts: only those that GitHub accepted and that predicted something are graded."""

from datetime import date, datetime

import pytest

from bot.jobs.daily_figures import DailyFigures
from sprints.model import ItemEvent
from tests.support.builders import at
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.forecast_past import NOW, ask_for_forecast, record_forecast_past
from tests.support.past import record_events
from tests.support.reporting import ReportingHarness, make_joining_card
from tests.support.running import Bot

# `tell_past`: Week 10 runs from 9 to 13 November, and these are open on Wednesday noon.
OPEN = (1048, 1049, 1050)


def closing(number: int, when: str, title: str = "") -> tuple[ItemEvent, ...]:
    """An item of Week 10 is done."""
    card = FlowCard(number, title).opened("11-07", "points: 2").joined("11-08", 7010)
    return tuple(card.closed(when).events[-1:])


async def measure(bot: Bot, clock: Clock, when: str) -> None:
    """The night in which forecasts are graded."""
    clock.now = at(when)
    (tenant,) = [row[0] for row in await query_database(bot, "select organization_id from projects")]
    await DailyFigures(bot.base.database, clock).run(tenant)


async def graded(bot: Bot) -> list[tuple[date, bool]]:
    rows = await query_database(
        bot, "select made_at::date, is_finished from forecasts where graded_at is not null order by made_at"
    )
    return [(row[0], row[1]) for row in rows]


async def test_that_all_is_done_is_a_fact_and_not_graded_as_a_forecast(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    await ask_for_forecast(bot, number, "/forecast")
    for item in OPEN:
        await record_events(bot, *closing(item, "11-12 09:00"))
    for day in ("2026-11-12 12:00", "2026-11-13 12:00"):
        clock.now = at(day)
        assert "Everything in the sprint is done." in await ask_for_forecast(bot, number, "/forecast")
    await measure(bot, clock, "2026-11-20 12:00")

    assert [row[0] for row in await graded(bot)] == [NOW.date()]
    assert await query_database(bot, "select sum(shown)::int from calibration") == [(1,)]


async def test_a_certainty_of_an_earlier_version_is_left_out_of_the_record(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    await ask_for_forecast(bot, number, "/forecast")
    await query_database(
        bot,
        "insert into forecasts (organization_id, sprint_id, made_at, shown_in, unit, share_elapsed, scope, "
        "chance, low, expected, high, basis) select organization_id, sprint_id, made_at + interval '1 day', "
        "'status', unit, share_elapsed, 0, 1, low, expected, high, basis from forecasts returning id",
    )
    await measure(bot, clock, "2026-11-20 12:00")

    assert len(await graded(bot)) == 1


async def test_an_answer_that_github_refused_was_shown_to_nobody(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    bot.github.fail_next("POST", f"/repos/{bot.repo}/issues/{number}/comments", status=403)
    await bot.say(number, "/forecast")
    assert await bot.answers(number) == []
    await measure(bot, clock, "2026-11-20 12:00")

    assert await graded(bot) == []


async def test_of_a_day_the_first_that_was_shown_counts(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    bot.github.fail_next("POST", f"/repos/{bot.repo}/issues/{number}/comments", status=403)
    await bot.say(number, "/sprint status")
    for hour in (13, 14, 15):
        clock.now = at(f"2026-11-11 {hour}:00")
        await ask_for_forecast(bot, number, "/forecast")
    await measure(bot, clock, "2026-11-20 12:00")

    (kept,) = await query_database(bot, "select * from forecasts where graded_at is not null")
    assert (kept.shown_in, kept.made_at) == ("forecast", at("2026-11-11 13:00"))
    assert await query_database(bot, "select sum(shown)::int from calibration") == [(1,)]


async def shown_in_posts(bot: Bot) -> list[datetime]:
    rows = await query_database(
        bot, "select made_at from forecasts where shown_at is not null order by made_at"
    )
    return [row[0] for row in rows]


async def test_a_post_that_waits_has_shown_nothing_until_it_is_sent(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(quiet_hours={"from": "00:00", "until": "23:59:59"})
    assert await tracked_sprint.advance() == []
    assert await shown_in_posts(tracked_sprint.bot) == []

    await record_events(tracked_sprint.bot, *make_joining_card(1).events)
    await tracked_sprint.set_settings(quiet_hours=None)
    assert (await tracked_sprint.advance("2026-11-18 15:00"))[0].startswith("### Sprint 24")
    # What was overwritten while it waited was never shown.
    assert await shown_in_posts(tracked_sprint.bot) == [at("2026-11-18 15:00")]


@pytest.mark.parametrize("status", [403, 422])
async def test_a_tracking_comment_that_github_refuses_has_shown_nothing(
    tracked_sprint: ReportingHarness, status: int
) -> None:
    path = f"/repos/{tracked_sprint.bot.repo}/issues/{tracked_sprint.thread}/comments"
    tracked_sprint.bot.github.fail_next("POST", path, status=status)
    assert await tracked_sprint.advance() == []

    assert await shown_in_posts(tracked_sprint.bot) == []
