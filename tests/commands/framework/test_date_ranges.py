"""Ranges of days as people write them: across the end of a year, abbreviated, and with two readings."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from commands.framework.date_ranges import read_days
from commands.framework.dates import TooFarError
from commands.framework.input_settings import InputSettings
from sprints.calendar import FIRST_DAY, LAST_DAY

TODAY = date(2026, 11, 25)  # A Wednesday.
DAYS = st.dates(FIRST_DAY + timedelta(days=366), LAST_DAY - timedelta(days=366))


def list_ranges(text: str, today: date = TODAY, *, is_past: bool = False) -> list[str]:
    ranges = read_days(text, InputSettings(today), is_past=is_past)
    return [f"{first.isoformat()}..{last.isoformat()}" for first, last in ranges]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("24.12.-2.1.", "2026-12-24..2027-01-02"),
        ("24.–26.12.", "2026-12-24..2026-12-26"),
        ("2026-12-24 to 2027-01-02", "2026-12-24..2027-01-02"),
        ("2026-12-24..2027-01-02", "2026-12-24..2027-01-02"),
        ("24 Dec – 2 Jan", "2026-12-24..2027-01-02"),
        ("Dec 24-26", "2026-12-24..2026-12-26"),
        ("24 Dec", "2026-12-24..2026-12-24"),
        ("fri-mon", "2026-11-27..2026-11-30"),
        # The first half is abbreviated.
        ("28-2 jan", "2026-12-28..2027-01-02"),
        ("28.-2.1.", "2026-12-28..2027-01-02"),
        ("28-2 Jan 2031", "2030-12-28..2031-01-02"),
        ("24th to 26th of dec", "2026-12-24..2026-12-26"),
        ("30-2 mar 2028", None),
        ("24-29 feb", "2028-02-24..2028-02-29"),
        # The last half is.
        ("2026-12-24 - 26", "2026-12-24..2026-12-26"),
        ("2026-12-24..26", "2026-12-24..2026-12-26"),
        ("2026-12-24/26", "2026-12-24..2026-12-26"),
        ("2026-12-28 - 2", "2026-12-28..2027-01-02"),
        ("2026-12-28 to 01-02", "2026-12-28..2027-01-02"),
        ("2026-12-28..12-30", "2026-12-28..2026-12-30"),
        ("Dec 28-2", "2026-12-28..2027-01-02"),
        ("dec 24th - 26th", "2026-12-24..2026-12-26"),
        ("28 dec - 2", "2026-12-28..2027-01-02"),
        ("24.12. - 26.", "2026-12-24..2026-12-26"),
        ("Dec 24-26, 2030", "2030-12-24..2030-12-26"),
        ("feb 27-30", None),
        ("Mon 28 Dec - Wed 30", "2026-12-28..2026-12-30"),
        ("Mon 28 Dec - Thu 30", None),
        # A year stands once.
        ("28 Dec 2030 - 2 Jan", "2030-12-28..2031-01-02"),
        ("28 Dec - 2 Jan 2031", "2030-12-28..2031-01-02"),
        ("1 Dec - 3 Dec 2031", "2031-12-01..2031-12-03"),
        # Reversed halves are no range of almost a year.
        ("26 Dec - 24 Dec", None),
        ("2026-12-26..2026-12-24", None),
        ("24-26", None),
        ("tomorrow - 5", None),
    ],
)
def test_a_range_is_read(text: str, days: str | None) -> None:
    if days is None:
        with pytest.raises(ValueError, match=r".*"):
            list_ranges(text)
    else:
        assert list_ranges(text) == [days]


@pytest.mark.parametrize(
    ("text", "today", "days"),
    [
        # The year behind may be that of the first day or that of the last one.
        ("Dec 28-2, 2030", TODAY, ["2030-12-28..2031-01-02", "2029-12-28..2030-01-02"]),
        # The day or the month may come first.
        ("5-1/2", TODAY, ["2027-01-05..2027-02-01", "2026-12-05..2027-01-02"]),
        # The range runs today.
        ("24.-26.12.", date(2026, 12, 25), ["2026-12-24..2026-12-26", "2027-12-24..2027-12-26"]),
        ("28-2 jan", date(2027, 1, 1), ["2026-12-28..2027-01-02", "2027-12-28..2028-01-02"]),
        ("28 dec - 2 jan", date(2026, 12, 30), ["2026-12-28..2027-01-02", "2027-12-28..2028-01-02"]),
    ],
)
def test_where_two_readings_are_possible_both_are_named(text: str, today: date, days: list[str]) -> None:
    assert list_ranges(text, today) == days


def test_in_questions_about_the_past_the_latest_range_is_meant() -> None:
    assert list_ranges("28-2 jan", is_past=True) == ["2025-12-28..2026-01-02"]
    assert list_ranges("24-26 nov", is_past=True) == ["2026-11-24..2026-11-26", "2025-11-24..2025-11-26"]


@pytest.mark.parametrize("text", ["2100-12-28 - 2", "28-2 Jan 2000"])
def test_a_range_that_leaves_the_years_is_refused_for_that(text: str) -> None:
    with pytest.raises(TooFarError, match="Use a date from 2000 to 2100"):
        list_ranges(text)


@given(DAYS, st.integers(0, 27), DAYS)
def test_an_abbreviated_half_is_the_day_beside_the_other_half(first: date, length: int, today: date) -> None:
    last = first + timedelta(days=length)
    days = f"{first.isoformat()}..{last.isoformat()}"
    begin, end = f"{first.day} {first:%b}", f"{last.day} {last:%b}"

    assert list_ranges(f"{first.isoformat()} - {last.day}", today) == [days]
    assert list_ranges(f"{begin} {first.year} - {last.day}", today) == [days]
    assert list_ranges(f"{first.day}-{end} {last.year}", today) == [days]
    assert list_ranges(f"{begin} {first.year} - {end}", today) == [days]
    assert list_ranges(f"{begin} - {end} {last.year}", today) == [days]
    assert days in list_ranges(f"{first:%b} {first.day}-{last.day}, {first.year}", today)
    assert days in list_ranges(f"{first:%b} {first.day}-{last.day}, {last.year}", today)


@given(DAYS, st.integers(1, 27), st.integers(-20, 300))
def test_without_a_year_the_range_that_has_not_ended_is_among_the_readings(
    first: date, length: int, until: int
) -> None:
    last, today = first + timedelta(days=length), first - timedelta(days=until)
    assume(today <= last and 29 not in {first.day, last.day})
    texts = (
        f"{first.day}-{last.day} {last:%b}",
        f"{first:%b} {first.day}-{last.day}",
        f"{first.day} {first:%b} - {last.day} {last:%b}",
    )
    for text in texts:
        days = list_ranges(text, today)
        assert days[0] == f"{first.isoformat()}..{last.isoformat()}"
        assert len(days) == (2 if first < today else 1)


@pytest.mark.parametrize(
    ("text", "today", "days"),
    [
        ("next week", date(2026, 12, 1), ["2026-12-07..2026-12-11"]),
        ("the whole next week", date(2026, 12, 1), ["2026-12-07..2026-12-11"]),
        ("this week", date(2026, 12, 1), ["2026-12-01..2026-12-04"]),
        ("rest of the week", date(2026, 12, 1), ["2026-12-01..2026-12-04"]),
        ("next month", date(2026, 12, 1), ["2027-01-01..2027-01-31"]),
        ("this month", date(2026, 12, 1), ["2026-12-01..2026-12-31"]),
        ("this weekend", date(2026, 12, 1), ["2026-12-05..2026-12-06"]),
        ("weekend", date(2026, 12, 6), ["2026-12-06..2026-12-06"]),
        ("next weekend", date(2026, 12, 5), ["2026-12-12..2026-12-13"]),
        ("next weekend", date(2026, 12, 1), ["2026-12-05..2026-12-06", "2026-12-12..2026-12-13"]),
    ],
)
def test_a_week_a_month_and_a_weekend_are_ranges(text: str, today: date, days: list[str]) -> None:
    assert list_ranges(text, today) == days


@given(DAYS, st.sampled_from(["this", "next"]), st.sampled_from(["week", "month", "weekend"]))
def test_a_period_lies_ahead_and_is_no_longer_than_its_kind(today: date, which: str, unit: str) -> None:
    most = {"week": 5, "weekend": 2, "month": 31}[unit]
    for first, last in read_days(f"{which} {unit}", InputSettings(today)):
        assert today <= first <= last
        assert (last - first).days < most
        assert unit == "month" or (first.weekday() >= 5) == (unit == "weekend")
