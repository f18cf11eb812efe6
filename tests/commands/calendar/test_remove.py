"""`/calendar remove`: days off become working days again."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.calendar.remove import remove_days
from sprints.rules import DaysOff
from tests.support.repository_settings import read_command_settings, replace_settings
from tests.support.running import Bot
from tests.support.sprints import day_from_today, make_sprint

FIRST = date(2026, 12, 1)
DAYS = st.integers(0, 40).map(lambda n: FIRST + timedelta(days=n))
RANGES = st.tuples(DAYS, DAYS).map(sorted)


async def test_an_entry_is_taken_back_and_the_sprint_has_its_days_again(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/calendar add {day_from_today(1)}..{day_from_today(7)}")
    await bot.say(number, f"/calendar remove {day_from_today(1)}..{day_from_today(7)}")

    answer = (await bot.answers(number))[-1]
    assert "**7 days off removed** (" in answer
    assert "- Sprint 12 has 10 working days instead of 5." in answer
    assert await read_command_settings(bot) == {"days_off": []}


async def test_days_within_an_entry_cut_it_in_two(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/calendar add 2027-12-24..2028-01-02 "Break"')
    await bot.say(number, "/calendar remove 2027-12-28..2027-12-29")

    assert "**2 days off removed** (28 Dec 2027 – 29 Dec 2027)." in (await bot.answers(number))[-1]
    assert await read_command_settings(bot) == {
        "days_off": [
            {"from": "2027-12-24", "to": "2027-12-27", "name": "Break"},
            {"from": "2027-12-30", "to": "2028-01-02", "name": "Break"},
        ]
    }


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("/calendar remove", "is missing: a day, or the first and the last of several days"),
        ("/calendar remove 2026-12-31", "31 Dec 2026 is not a day off."),
        ("/calendar remove 2026-12-30..2026-12-31", "There are no days off from 30 Dec 2026 – 31 Dec 2026."),
        (
            "/calendar remove 2026-12-24..2026-12-26",
            "25 Dec 2026 is a holiday in the settings. Remove it there, under `holidays`.",
        ),
        ("/calendar remove Christmas", "`dates` must be a day, or a range such as"),
    ],
)
async def test_invalid_input_is_refused_with_valid_examples(bot: Bot, comment: str, why: str) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, '{"holidays": ["2026-12-25"]}')
    await bot.say(number, comment)
    assert why in (await bot.answers(number))[0]


async def test_it_is_for_maintainers(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/calendar remove 2026-12-24", as_user="bob")
    assert "`/calendar remove` needs the maintain role; yours is write." in (await bot.answers(number))[0]


@given(st.lists(RANGES, max_size=4), RANGES)
def test_exactly_the_days_named_are_no_longer_off(ranges: list[list[date]], named: list[date]) -> None:
    offs = [DaysOff(first, last) for first, last in ranges]
    before = {day for off in offs for day in off.days}
    after = {day for off in remove_days(offs, *named) for day in off.days}

    assert after == {entry for entry in before if not named[0] <= entry <= named[1]}
