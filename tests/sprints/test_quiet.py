"""When nothing is said unasked."""

from datetime import date, time

import pytest

from sprints.settings_parser import parse_settings

TODAY = date(2026, 11, 18)


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), (None, False), ("yes", False)])
def test_paused(value: object, expected: bool) -> None:
    assert parse_settings({"paused": value}).is_paused is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"7": "on"}, True),
        ({"7": True}, True),
        ({"7": "2026-11-19"}, True),
        ({"7": "2026-11-18"}, False),
        ({"7": "off"}, False),
        ({"8": "on"}, False),
        ({"7": ["on"]}, False),
        (["7"], False),
        (None, False),
    ],
)
def test_a_quiet_thread(value: object, expected: bool) -> None:
    assert parse_settings({"quiet": value}).quiet.is_quiet_thread(7, TODAY) is expected


@pytest.mark.parametrize(
    ("begin", "end", "now", "expected"),
    [
        ("18:00", "08:00", time(18), True),
        ("18:00", "08:00", time(7, 59), True),
        ("18:00", "08:00", time(8), False),
        ("12:00", "13:00", time(12, 30), True),
        ("12:00", "13:00", time(13), False),
        ("9:00", "10:00", time(9, 30), True),
        ("12:00", "12:00", time(12), False),
        ("noon", "13:00", time(12, 30), False),
    ],
)
def test_quiet_hours(begin: str, end: str, now: time, expected: bool) -> None:
    quiet = parse_settings({"quiet_hours": {"from": begin, "until": end}}).quiet
    assert quiet.is_quiet_hour(now) is expected


@pytest.mark.parametrize("value", [None, "night", {}, {"from": "18:00"}])
def test_what_cannot_be_understood_silences_nothing(value: object) -> None:
    assert not parse_settings({"quiet_hours": value}).quiet.is_quiet_hour(time(3))


@pytest.mark.parametrize(
    ("value", "expected"), [("9:30", time(9, 30)), ("off", None), (None, None), (True, None), (930, None)]
)
def test_standup_time_is_read_from_settings(value: object, expected: time | None) -> None:
    assert parse_settings({"standup": value}).standup_at == expected
