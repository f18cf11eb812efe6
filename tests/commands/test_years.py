"""Answers and posts around New Year show the year of dates in another year."""

from datetime import timedelta

from tests.support.builders import at
from tests.support.charts.years import DATE_WITHOUT_YEAR
from tests.support.clock import Clock
from tests.support.past import ask_command, record_past, usual_past
from tests.support.reporting import ReportingHarness
from tests.support.repository_settings import set_setting
from tests.support.running import Bot

# Sprint 24 runs from Monday, 28 December 2026 to Friday, 1 January 2027.
FIRST_MONDAY = at("2026-11-30")
DECEMBER, JANUARY = at("2026-12-30 12:00"), at("2027-01-01 11:30")
COMMANDS = (
    "/sprint status",
    "/sprint scope",
    "/sprint plan",
    "/sprint list",
    "/sprint report",
    '/sprint report milestone:"Sprint 23"',
    "/sprint retro",
    "/burndown",
    "/burnup",
    "/velocity",
    "/throughput",
    "/cycletime",
    "/cfd",
    "/aging",
    "/forecast",
    "/forecast when:5",
    "/whatif drop:#1041",
    "/risk",
    "/standup",
    "/blocked",
    "/my",
    "/eta #1042",
    "/explain #1041",
    "/explain velocity",
    "/explain throughput",
    "/team metrics",
    "/summary",
)


async def tell(bot: Bot, clock: Clock) -> int:
    return await record_past(bot, clock, *usual_past(FIRST_MONDAY))


def without_year(text: str, *months: str) -> list[str]:
    return [
        day for day in DATE_WITHOUT_YEAR.findall(text) if day.split()[0] in months or day.split()[1] in months
    ]


async def test_no_command_leaves_out_the_year(bot: Bot, clock: Clock) -> None:
    number = await tell(bot, clock)
    for now, others in ((DECEMBER, {"Jan"}), (JANUARY, {"Nov", "Dec"})):
        clock.now = now
        for typed in COMMANDS:
            clock.now += timedelta(minutes=1)
            await bot.say(number, f"{typed} new:yes")
            answer = (await bot.answers(number))[-1]
            assert without_year(answer, *others) == [], f"{typed} at {now}: {answer}"


async def test_days_of_the_next_year_that_somebody_asks_for(bot: Bot, clock: Clock) -> None:
    number = await tell(bot, clock)
    clock.now = DECEMBER
    assert "will be done by Fri 8 Jan 2027, 85 times" in await ask_command(
        bot, number, "/forecast by:2027-01-08"
    )
    assert "due on Fri 8 Jan 2027" in await ask_command(bot, number, "/whatif due:2027-01-08")
    started = await ask_command(
        bot, number, '/sprint start "Next" start:2026-12-31 due:2027-01-15 confirm:yes'
    )
    assert "Thu 31 Dec 2026 – Fri 15 Jan 2027" in started


async def test_what_is_stated_unasked_has_years(reporting: ReportingHarness) -> None:
    reporting.thread = await tell(reporting.bot, reporting.clock)
    await reporting.set_settings(tracking=reporting.thread, standup="09:00")
    messages = await reporting.advance(DECEMBER)
    messages += await reporting.advance("2026-12-31 09:10")
    assert len(messages) > 1
    assert without_year("\n".join(messages), "Jan") == []
    messages = await reporting.advance("2027-01-01 09:10")
    assert without_year(messages[0] + messages[-1], "Nov", "Dec") == []


async def test_the_present_year_is_that_of_the_teams_own_zone(bot: Bot, clock: Clock) -> None:
    number = await tell(bot, clock)
    await set_setting(bot, "timezone", "Pacific/Auckland")
    clock.now = at("2026-12-31 12:00")
    assert "will be done by Fri 8 Jan, 85 times" in await ask_command(bot, number, "/forecast by:2027-01-08")
