"""Lines as people write them, from the webhook to the comment that they see."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.changes import query_database
from tests.support.running import Bot
from tests.support.sprints import day_from_today, get_milestone_title, make_next_sprint, make_sprint


def labels_of(issue: dict[str, object]) -> list[str]:
    labels = issue["labels"]
    assert isinstance(labels, list)
    return [label["name"] for label in labels]


async def say_and_read(bot: Bot, number: int, *lines: str) -> str:
    """Say lines in one comment. Returns all that the bot has said or edited in the thread since."""
    before = await bot.answers(number)
    await bot.say(number, "\n".join(lines))
    return "\n\n".join(answer for answer in await bot.answers(number) if answer not in before)


def copied_lines(answer: str) -> list[str]:
    """The lines that an answer offers to be copied."""
    return re.findall(r"^```text\n(.*)\n```$", answer, re.MULTILINE)


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        ("5 points", "5"),
        ("½", "0.5"),
        (".5.", "0.5"),
        ("0,5", "0.5"),
        ("８\u200b", "8"),
        ("13\u00a0pts!", "13"),
    ],
)
async def test_an_estimate_is_understood(bot: Bot, typed: str, points: str) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/estimate {typed}")

    assert labels_of(await bot.github.issue(bot.repo, number)) == [f"points: {points}"]


async def test_another_issue_is_estimated_from_here_by_number_or_address(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/estimate #{number + 2} 3")
    assert labels_of(await bot.github.issue(bot.repo, number + 2)) == ["points: 3"]

    await bot.say(number, f"/estimate 8 points https://github.com/{bot.repo}/issues/{number + 2}")
    assert labels_of(await bot.github.issue(bot.repo, number + 2)) == ["points: 8"]
    assert labels_of(await bot.github.issue(bot.repo, number)) == ["points: 5"]


async def test_a_size_without_sizes_is_answered_with_how_to_set_it_and_then_works(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, "/estimate XL")

    assert "`/estimate 👉XL👈`" in answer
    assert "`/agile config set sizes.XL 8`" in answer
    assert copied_lines(answer) == ["/estimate 5"]

    await bot.say(number, "/agile config set sizes.XL 8")
    await bot.say(number, "/estimate xl")
    assert labels_of(await bot.github.issue(bot.repo, number)) == ["points: 8"]

    assert "one of your sizes (`XL`)" in await say_and_read(bot, number, "/estimate huge")


@pytest.mark.parametrize(
    ("line", "why", "copied"),
    [
        ("/estimate 1000000", "`points` can be up to 9,999: `/estimate 👉1000000👈`", []),
        ("/estimate -3", "`points` can't be below 0: `/estimate 👉-3👈`", ["/estimate 3"]),
        (
            "/estimate 1,000",
            "can be read in two ways, so nothing was changed",
            ["/estimate 1", "/estimate 1000"],
        ),
        ("/estimate 5 5", "This argument does not exist: `/estimate 5 👉5👈`", ["/estimate 5"]),
        ("/estimate", "`points` is missing", ["/estimate 5"]),
        ("/sprint goal “Ship", "The closing quotation mark is missing", ["/sprint goal “Ship”"]),
        ("/sprint status by:hours", "`by` must be `points` or `count`", ["/sprint status by:points"]),
        (
            "/sprint status as-off:yesterday",
            "This argument does not exist",
            ["/sprint status as-of:yesterday"],
        ),
        ("/sprint goal met sprnt:12", "This argument does not exist", ["/sprint goal met sprint:12"]),
        ("/wip limit many", "Use a number from 1 to 999, or `none`.", ["/wip limit 5"]),
        ("/burndown Sprnt 12", "There is no milestone called “Sprnt 12” here.", ['/burndown "Sprint 12"']),
        (
            "/sprint add #2 for:elsewhere",
            "There is no milestone called “elsewhere”",
            ['/sprint add #2 "Sprint 12"'],
        ),
    ],
)
async def test_an_error_marks_the_word_and_shows_the_line_to_write(
    bot: Bot, line: str, why: str, copied: list[str]
) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, line)

    assert why in answer
    assert copied_lines(answer) == copied
    assert labels_of(await bot.github.issue(bot.repo, number)) == ["points: 5"]
    for text in copied:  # What is shown to be written is read.
        assert "There is no command" not in (again := await say_and_read(bot, number, text))
        assert "must be" not in again


async def test_the_date_of_an_example_is_to_come_and_is_accepted(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, "/forecast by:someday")

    (line,) = copied_lines(answer)
    assert "`/forecast 👉by:someday👈`" in answer
    day = line.removeprefix("/forecast by:")
    assert datetime.now(UTC).date().isoformat() < day <= day_from_today(14)


async def test_an_issue_that_is_no_number_is_answered_with_one_that_exists(bot: Bot) -> None:
    number = await make_sprint(bot)
    (line,) = copied_lines(await say_and_read(bot, number, "/blocked by:someone"))

    assert line == f"/blocked by:#{number + 2}"


async def test_blocks_and_items_are_named_as_people_do(bot: Bot) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    assert f"#{number} is blocked" in await say_and_read(bot, number, f"/blocked by #{number + 2}")

    free = await bot.github.create_issue(bot.repo, "Free")
    await bot.rest()
    await bot.say(number, f"/sprint add {free['number']} to Sprint 13.")
    assert await get_milestone_title(bot, free["number"]) == "Sprint 13"


async def test_a_goal_needs_no_quotation_marks(bot: Bot) -> None:
    number = await make_sprint(bot)

    assert "**Goal of Sprint 12:** Ship Apple Pay" in await say_and_read(
        bot, number, "/sprint goal Ship Apple Pay"
    )


@pytest.mark.parametrize(
    "name", ["Sprint 12", "“Sprint 12”", "12", "sprint12", "current", "for: Sprint 12", "milestone:12"]
)
async def test_a_sprint_is_named_alike_in_all_commands(bot: Bot, name: str) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot)
    answer = await say_and_read(
        bot, number, f"/burndown {name}", f"/sprint status {name}", f"/forecast {name}"
    )

    assert "There is no milestone" not in answer
    assert "Burndown · Sprint 12" in answer
    assert "### Sprint 12" in answer


async def test_a_sprint_that_is_not_there_yet_is_no_milestone_of_that_name(bot: Bot) -> None:
    number = await make_sprint(bot)
    for line in ("/forecast next", "/burndown the next sprint", "/sprint status for:next"):
        answer = await say_and_read(bot, number, line)
        assert "There is no next sprint yet. Start one: `/sprint start`" in answer
        assert "milestone called" not in answer
    assert "No sprint has ended yet." in await say_and_read(bot, number, "/sprint report last")
    assert "“next”" not in await say_and_read(bot, number, "/sprint start next")


async def test_a_number_that_two_sprints_have_is_asked_about(bot: Bot) -> None:
    number = await make_sprint(bot)
    await make_next_sprint(bot, title="Checkout 12")
    answer = await say_and_read(bot, number, "/burndown 12")

    assert "“12” may be one of 2 sprints." in answer
    assert copied_lines(answer) == ['/burndown "Sprint 12"', '/burndown "Checkout 12"']


async def test_a_title_with_quotation_marks_of_all_kinds_is_offered_and_read(bot: Bot) -> None:
    number = await make_sprint(bot)
    titles = ['The "big" 12', '«Das» „große“ "12"', "Team '12' « “ ” ‘ ’ 「 」"]
    for title in titles:
        await make_next_sprint(bot, title=title)
    for title, line in zip(
        titles, copied_lines(await say_and_read(bot, number, "/burndown 12"))[1:], strict=True
    ):
        heading = (await say_and_read(bot, number, line)).replace("\\", "")
        assert f"Burndown · {title}" in heading


async def test_a_date_in_words_is_said_back_in_full(bot: Bot) -> None:
    number = await make_sprint(bot)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    answer = await say_and_read(bot, number, "/forecast by tomorrow")

    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    written = f"{tomorrow:%a} {tomorrow.day} {months[tomorrow.month - 1]} {tomorrow.year}"
    assert f"I read “tomorrow” as {written}" in answer


async def test_an_ambiguous_date_changes_nothing_and_offers_both(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, "/sprint start Sprint 26 due:01/02 goal:Ship it")

    lines = copied_lines(answer)
    assert "`due` can be read in two ways, so nothing was changed" in answer
    assert [re.sub(r"due:\d{4}-", "due:", line) for line in lines] == [
        "/sprint start Sprint 26 due:02-01 goal:Ship it",
        "/sprint start Sprint 26 due:01-02 goal:Ship it",
    ]
    assert "Sprint 26" not in await say_and_read(bot, number, "/sprint list")


async def test_a_title_that_may_be_a_date_starts_nothing_and_is_asked_about(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, "/sprint start Sprint 26 in 2 weeks")

    day = day_from_today(14)
    assert "can be read in 3 ways, so nothing was changed" in answer
    assert copied_lines(answer) == [
        f'/sprint start "Sprint 26" due:{day}',
        f'/sprint start "Sprint 26" start:{day}',
        '/sprint start "Sprint 26 in 2 weeks"',
    ]
    lines = copied_lines(await say_and_read(bot, number, "/sprint start next friday"))
    assert [line.partition(":")[0] for line in lines] == [
        "/sprint start due",
        "/sprint start start",
        '/sprint start "next friday"',
    ]
    assert "Sprint 26" not in await say_and_read(bot, number, "/sprint list")


@pytest.mark.parametrize(
    ("line", "why", "copied"),
    [
        (
            "/sprint remove #{} because the vendor is late",
            "I don't understand “because the vendor is late” there.",
            '/sprint remove #{} reason:"because the vendor is late"',
        ),
        ("/sprint status yesterday", "I don't understand “yesterday”", "/sprint status as-of:yesterday"),
        (
            "/burndown Sprint 12 please by:count",
            "I don't understand “please” behind the sprint's name.",
            '/burndown "Sprint 12" by:count',
        ),
    ],
)
async def test_loose_words_are_named_and_the_rest_of_the_line_is_kept(
    bot: Bot, line: str, why: str, copied: str
) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, line.format(number))

    assert why in answer
    assert copied_lines(answer) == [copied.format(number)]
    again = await say_and_read(bot, number, *copied_lines(answer))
    assert "I don't understand" not in again
    assert "There is no milestone" not in again


async def test_names_with_a_blank_and_items_without_a_size_are_read(bot: Bot) -> None:
    number = await make_sprint(bot)

    assert "no milestone called" not in await say_and_read(bot, number, "/sprint status as of today")
    answer = await say_and_read(bot, number, "/whatif add:3 items")
    assert "must be" not in answer
    assert "no milestone" not in answer


@pytest.mark.parametrize("form", ["since:{}", "since {}", "since: {}", "{}"])
async def test_a_start_without_a_year_lies_in_the_past(bot: Bot, form: str) -> None:
    number = await make_sprint(bot)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    answer = await say_and_read(bot, number, f"/start {form.format(f'{yesterday.day}.{yesterday.month}.')}")

    assert "in the future" not in answer
    assert "was opened" in answer


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        ("2035-12-24 - 26", "24 Dec 2035 – 26 Dec 2035"),
        ("28-2 jan 2036", "28 Dec 2035 – 2 Jan 2036"),
        ("28 Dec 2035 to 2", "28 Dec 2035 – 2 Jan 2036"),
        ("28 Dec - 2 Jan 2036", "28 Dec 2035 – 2 Jan 2036"),
    ],
)
async def test_an_abbreviated_range_of_days_is_understood(bot: Bot, dates: str, days: str) -> None:
    number = await make_sprint(bot)
    assert f"**Off:** {days}" in await say_and_read(bot, number, f"/calendar add {dates}")


async def test_next_week_is_a_range_of_days_off(bot: Bot) -> None:
    number = await make_sprint(bot)
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=7 - today.weekday())
    answer = await say_and_read(bot, number, "/calendar add next week @bob vacation")

    assert copied_lines(answer) == []
    assert "I read “next week” as Mon" in answer
    (row,) = await query_database(bot, "select said from projects where said <> '{}'")
    assert f"{monday.isoformat()}" in str(row.said)
    assert f"{(monday + timedelta(days=4)).isoformat()}" in str(row.said)


async def test_a_range_with_two_readings_changes_nothing_and_offers_both(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, "/calendar add Dec 28-2, 2035")

    assert "`dates` can be read in two ways, so nothing was changed" in answer
    assert copied_lines(answer) == [
        "/calendar add 2035-12-28..2036-01-02",
        "/calendar add 2034-12-28..2035-01-02",
    ]
    assert not await query_database(bot, "select 1 from projects where said <> '{}'")

    running = datetime.now(UTC).date() - timedelta(days=1)
    text = f"{running.day} {running:%b} - {running + timedelta(days=20):%d %b}"
    assert len(copied_lines(await say_and_read(bot, number, f"/calendar add {text}"))) == 2


async def test_the_locale_decides_which_part_of_a_date_is_the_month(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/agile config set locale en-US")
    answer = await say_and_read(bot, number, "/sprint start Sprint 26 due:01/02")

    assert re.search(r"I read “01/02” as \w{3} Jan 2, \d{4}", answer)


# What is not a command


@pytest.mark.parametrize(
    ("line", "suggested"),
    [
        ("/sprint", "/sprint status"),
        ("/sprint show", "/sprint status"),
        ("/sprint end", "/sprint close"),
        ("/sprint finish to:backlog", "/sprint close to:backlog"),
        ("/sprint clsoe", "/sprint close"),
        ("/sprint help", "/help sprint"),
        ("/sprint velocity", "/velocity"),
        ("/sprint burndown by:count", "/burndown by:count"),
        ("/agile status", "/sprint status"),
        ("/agile sprint", "/sprint status"),
        ("/agile helth", "/agile health"),
        ("/burndwon", "/burndown"),
        ("/forcast by:friday", "/forecast by:friday"),
        ("/sprint-status by:count", "/sprint status by:count"),
        ("/sprint_status", "/sprint status"),
        ("/sprintstatus", "/sprint status"),
        ("/sprint-staus", "/sprint status"),
        ("/agile-undo", "/agile undo"),
        ("/agile_sprint_status", "/sprint status"),
        ("/wip-limit 5", "/wip limit 5"),
    ],
)
async def test_what_was_meant_is_asked(bot: Bot, line: str, suggested: str) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, line)

    assert copied_lines(answer) == [suggested]
    assert "Did you mean" in answer
    if suggested.startswith("/sprint close"):
        assert "ends the sprint" in answer
        assert "Nothing was changed." in answer


async def test_a_vague_command_is_answered_with_what_can_be_looked_at(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, "/sprint something", "/sprint ad", "/wip now")

    assert "Did you mean" not in answer
    assert "`/sprint status`" in answer
    assert "`/sprint close`" not in answer
    assert "`/sprint add`" not in answer
    assert "`/wip limit`" not in answer


# Settings


@pytest.mark.parametrize(
    ("typed", "copied"),
    [
        ("timezone Berlin", "timezone Europe/Berlin"),
        ("timezne Europe/Berlin", "timezone Europe/Berlin"),
        ("working_days monday,tuesday", "working_days mon,tue"),
        ("locale de_DE.UTF-8", "locale de"),
        ("charts pictures", None),
        ("charts imag", "charts image"),
        ("cadence 3 moons", None),
        ("wip.limt 5", "wip.limit 5"),
    ],
)
async def test_a_refused_setting_is_answered_with_the_line_that_was_meant(
    bot: Bot, typed: str, copied: str | None
) -> None:
    number = await make_sprint(bot)
    answer = await say_and_read(bot, number, f"/agile config set {typed}")

    assert copied_lines(answer) == ([f"/agile config set {copied}"] if copied else [])
    if copied:
        assert "This applies from now on" in await say_and_read(bot, number, *copied_lines(answer))


async def test_a_cadence_is_read_in_words(bot: Bot) -> None:
    number = await make_sprint(bot)

    assert "2 weeks" in await say_and_read(bot, number, "/agile config set cadence fortnightly")
