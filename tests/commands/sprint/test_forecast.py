"""`/forecast` and `/whatif`, from a team's past sprints to what is said, kept and graded."""

import re
from datetime import timedelta
from typing import Any

import pytest

from bot.jobs.daily_figures import DailyFigures
from tests.support.builders import at
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.forecast_past import NOW, ask_for_forecast, record_forecast_past
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def test_tells_the_chance_what_to_take_out_and_how_it_was_computed(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    answer = await ask_for_forecast(bot, number, "/forecast")

    assert "### Forecast · Week 10" in answer
    assert re.search(
        r"\*\*(Less than 1|1|2) in 10\*\* chance that the remaining 4 points are done by Fri 13 Nov\.", answer
    )
    assert re.search(
        r"Taking out #\d+, one of the largest open items, would make it (\d|more than 9) in 10\.", answer
    )
    assert "8 in 10 times it is between" in answer
    assert "From 9 finished sprints of the team" in answer
    assert (
        "_No forecast here has been graded yet. When a sprint is over, the first forecast of each" in answer
    )
    assert "Late in a sprint, leftovers tend to stay open" in answer
    (kept,) = await query_database(bot, "select * from forecasts")
    assert (kept.shown_in, kept.unit, float(kept.scope)) == ("forecast", "points", 10.0)
    assert 0 < kept.chance < 0.35


async def test_the_same_facts_give_the_same_forecast(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)

    assert await ask_for_forecast(bot, number, "/forecast") == await ask_for_forecast(
        bot, number, "/forecast"
    )


async def test_the_status_card_tells_it_too(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    answer = await ask_for_forecast(bot, number, "/sprint status")

    assert "in 10** chance that the remaining 4 points are done by Fri 13 Nov." in answer
    await ask_for_forecast(bot, number, "/sprint status as-of:2026-11-09")
    assert [row.shown_in for row in await query_database(bot, "select shown_in from forecasts")] == ["status"]


async def test_a_team_that_has_hardly_begun_has_a_rough_forecast(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await ask_for_forecast(bot, number, "/forecast")

    assert "There is no forecast yet" in answer or "so this is rough" in answer
    assert "10 finished items" not in answer


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("/forecast when:0", "`when` must be a whole number from 1 to 10,000"),
        ("/forecast when:10001", "`when` must be a whole number from 1 to 10,000"),
        ("/forecast when:1000000000", "`when` must be a whole number from 1 to 10,000"),
        ("/forecast when:-1", "`when` must be a whole number from 1 to 10,000"),
        ("/forecast by:2026-11-10", "`by:2026-11-10` is in the past. Use today or a later day."),
        ('/forecast milestone:"Nope" when:3', "always use the running sprint. Leave `milestone:` out"),
        ('/forecast milestone:"Nope" by:2026-12-01', "Leave `milestone:` out"),
        ("/forecast when:5 by:2026-12-01", "two questions"),
        ('/forecast milestone:"Week 1"', 'Week 1 has ended. `/sprint report for:"Week 1"` shows'),
        ("/whatif", "Add a change to try"),
        ("/whatif drop:#99", "#99 is not open in Week 10"),
    ],
)
async def test_unanswerable_question_is_refused_with_a_reason(
    bot: Bot, clock: Clock, typed: str, expected: str
) -> None:
    number = await record_forecast_past(bot, clock)

    assert expected in await ask_for_forecast(bot, number, typed)


def chances_in(answer: str) -> list[str]:
    return re.findall(r"(more than 9 in 10|less than 1 in 10|\d in 10)", answer)


async def test_whatif_tells_the_difference_and_changes_nothing(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    before = await query_database(bot, "select count(*) from timeline where event <> 'commented'")
    dropped = await ask_for_forecast(bot, number, "/whatif drop:#1049,#1050")
    assert "without #1049 and #1050" not in dropped
    assert "without #1049, #1050 (4 points)" in dropped
    assert "Nothing has been changed" in dropped
    assert "**nothing is left open**. Until now, the chance is" in dropped

    added = await ask_for_forecast(bot, number, "/whatif add:8")
    assert chances_in(added)[1] == "less than 1 in 10"
    later = await ask_for_forecast(bot, number, "/whatif due:2026-11-20")
    assert "due on Fri 20 Nov" in later
    off = await ask_for_forecast(bot, number, "/whatif days-off:3")
    assert "**no working days are left**" in off
    assert await query_database(bot, "select count(*) from timeline where event <> 'commented'") == before


async def test_forecasts_are_graded_when_the_sprint_is_over_and_the_record_is_shown(
    bot: Bot, clock: Clock
) -> None:
    number = await record_forecast_past(bot, clock)
    await ask_for_forecast(bot, number, "/forecast")
    clock.now = at("2026-11-20 12:00")
    (tenant,) = [row[0] for row in await query_database(bot, "select organization_id from projects")]
    await DailyFigures(bot.base.database, clock).run(tenant)

    (kept,) = await query_database(bot, "select * from forecasts")
    assert (kept.is_finished, float(kept.delivered)) == (False, 6.0)
    await DailyFigures(bot.base.database, clock).run(tenant)
    counted: list[Any] = await query_database(bot, "select tenth, shown, came_true from calibration")
    assert [row[1:] for row in counted] == [(1, 0)]

    clock.now = NOW + timedelta(hours=1)
    assert "**The record:** of 1 forecast of “up to 3 in 10” 0 came true." in await ask_for_forecast(
        bot, number, "/forecast"
    )
