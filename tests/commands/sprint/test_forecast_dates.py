"""`/forecast when:`, `by:` and the dates of a sprint, which agree with its chance and with `/whatif`."""

import re
from datetime import date, timedelta

import pytest

from charts.reading import MONTHS
from tests.support.builders import Box, Card, at
from tests.support.clock import Clock
from tests.support.forecast_past import NOW, ask_for_forecast, record_forecast_past
from tests.support.past import record_events
from tests.support.running import Bot

DUE = date(2026, 11, 13)
DAY = r"\d+ [A-Z][a-z]{2} \d{4}"
WORDS = {"more than 9 in 10": 10, "less than 1 in 10": 0}


def tenths_in(text: str) -> list[int]:
    """The chances of an answer, in tenths."""
    chances = re.findall(r"more than 9 in 10|less than 1 in 10|\d in 10", text)
    return [WORDS[chance] if chance in WORDS else int(chance[0]) for chance in chances]


def dates_in(text: str) -> dict[int, date]:
    """The days of a table of dates by their percentages."""
    rows = re.findall(r"\| (\d+) % \| (\d+) ([A-Z][a-z]{2}) (\d{4}) \|", text)
    return {
        int(percent): date(int(year), MONTHS.index(month) + 1, int(day)) for percent, day, month, year in rows
    }


def amounts_in(text: str) -> dict[int, int]:
    """The items of a table of amounts by their percentages; none is 0."""
    return dict.fromkeys((50, 85, 95), 0) | {
        int(percent): int(count) for percent, count in re.findall(r"\| (\d+) % \| (\d+) or more \|", text)
    }


async def whatif_due(bot: Bot, number: int, due: date) -> int:
    """The chance in tenths if the sprint were due on a day; on its own due date that is the headline."""
    if due == DUE:
        return tenths_in(await ask_for_forecast(bot, number, "/forecast"))[0]
    return tenths_in(await ask_for_forecast(bot, number, f"/whatif due:{due.isoformat()}"))[-1]


@pytest.mark.parametrize("done", [1, 3, 4])
async def test_the_dates_of_a_sprint_are_those_of_what_if_and_of_its_chance(
    bot: Bot, clock: Clock, done: int
) -> None:
    """`/whatif due:` said more than 9 in 10 for a day that the dates gave 50 %."""
    number = await record_forecast_past(bot, clock, done=done)
    answer = await ask_for_forecast(bot, number, "/forecast")
    headline, dates = tenths_in(answer)[0], dates_in(answer)

    assert set(dates) == {50, 85, 95}
    for percent, day in dates.items():
        assert await whatif_due(bot, number, day) >= percent // 10
        before = max(day - timedelta(days=3 if day.weekday() == 0 else 1), NOW.date())
        if before < day:
            assert await whatif_due(bot, number, before) <= (percent + 9) // 10
    if headline != 5:
        assert (headline > 5) == (dates[50] <= DUE)


@pytest.mark.parametrize("done", [1, 4])
async def test_items_by_the_due_date_agree_with_the_chance(bot: Bot, clock: Clock, done: int) -> None:
    number = await record_forecast_past(bot, clock, done=done)
    answer = await ask_for_forecast(bot, number, "/forecast")
    left = int(re.findall(r"The (\d+) open items?", answer)[0])

    assert dates_in(await ask_for_forecast(bot, number, f"/forecast when:{left}")) == dates_in(answer)
    by_due = amounts_in(await ask_for_forecast(bot, number, "/forecast by:2026-11-13"))
    headline = tenths_in(answer)[0]
    if headline != 5:
        assert (by_due[50] >= left) == (headline > 5)
    dropped = tenths_in(await ask_for_forecast(bot, number, "/whatif drop:#1050"))[-1]
    if dropped != 5:
        assert (by_due[50] >= left - 1) == (dropped > 5), "an equally large one was dropped"


async def test_items_by_the_due_date_agree_with_the_amounts_of_the_sprint(bot: Bot, clock: Clock) -> None:
    """`by:` said 2 or more at 50 % where `/forecast` said 9 in 10 for at least 3 more."""
    number = await record_forecast_past(bot, clock, done=4)
    start = at("2026-11-09")
    cards = [
        Card(3000 + n).opened(start - timedelta(days=2)).joined(start - timedelta(days=1), 7010)
        for n in range(8)
    ]
    await record_events(bot, *(event for card in cards for event in card.events))
    answer = await ask_for_forecast(bot, number, "/forecast")
    band = re.search(
        r"At the end (?:about )?(\d+) items are expected to be done(?:; .* between (\d+) and (\d+))?", answer
    )
    assert band, answer
    middle = int(band[1])
    low, high = int(band[2] or middle), int(band[3] or middle)
    done = int(re.findall(r"Now: (\d+) of \d+ items done", answer)[0])

    by = "/forecast by:2026-11-13"
    by_due = amounts_in(await ask_for_forecast(bot, number, by))

    assert middle - 1 <= done + by_due[50] <= middle, (answer, by_due)
    assert low <= done + by_due[85] <= high, (answer, by_due)


async def test_dates_for_items_and_items_by_a_date(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)

    dates = await ask_for_forecast(bot, number, "/forecast when:8")
    assert re.search(rf"\*\*8 items\*\* will be done by \*\*{DAY}\*\*, 85 times in 100\.", dates)
    assert "From 9 finished sprints of the team" in dates
    assert "The open items of Week 10 come first" in dates
    by = dates_in(dates)[85]
    amounts = await ask_for_forecast(bot, number, f"/forecast by:{by.isoformat()}")
    assert re.search(r"\*\*\d+ items or more\*\* will be done by ", amounts)
    assert amounts_in(amounts)[85] >= 8


async def test_ten_thousand_items_are_unlikely_within_two_years(bot: Bot, clock: Clock) -> None:
    """It said "10000 items will be done by not within two years, 85 times in 100"."""
    number = await record_forecast_past(bot, clock)
    answer = await ask_for_forecast(bot, number, "/forecast when:10000")

    assert answer.startswith(
        "**10,000 items** are unlikely to be done within two years: the chance is less than 1 in 10."
    )
    assert "85 times" not in answer


async def test_late_today_and_on_days_off_no_item_is_promised(bot: Bot, clock: Clock) -> None:
    """`by:` today said "0 items or more"."""
    number = await record_forecast_past(bot, clock)
    clock.now = at("2026-11-11 23:50")
    today = await ask_for_forecast(bot, number, "/forecast by:2026-11-11")
    assert today.startswith("There is a **")
    clock.now = at("2026-11-14 10:00")
    weekend = await ask_for_forecast(bot, number, "/forecast by:2026-11-15")
    assert weekend.startswith("**No working days are left** until Sun 15 Nov, so no item is expected")
    assert "0 items" not in today + weekend
    assert "0 or more" not in today + weekend


async def test_without_a_running_sprint_it_is_as_if_it_began_today(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    clock.now = at("2026-11-16 00:00")
    dates = await ask_for_forecast(bot, number, "/forecast when:4")
    assert "Calculated as for a sprint that starts today." in dates
    by = dates_in(dates)[50]

    box = Box(clock.now, milestone=7099, number=99, title="Next", start="11-16", due=by.isoformat())
    cards = [Card(2000 + n).opened(clock.now).joined(clock.now, 7099) for n in range(4)]
    await record_events(bot, *box.events, *(event for card in cards for event in card.events))
    clock.now += timedelta(seconds=1)
    answer = await ask_for_forecast(bot, number, "/forecast milestone:Next")
    assert tenths_in(answer)[0] >= 5, "a sprint of so many items that is due then"
    assert dates_in(answer) == dates_in(dates)


async def test_without_a_due_date_there_are_dates_alone(bot: Bot, clock: Clock) -> None:
    number = await record_forecast_past(bot, clock)
    box = Box(at("2026-11-10"), milestone=7098, number=98, title="Someday", start="11-10", due=None)
    cards = [Card(2100 + n).opened("2026-11-10").joined("2026-11-10", 7098) for n in range(3)]
    await record_events(bot, *box.events, *(event for card in cards for event in card.events))

    answer = await ask_for_forecast(bot, number, "/forecast milestone:Someday")
    assert re.search(rf"The 3 open items will be done by \*\*{DAY}\*\*, 85 times in 100\.", answer)
    assert "Calculated as for a sprint that starts today." in answer
