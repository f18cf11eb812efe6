"""`/forecast` and `/whatif`, from a team's past sprints to what is said, kept and graded."""

import re
from datetime import timedelta
from typing import Any

import pytest

from bot.jobs.daily_figures import DailyFigures
from sprints.model import Event
from storage.projects import Projects
from storage.timeline import Timeline, TimelineRow
from tests.bot.publishing.test_change_applier import in_database
from tests.commands.sprint.test_status import make_sprint
from tests.conftest import Clock
from tests.support.builders import Box, Card, at
from tests.support.running import Bot

MONDAYS = ["09-07", "09-14", "09-21", "09-28", "10-05", "10-12", "10-19", "10-26", "11-02"]
NOW = at("2026-11-11 12:00")


async def tell_past(bot: Bot, clock: Clock, *, done: int = 4, open_items: int = 1) -> int:
    """Nine weekly sprints with 5 items of 2 points of which 4 were done, and one that runs; the first open
    item's number is returned.
    """
    first = await bot.github.create_issue(bot.repo, "A card to ask in")
    await bot.rest()
    (tenant,) = [row[0] for row in await in_database(bot, "select organization_id from projects")]
    boxes, cards = list[Box](), list[Card]()
    number = 1000
    for n, monday in enumerate([*MONDAYS, "11-09"], start=1):
        start = at(f"2026-{monday}")
        friday = (start + timedelta(days=4)).date().isoformat()
        box = Box(start - timedelta(days=3), milestone=7000 + n, number=n, title=f"Week {n}", start=f"{start:%m-%d}", due=friday)  # fmt: skip
        boxes.append(box)
        for i in range(5):
            number += 1
            card = Card(number).opened(start - timedelta(days=2), "points: 2")
            card = card.joined(start - timedelta(days=1), 7000 + n)
            if i < done and start + timedelta(days=i, hours=10) < NOW:
                card = card.closed(start + timedelta(days=i, hours=10))
            cards.append(card)
    async with bot.base.database.tenant(tenant) as one:
        (project,) = await Projects(one).active()
        facts: list[Event] = [
            *(event for box in boxes for event in box.events),
            *(event for card in cards for event in card.events),
        ]
        await Timeline(one).record([TimelineRow(project.id, event) for event in facts])
    clock.now = NOW
    return int(first["number"])


async def say(bot: Bot, number: int, text: str) -> str:
    await bot.say(number, f"{text} new:yes")
    return (await bot.answers(number))[-1].partition("<!-- agile-github-suite")[0]


async def test_tells_the_chance_what_to_take_out_and_how_it_was_computed(bot: Bot, clock: Clock) -> None:
    number = await tell_past(bot, clock)
    answer = await say(bot, number, "/forecast")

    assert "### Forecast · Week 10" in answer
    assert re.search(
        r"\*\*(Less than 1|1|2) in 10\*\* that the remaining 4 points are done by Fri 13 Nov\.", answer
    )
    assert re.search(
        r"Taking out #\d+, one of the largest open items, makes it (\d|more than 9) in 10\.", answer
    )
    assert "8 in 10 times it is between" in answer
    assert "From 9 finished sprints of the team" in answer
    assert (
        "_No forecast here has been graded yet. When a sprint is over, the first forecast of each" in answer
    )
    assert "Late in a sprint, leftovers tend to stay open" in answer
    (kept,) = await in_database(bot, "select * from forecasts")
    assert (kept.shown_in, kept.unit, float(kept.scope)) == ("forecast", "points", 10.0)
    assert 0 < kept.chance < 0.35


async def test_the_same_facts_give_the_same_forecast(bot: Bot, clock: Clock) -> None:
    number = await tell_past(bot, clock)

    assert await say(bot, number, "/forecast") == await say(bot, number, "/forecast")


async def test_the_status_card_tells_it_too(bot: Bot, clock: Clock) -> None:
    number = await tell_past(bot, clock)
    answer = await say(bot, number, "/sprint status")

    assert "in 10** that the remaining 4 points are done by Fri 13 Nov." in answer
    await say(bot, number, "/sprint status as-of:2026-11-09")
    assert [row.shown_in for row in await in_database(bot, "select shown_in from forecasts")] == ["status"]


async def test_a_team_that_has_hardly_begun_has_a_rough_forecast(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await say(bot, number, "/forecast")

    assert "There is no forecast yet" in answer or "so this is rough" in answer
    assert "10 finished items" not in answer


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/forecast when:0", "`when` must be a whole number from 1 to 10,000"),
        ("/forecast when:10001", "`when` must be a whole number from 1 to 10,000"),
        ("/forecast when:1000000000", "`when` must be a whole number from 1 to 10,000"),
        ("/forecast when:-1", "`when` must be a whole number from 1 to 10,000"),
        ("/forecast by:2026-11-10", "`by:2026-11-10` lies in the past. Use today or a later day."),
        ('/forecast milestone:"Nope" when:3', "look at the sprint that is running; leave `milestone:` out"),
        ('/forecast milestone:"Nope" by:2026-12-01', "leave `milestone:` out"),
        ("/forecast when:5 by:2026-12-01", "two questions"),
        ('/forecast milestone:"Week 1"', "That sprint has ended"),
        ("/whatif", "Say what might change"),
        ("/whatif drop:#99", "#99 is not open in Week 10"),
    ],
)
async def test_what_cannot_be_answered_is_told(bot: Bot, clock: Clock, typed: str, said: str) -> None:
    number = await tell_past(bot, clock)

    assert said in await say(bot, number, typed)


def chances_in(answer: str) -> list[str]:
    return re.findall(r"(certain|more than 9 in 10|less than 1 in 10|\d in 10)", answer)


async def test_whatif_tells_the_difference_and_changes_nothing(bot: Bot, clock: Clock) -> None:
    number = await tell_past(bot, clock)
    before = await in_database(bot, "select count(*) from timeline where event <> 'commented'")
    dropped = await say(bot, number, "/whatif drop:#1049,#1050")
    assert "without #1049 and #1050" not in dropped
    assert "without #1049, #1050 (4 points)" in dropped
    assert "Nothing has been changed" in dropped
    assert chances_in(dropped)[0] != chances_in(dropped)[1]

    added = await say(bot, number, "/whatif add:8")
    assert chances_in(added)[1] == "less than 1 in 10"
    later = await say(bot, number, "/whatif due:2026-11-20")
    assert "due on Fri 20 Nov" in later
    off = await say(bot, number, "/whatif days-off:3")
    assert "impossible" in off
    assert await in_database(bot, "select count(*) from timeline where event <> 'commented'") == before


async def test_forecasts_are_graded_when_the_sprint_is_over_and_the_record_is_shown(
    bot: Bot, clock: Clock
) -> None:
    number = await tell_past(bot, clock)
    await say(bot, number, "/forecast")
    clock.now = at("2026-11-20 12:00")
    (tenant,) = [row[0] for row in await in_database(bot, "select organization_id from projects")]
    await DailyFigures(bot.base.database, clock).run(tenant)

    (kept,) = await in_database(bot, "select * from forecasts")
    assert (kept.is_finished, float(kept.delivered)) == (False, 6.0)
    await DailyFigures(bot.base.database, clock).run(tenant)
    counted: list[Any] = await in_database(bot, "select tenth, shown, came_true from calibration")
    assert [row[1:] for row in counted] == [(1, 0)]

    clock.now = NOW + timedelta(hours=1)
    assert "**The record:** of 1 forecast of “up to 3 in 10” 0 came true." in await say(
        bot, number, "/forecast"
    )
