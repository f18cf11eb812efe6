"""`/sprint start` completes what is left out, and asks before it starts something unusual."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from charts.reading import short_day
from commands.formatting.wording import full_day, weekday
from tests.support.changes import tick_box
from tests.support.repository_settings import replace_settings
from tests.support.running import Bot
from tests.support.sprints import create_item, day_from_today, make_sprint

# So that the expected days do not depend on the weekday on which the tests run.
ALL_WEEK = '"working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'


def day(offset: int) -> date:
    return date.fromisoformat(day_from_today(offset))


def span(first: int, due: int) -> str:
    """The days as a preview's heading writes them."""
    this_year = datetime.now(UTC).year
    with_year = not day(first).year == day(due).year == this_year
    return f"{short_day(day(first), with_year=with_year)} – {short_day(day(due), with_year=with_year)}"


async def milestones(bot: Bot) -> dict[str, dict[str, Any]]:
    made = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    return {milestone["title"]: dict(milestone) for milestone in made}


async def start_running_sprint(bot: Bot, settings: str = "") -> int:
    """A sprint of 14 days that runs until the day after tomorrow, in a team that works all week."""
    number = await make_sprint(bot, start=-11, due=2)
    await replace_settings(bot, f"{{{ALL_WEEK}{settings}}}")
    return number


async def test_alone_it_proposes_the_next_sprint_and_a_tick_starts_it(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    await bot.say(number, "/sprint start")

    (preview,) = await bot.answers(number)
    assert preview.startswith(f"### Start Sprint 13, {span(3, 16)}?")
    assert " · 14 working days" in preview
    assert f"It follows Sprint 12, which runs until {weekday(day(2))}." in preview
    line = f'/sprint start "Sprint 13" start:{day_from_today(3)} due:{day_from_today(16)}'
    assert f"For other days, change this line:\n\n```\n{line}\n```" in preview
    assert "Sprint 13" not in await milestones(bot)

    await tick_box(bot, number)

    assert (await bot.answers(number))[-1].startswith("### Sprint 13 is planned")
    made = (await milestones(bot))["Sprint 13"]
    assert made["due_on"].startswith(day_from_today(16))
    assert made["description"] == f"Start: {day_from_today(3)}"


async def test_the_first_sprint_of_a_team_lasts_two_weeks(bot: Bot) -> None:
    number = await create_item(bot)
    await replace_settings(bot, f"{{{ALL_WEEK}}}")
    await bot.say(number, "/sprint start")

    (preview,) = await bot.answers(number)
    assert preview.startswith(f"### Start Sprint 1, {span(0, 13)}?")


async def test_the_cadence_decides_how_long_it_lasts(bot: Bot) -> None:
    number = await start_running_sprint(bot, ', "cadence": "3 weeks"')
    await bot.say(number, "/sprint start")

    first, due = span(3, 23).split(" – ")
    heading = (await bot.answers(number))[0].partition("?")[0]
    # It ends on the weekday on which sprints here end.
    assert heading.startswith(f"### Start Sprint 13, {first} – ")
    assert due in heading


async def test_the_milestone_that_is_there_is_taken_with_its_items(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    there = await bot.github.create_milestone(bot.repo, "Sprint 13")
    item = await create_item(bot, 8, there["number"])
    await bot.say(number, "/sprint start confirm:yes")

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 13 is planned")
    assert "**It contains 8 points in 1 item.**" in answer
    assert f"#{item} (8 points)" in answer
    assert (await milestones(bot))["Sprint 13"]["due_on"].startswith(day_from_today(16))


async def test_a_title_alone_is_given_days(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    await bot.say(number, '/sprint start "Payments"')

    (preview,) = await bot.answers(number)
    assert preview.startswith(f"### Start Payments, {span(3, 16)}?")
    assert "Payments" not in await milestones(bot)


async def test_a_due_date_alone_is_given_a_title(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    await bot.say(number, f"/sprint start due:{day_from_today(12)} confirm:yes")

    made = (await milestones(bot))["Sprint 13"]
    assert made["due_on"].startswith(day_from_today(12))
    assert made["description"] == f"Start: {day_from_today(3)}"


async def test_the_running_sprint_named_again_is_as_it_was(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    before = (await milestones(bot))["Sprint 12"]
    await bot.say(number, '/sprint start "Sprint 12"')

    assert (await bot.answers(number))[0].startswith("### Sprint 12 has started")
    after = (await milestones(bot))["Sprint 12"]
    assert [after[key] for key in ("description", "due_on", "state")] == [
        before[key] for key in ("description", "due_on", "state")
    ]


async def test_a_title_without_a_number_cannot_be_counted_on(bot: Bot) -> None:
    number = await make_sprint(bot, "Payments", start=-11, due=2)
    await replace_settings(bot, f"{{{ALL_WEEK}}}")
    await bot.say(number, "/sprint start")

    (answer,) = await bot.answers(number)
    assert (
        "Your last sprint is called “Payments”. Its title has no number, so I can't suggest the next one."
        in answer
    )
    assert f'`/sprint start "…" start:{day_from_today(3)} due:{day_from_today(16)}`' in answer


# Guards


@pytest.mark.parametrize(
    ("due", "warning"),
    [
        (400, "**It has 401 working days;** most teams plan 5 to 20."),
        (0, "**It has only 1 working day;** most teams plan 5 to 20. It begins and ends today."),
    ],
    ids=["long", "today"],
)
async def test_an_unusual_length_is_asked_about(bot: Bot, due: int, warning: str) -> None:
    number = await start_running_sprint(bot)
    await bot.say(number, f'/sprint start "Sprint 26" due:{day_from_today(due)}')

    (preview,) = await bot.answers(number)
    assert preview.startswith("### Start Sprint 26, ")
    assert warning in preview
    assert "Sprint 26" not in await milestones(bot)
    await tick_box(bot, number)
    assert (await milestones(bot))["Sprint 26"]["due_on"].startswith(day_from_today(due))


async def test_the_length_is_compared_with_that_of_ended_sprints(bot: Bot) -> None:
    number = await make_sprint(bot, "Sprint 11", start=-12, due=-3)
    await replace_settings(bot, f"{{{ALL_WEEK}}}")
    await bot.say(number, f'/sprint start "Sprint 12" due:{day_from_today(3)}')
    (asked,) = await bot.answers(number)
    assert "**It has only 4 working days;** your sprints usually have 10." in asked

    await bot.say(number, f'/sprint start "Sprint 13" due:{day_from_today(9)} new:yes')
    outdated, started = await bot.answers(number)
    assert "is outdated" in outdated
    assert started.startswith("### Sprint 13 has started")


async def test_days_that_are_all_off_are_asked_about(bot: Bot) -> None:
    number = await make_sprint(bot)
    days = ", ".join(f'"{day_from_today(offset)}"' for offset in range(6))
    await replace_settings(bot, f'{{"holidays": [{days}]}}')
    await bot.say(number, f'/sprint start "Sprint 26" due:{day_from_today(5)}')

    (preview,) = await bot.answers(number)
    assert "**None of its days is a working day,** so all of them would count." in preview


async def test_a_last_day_that_is_off_is_named(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, f'{{{ALL_WEEK}, "holidays": ["{day_from_today(12)}"]}}')
    await bot.say(number, f'/sprint start "Sprint 26" due:{day_from_today(12)}')

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 26 has started")
    assert f"Its last day is a day off: the last working day is {weekday(day(11))}." in answer


async def test_a_mistyped_year_is_corrected(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    await bot.say(number, f'/sprint start "Sprint 26" due:2099-{day_from_today(12)[5:]}')

    (answer,) = await bot.answers(number)
    assert ". A sprint can last up to two years." in answer
    assert f'/sprint start "Sprint 26" due:{day_from_today(12)}`' in answer
    assert "Sprint 26" not in await milestones(bot)


async def test_a_due_date_of_last_year_is_corrected(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    last_year = f"{day(12).year - 1}-{day_from_today(12)[5:]}"
    await bot.say(number, f'/sprint start "Sprint 26" due:{last_year}')

    (answer,) = await bot.answers(number)
    assert f"`due:{last_year}` is in the past" in answer
    assert f'/sprint start "Sprint 26" due:{day_from_today(12)}`' in answer


async def test_swapped_days_are_corrected(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    await bot.say(number, f'/sprint start "Sprint 26" due:{day_from_today(3)} start:{day_from_today(14)}')

    (answer,) = await bot.answers(number)
    assert f'Try: `/sprint start "Sprint 26" start:{day_from_today(3)} due:{day_from_today(14)}`' in answer


@pytest.mark.parametrize(
    ("start", "due", "distance"), [(-30, 12, "is 30 days ago"), (90, 103, "is 90 days away")]
)
async def test_a_start_that_is_far_from_today_is_asked_about(
    bot: Bot, start: int, due: int, distance: str
) -> None:
    number = await start_running_sprint(bot)
    await bot.say(
        number, f'/sprint start "Sprint 26" start:{day_from_today(start)} due:{day_from_today(due)}'
    )

    (preview,) = await bot.answers(number)
    assert preview.startswith("### Start Sprint 26, ")
    assert f"**Its first day, {full_day(day(start))}, {distance}.**" in preview
    assert "Sprint 26" not in await milestones(bot)


async def test_sprints_that_run_beside_it_are_named(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    await bot.say(number, f'/sprint start "Sprint 26" due:{day_from_today(12)}')
    await bot.say(number, f'/sprint start "Sprint 27" due:{day_from_today(12)} new:yes')

    beside_one, beside_two = await bot.answers(number)
    until_12, until_26 = weekday(day(2)), weekday(day(12))
    assert f"**Another sprint is running:** Sprint 12 until {until_12}." in beside_one
    assert (
        f"**2 other sprints are running:** Sprint 12 until {until_12}, Sprint 26 until {until_26}."
        in beside_two
    )


async def test_a_sprint_after_the_running_one_is_beside_none(bot: Bot) -> None:
    number = await start_running_sprint(bot)
    await bot.say(number, f'/sprint start "Sprint 26" start:{day_from_today(3)} due:{day_from_today(12)}')

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 26 is planned")
    assert "running" not in answer
