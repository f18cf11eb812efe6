"""Days as a team counts them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.calendar import Calendar, days_between
from tests.support.builders import at
from tests.support.sprints_strategies import calendars


def test_monday_to_friday_are_working_days() -> None:
    week = days_between(date(2026, 11, 16), date(2026, 11, 22))

    assert [Calendar().is_working_day(day) for day in week] == [True] * 5 + [False] * 2


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
    calendar = Calendar.of(ZoneInfo(zone))
    begin = calendar.midnight(date.fromisoformat(day)).astimezone(UTC)
    end = calendar.midnight(date.fromisoformat(day) + timedelta(days=1)).astimezone(UTC)

    assert (end - begin) / timedelta(hours=1) == hours


def test_midnight_itself_belongs_to_the_day_that_begins() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    calendar = Calendar.of(berlin)

    assert calendar.next_midnight(at("2026-11-15T23:00Z")) == datetime(2026, 11, 17, tzinfo=berlin)
    assert calendar.next_midnight(at("2026-11-15T22:59:59Z")) == datetime(2026, 11, 16, tzinfo=berlin)


@pytest.mark.parametrize("before", ["Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"])
@pytest.mark.parametrize("after", ["Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"])
def test_a_team_that_moves_leaves_the_days_that_are_over_alone(before: str, after: str) -> None:
    moved_on = date(2026, 11, 18)
    calendar = Calendar(((date.min, ZoneInfo(before)), (moved_on, ZoneInfo(after))))
    old, new = Calendar.of(ZoneInfo(before)), Calendar.of(ZoneInfo(after))

    for day in days_between(date(2026, 11, 15), date(2026, 11, 21)):
        assert calendar.midnight(day) == (old if day < moved_on else new).midnight(day)
        assert calendar.day_of(calendar.midnight(day)) == day
        assert calendar.day_of(calendar.midnight(day) - timedelta(seconds=1)) == day - timedelta(days=1)


def test_holidays_and_the_team_s_own_week() -> None:
    sunday_to_thursday = Calendar(weekdays={6, 0, 1, 2, 3}, holidays={date(2026, 11, 18)})
    week = days_between(date(2026, 11, 16), date(2026, 11, 22))

    assert [sunday_to_thursday.is_working_day(day) for day in week] == [
        True,
        True,
        False,
        True,
        False,
        False,
        True,
    ]


MOVING = Calendar(((date.min, ZoneInfo("Europe/Berlin")), (date(2026, 12, 1), ZoneInfo("Asia/Tokyo"))))


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-18T12:00Z", "2026-11-18T13:00:00+01:00"),
        ("2026-11-30T14:59Z", "2026-11-30T15:59:00+01:00"),
        ("2026-11-30T15:00Z", "2026-12-01T00:00:00+09:00"),
        ("2027-01-05T12:00Z", "2027-01-05T21:00:00+09:00"),
    ],
)
def test_the_zone_in_force_at_a_moment_is_the_one_that_shows_it(moment: str, shown: str) -> None:
    assert MOVING.local(at(moment)).isoformat() == shown


@given(calendars(), st.datetimes(datetime(2026, 10, 1), datetime(2027, 2, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_is_shown_on_the_day_that_holds_it(calendar: Calendar, moment: datetime) -> None:
    local, day = calendar.local(moment), calendar.day_of(moment)
    assert local == moment
    assert local.tzinfo == calendar.zone_of(day)
    assert calendar.midnight(day) <= moment
    # Only on the day of a move can a clock show another date: that day may be shorter or longer.
    assert local.date() == day or day in {since for since, _ in calendar.zones}
    assert not any(calendar.midnight(day + timedelta(days=n)) <= moment for n in (1, 2, 3))
