"""`/calendar`: what is off, and the words of it."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from commands.messages.calendar import calendar_text, day_off_line, sprint_effect_lines
from sprints.calendar import Calendar
from sprints.rules import DaysOff
from tests.support.builders import Box
from tests.support.repository_settings import replace_settings
from tests.support.running import Bot
from tests.support.sprints import make_sprint

BERLIN = Calendar.of(ZoneInfo("Europe/Berlin"))
BREAK = DaysOff(date(2026, 12, 24), date(2027, 1, 2), "Winter *break*")


async def test_who_may_read_sees_what_is_off(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(
        bot, '{"holidays": ["2026-12-25"], "days_off": [{"from": "2027-12-24", "to": "2028-01-02"}]}'
    )
    await bot.say(number, "/calendar", as_user="dave")
    await bot.say(number, "/calendar show", as_user="dave")

    (answer,) = await bot.answers(number)
    assert "Working days: Mon Tue Wed Thu Fri · time zone: UTC" in answer
    assert "- 24 Dec 2027 – 2 Jan 2028: 6 working days" in answer
    assert "25 Dec 2026 (holiday, from the settings)" in answer


async def test_without_days_off_it_says_how_to_add_some(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/calendar")
    assert "There are no days off yet. Add some: `/calendar add " in (await bot.answers(number))[0]


async def test_a_word_that_it_does_not_know_is_pointed_at(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/calendar all")
    assert "`show` must be `show`: `/calendar 👉all👈`" in (await bot.answers(number))[0]


async def test_strangers_are_refused(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/calendar", as_user="mallory")
    assert "`/calendar` is for collaborators" in (await bot.answers(number))[0]


def test_a_name_that_somebody_gave_formats_nothing() -> None:
    assert day_off_line(BREAK, BERLIN) == "24 Dec 2026 – 2 Jan 2027, Winter \\*break\\*: 7 working days"


def test_what_is_over_is_folded() -> None:
    text = calendar_text([BREAK], [date(2026, 5, 1)], BERLIN, date(2027, 1, 2))
    assert text.index("24 Dec 2026") < text.index("<details>") < text.index("1 May 2026")

    text = calendar_text([BREAK], [], BERLIN, date(2027, 1, 3))
    assert "None coming up.\n\n<details>" in text


def test_of_sprints_those_not_over_are_named_with_what_they_have_then() -> None:
    sprint = Box(due="2026-11-27", start="11-16").sprint(as_of="11-20")
    off = {date(2026, 11, 25), date(2026, 11, 28)}
    after = Calendar.of(ZoneInfo("UTC"), holidays=off)

    assert sprint_effect_lines([sprint], Calendar(), after, date(2026, 11, 20)) == [
        "Sprint 12 has 9 working days instead of 10."
    ]
    assert sprint_effect_lines([sprint], Calendar(), after, date(2026, 11, 28)) == []
    assert sprint_effect_lines([sprint], Calendar(), Calendar(), date(2026, 11, 20)) == []


def test_a_sprint_of_days_off_only_is_reported() -> None:
    sprint = Box(due="2026-11-27", start="11-16").sprint(as_of="11-20")
    off = {date(2026, 11, 16) + timedelta(days=n) for n in range(12)}
    (line,) = sprint_effect_lines(
        [sprint], Calendar(), Calendar.of(ZoneInfo("UTC"), holidays=off), date(2026, 11, 20)
    )
    assert (
        line
        == "Sprint 12 has 0 working days instead of 10; none of its days is a working day, so all of them count."
    )
