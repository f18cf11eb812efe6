"""`/calendar add`: days off are kept, and sprints have fewer working days."""

import pytest

from tests.support.changes import query_database
from tests.support.repository_settings import read_command_settings, replace_settings
from tests.support.running import Bot
from tests.support.sprints import day_from_today, make_sprint


async def test_days_off_are_kept_and_the_sprint_they_change_is_named(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, f'/calendar add {day_from_today(1)}..{day_from_today(7)} "Winter break"')

    (answer,) = await bot.answers(number)
    assert "**Off:** " in answer
    assert ", Winter break: 5 working days." in answer
    assert "- Sprint 12 has 5 working days instead of 10." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert await read_command_settings(bot) == {
        "days_off": [{"from": day_from_today(1), "to": day_from_today(7), "name": "Winter break"}]
    }


async def test_the_numbers_of_the_sprint_follow(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/calendar add {day_from_today(0)}..{day_from_today(9)}")
    await bot.say(number, "/sprint status")

    assert any("no working days are left" in answer for answer in await bot.answers(number))


async def test_more_days_are_added_to_those_there_are(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/calendar add 2027-12-31")
    await bot.say(number, "/calendar add 2027-12-24..2027-12-26")

    first, answer = await bot.answers(number)
    assert "**Off:** 31 Dec 2027: 1 working day." in first
    assert "**Off:** 24 Dec 2027 – 26 Dec 2027: 1 working day." in answer
    assert "Sprint 12" not in answer
    assert await read_command_settings(bot) == {
        "days_off": [{"from": "2027-12-24", "to": "2027-12-26"}, {"from": "2027-12-31", "to": "2027-12-31"}]
    }


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("/calendar add", "is missing: a day, or the first and the last of several days"),
        ("/calendar add Christmas", "`dates` must be a day, or a range such as `2026-12-24..2027-01-02`"),
        ("/calendar add 2027-01-02..2026-12-24", "`dates` must be a day, or a range such as"),
        ("/calendar add 2026-12-24..2028-12-24", "These are 732 days. You can add up to 365 at once."),
        ("/calendar add 2027-04-06 - 32", "- 32” does not make a range with 6 Apr 2027."),
        ("/calendar add 2.9.2027 - 31.9.2027", "- 31.9.2027” does not make a range with"),
        ("/calendar add 2027-04-06 to 31 Sep", "Write both days in full: `/calendar add 2027-04-06.."),
        ("/calendar add 2026-12-25", "That day is already off. `/calendar` shows all days off."),
    ],
)
async def test_invalid_input_is_refused_with_valid_examples(bot: Bot, comment: str, why: str) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, '{"holidays": ["2026-12-25"]}')
    await bot.say(number, comment)

    assert why in (await bot.answers(number))[0]
    assert not await query_database(bot, "select 1 from projects where said <> '{}'")


async def test_it_is_for_maintainers(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/calendar add 2026-12-24", as_user="bob")
    assert "`/calendar add` needs the maintain role; yours is write." in (await bot.answers(number))[0]


async def test_one_person_is_away_and_comes_back(bot: Bot) -> None:
    number = await make_sprint(bot)
    first, last = day_from_today(1), day_from_today(7)
    await bot.say(number, f'/calendar add {first}..{last} @Bob "vacation"')
    await bot.say(number, "/calendar")

    answer, shown = await bot.answers(number)
    assert "**Away:** " in answer
    assert ", `bob`, vacation: 5 working days." in answer
    assert (
        "`bob` is not in the settings `people` or `teams` yet. To add them: `/agile config set people.bob 100%`."
        in answer
    )
    assert "instead of" not in answer
    assert ", `bob`, vacation: 5 working days" in shown
    entry = {"from": first, "to": last, "name": "vacation", "person": "bob"}
    assert await read_command_settings(bot) == {"days_off": [entry]}

    await bot.say(number, f"/calendar remove {first}..{last}")
    assert f"To remove that: `/calendar remove {first}..{last} @bob`." in (await bot.answers(number))[-1]
    await bot.say(number, f"/calendar remove {first}..{last} @bob")
    assert "**`bob` is back**" in (await bot.answers(number))[-1]
    assert await read_command_settings(bot) == {"days_off": []}


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        ("3.3.2027 bis 5.3.2027", ("2027-03-03", "2027-03-05")),
        ("2026-W53", ("2026-12-28", "2027-01-01")),
    ],
)
async def test_ranges_in_other_spellings(bot: Bot, dates: str, days: tuple[str, str]) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/calendar add {dates}")

    assert await read_command_settings(bot) == {"days_off": [{"from": days[0], "to": days[1]}]}
