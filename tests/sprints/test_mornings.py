"""The mornings on which a team hears of what was crossed."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from sprints.calendar import Calendar
from sprints.quiet import QuietRules
from sprints.settings_parser import parse_settings
from tests.support.builders import at


@pytest.mark.parametrize(
    ("quiet_hours", "expected"),
    [
        (None, time(8)),
        ({"from": "20:00", "until": "07:00"}, time(8)),
        ({"from": "20:00", "until": "09:30"}, time(9, 30)),
        ({"from": "08:00", "until": "08:15"}, time(8, 15)),
        ({"from": "12:00", "until": "13:00"}, time(8)),
        ("always", time(8)),
    ],
)
def test_a_morning_begins_at_eight_or_when_quiet_hours_end(quiet_hours: object, expected: time) -> None:
    assert parse_settings({"quiet_hours": quiet_hours}).quiet.morning == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("11-18 07:59", False),
        ("11-18 08:00", True),
        ("11-18 11:59", True),
        ("11-18 12:00", False),
        ("11-18 02:14", False),
        ("11-21 09:00", False),  # A Saturday.
    ],
)
def test_it_is_morning_for_four_hours_of_a_working_day(moment: str, expected: bool) -> None:
    assert QuietRules().is_morning(at(moment), Calendar()) is expected


def test_it_is_morning_by_the_team_s_clock() -> None:
    there = Calendar.of(ZoneInfo("America/New_York"))
    assert not QuietRules().is_morning(at("11-18 09:00"), there)
    assert QuietRules().is_morning(at("11-18 13:00"), there)


def test_quiet_hours_that_end_late_leave_the_rest_of_the_day() -> None:
    quiet = parse_settings({"quiet_hours": {"from": "06:00", "until": "22:00"}}).quiet
    assert quiet.is_morning(at("11-18 23:30"), Calendar())
    assert not quiet.is_morning(at("11-19 00:30"), Calendar())
