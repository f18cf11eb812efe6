"""Days as a team counts them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sprints.calendar import days_between, is_working_day, local_midnight, next_midnight
from tests.builders import at


def test_monday_to_friday_are_working_days() -> None:
    week = days_between(date(2026, 11, 16), date(2026, 11, 22))

    assert [is_working_day(day) for day in week] == [True] * 5 + [False] * 2


def test_both_ends_are_between() -> None:
    assert days_between(date(2026, 2, 28), date(2026, 3, 1)) == [date(2026, 2, 28), date(2026, 3, 1)]
    assert days_between(date(2026, 3, 1), date(2026, 2, 27)) == []


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", "2026-10-25", 24),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Los_Angeles", "2026-11-01", 25),
        ("Africa/Cairo", "2026-04-24", 23),  # its clocks change at midnight
        ("America/Santiago", "2026-09-06", 23),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
    ],
)
def test_a_day_is_as_long_as_it_is_there(zone: str, day: str, hours: float) -> None:
    begin = local_midnight(date.fromisoformat(day), ZoneInfo(zone)).astimezone(UTC)
    end = local_midnight(date.fromisoformat(day) + timedelta(days=1), ZoneInfo(zone)).astimezone(UTC)

    assert (end - begin) / timedelta(hours=1) == hours


def test_midnight_itself_belongs_to_the_day_that_begins() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    assert next_midnight(at("2026-11-15T23:00Z"), berlin) == datetime(2026, 11, 17, tzinfo=berlin)
    assert next_midnight(at("2026-11-15T22:59:59Z"), berlin) == datetime(2026, 11, 16, tzinfo=berlin)
