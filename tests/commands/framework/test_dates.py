"""Days as people write them, in the order of the team's locale."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charts.locales import LOCALES, find_locale, use_locale
from commands.formatting.wording import full_day, weekday
from commands.framework.date_ranges import read_days
from commands.framework.dates import read_day
from commands.framework.input_settings import InputSettings
from sprints.calendar import FIRST_DAY, LAST_DAY

TODAY = date(2026, 11, 25)  # A Wednesday.
DAYS = st.dates(FIRST_DAY, LAST_DAY)


def team(locale: str | None = None, today: date = TODAY) -> InputSettings:
    return InputSettings(today, find_locale(locale, today) if locale else None)


def readings(text: str, locale: str | None = None, *, is_past: bool = False) -> list[str]:
    return [day.isoformat() for day in read_day(text, team(locale), is_past=is_past)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-16", "2026-12-16"),
        ("２０２６-12–16.", "2026-12-16"),
        ("2026/12/16", "2026-12-16"),
        ("25.11.2026", "2026-11-25"),
        ("25. 11. 2026", "2026-11-25"),
        ("25.11.", "2026-11-25"),
        ("24.11.", "2027-11-24"),
        ("11/26", "2026-11-26"),
        ("11/25/2026", "2026-11-25"),
        ("25-11-2026", "2026-11-25"),
        ("1.2.27", "2027-02-01"),
        ("26 Nov", "2026-11-26"),
        ("26. November", "2026-11-26"),
        ("Nov 26th, 2026", "2026-11-26"),
        ("Fri, 27 Nov", "2026-11-27"),
        ("today", "2026-11-25"),
        ("tomorrow!", "2026-11-26"),
        ("the day after tomorrow", "2026-11-27"),
        ("wednesday", "2026-11-25"),
        ("next wednesday", "2026-12-02"),
        ("next friday", "2026-11-27"),
        ("this fri", "2026-11-27"),
        ("in 2 weeks", "2026-12-09"),
        ("in a month", "2026-12-25"),
        ("+10d", "2026-12-05"),
        ("10 days", "2026-12-05"),
        ("end of month", "2026-11-30"),
        ("end of next month", "2026-12-31"),
        ("end of the week", "2026-11-27"),
        ("eom", "2026-11-30"),
        ("29 Feb", "2028-02-29"),
    ],
)
def test_a_day_is_read(text: str, day: str) -> None:
    assert readings(text) == [day]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("24.11.", "2026-11-24"),
        ("26 Nov", "2025-11-26"),
        ("yesterday", "2026-11-24"),
        ("friday", "2026-11-20"),
        ("3 days ago", "2026-11-22"),
        ("last wednesday", "2026-11-18"),
        ("2 weeks", "2026-11-11"),
    ],
)
def test_a_question_about_the_past_takes_the_latest_such_day(text: str, day: str) -> None:
    assert readings(text, is_past=True) == [day]


@pytest.mark.parametrize(
    ("text", "locale", "days"),
    [
        ("01/02", None, ["2027-02-01", "2027-01-02"]),
        ("01/02", "en-US", ["2027-01-02"]),
        ("01/02", "en-GB", ["2027-02-01"]),
        ("01/02", "ja", ["2027-01-02"]),
        ("1.2.", "de", ["2027-02-01"]),
        ("1.2.2027", "en-US", ["2027-01-02", "2027-02-01"]),
        ("25/12", "en-US", ["2026-12-25"]),
        ("12/25", "de", ["2026-12-25"]),
        ("03/03", None, ["2027-03-03"]),
        ("27/1/02", "ja", ["2027-01-02"]),
        ("next week", None, ["2026-11-30", "2026-12-04"]),
    ],
)
def test_the_locale_decides_and_without_one_both_are_possible(
    text: str, locale: str | None, days: list[str]
) -> None:
    assert sorted(readings(text, locale)) == sorted(days)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "someday",
        "friday the 13th",
        "2026-02-30",
        "30 Feb",
        "32.1.",
        "13/13",
        "12",
        "1.2.3.4",
        "Sat 27 Nov 2026",
    ],
)
def test_all_else_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_day(text, team())


@given(DAYS, st.sampled_from(sorted(LOCALES)))
@settings(deadline=None)
def test_what_we_write_is_read_as_the_same_day(day: date, name: str) -> None:
    with use_locale(find_locale(name, TODAY)):
        for text in (day.isoformat(), full_day(day), weekday(day, with_year=True)):
            assert read_day(text, team(name)) == (day,)


@given(DAYS, st.sampled_from(sorted(LOCALES)))
def test_without_a_year_the_nearest_day_on_the_asked_side_is_meant(day: date, name: str) -> None:
    text = f"{day:%d} {day:%b}" if day.day != 29 or day.month != 2 else "28 Feb"
    (later,), (earlier,) = read_day(text, team(name)), read_day(text, team(name), is_past=True)

    assert earlier <= TODAY <= later
    assert (later - TODAY).days < 366
    assert (TODAY - earlier).days < 366


PIECES = st.sampled_from(
    [
        "1",
        "24",
        "12",
        "2026",
        ".",
        "/",
        "-",
        " ",
        "..",
        "to",
        "nov",
        "friday",
        "next",
        "in",
        "weeks",
        "end of",
        "month",
        "9999",
        "+",
        "d",
    ]
)


@given(st.one_of(st.text(max_size=70), st.lists(PIECES, max_size=12).map("".join)), st.booleans(), DAYS)
@settings(deadline=None)
def test_any_text_is_refused_or_read_as_days_in_range(text: str, is_past: bool, today: date) -> None:
    for read in (read_day, read_days):
        try:
            days = read(text, team(today=today), is_past=is_past)
        except ValueError:
            continue
        assert days
        for day in days:
            first, last = day if isinstance(day, tuple) else (day, day)
            assert FIRST_DAY <= first <= last <= LAST_DAY
