"""What a team has settled, and what of a settings file is passed over."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from sprints.calendar import MONDAY_TO_FRIDAY, Calendar
from sprints.rules import STARTED_LABELS, DaysOff, Rules
from sprints.settings_parser import parse_settings


def test_without_settings_the_usual_holds() -> None:
    rules = parse_settings({}).rules

    assert rules.calendar.zones == ((date.min, ZoneInfo("UTC")),)
    assert rules.calendar.weekdays == MONDAY_TO_FRIDAY
    assert (rules.estimates, rules.started_labels) == (Rules().estimates, STARTED_LABELS)


def test_all_that_a_team_can_settle() -> None:
    rules = parse_settings(
        {
            "timezone": "Europe/Berlin",
            "working_days": ["sunday", "Mon", "tue", "WED", "thursday"],
            "holidays": ["2026-12-24", date(2026, 12, 25)],
            "sizes": {"s": 1, "M": "2.5", "XL": 13},
            "estimate_labels": ["effort {points}", "T {size}"],
            "started_labels": ["Doing Now"],
        }
    ).rules

    days = {date(2026, 12, 24), date(2026, 12, 25)}
    assert rules.calendar == Calendar(
        ((date.min, ZoneInfo("Europe/Berlin")),), frozenset({6, 0, 1, 2, 3}), days
    )
    assert rules.estimates.sizes == {"S": Decimal(1), "M": Decimal("2.5"), "XL": Decimal(13)}
    assert rules.estimates.points_of("Effort 3") == 3
    assert rules.started_labels == {"doing now"}


def test_a_team_that_has_moved() -> None:
    moves = [{"from": "2026-11-19", "zone": "America/Los_Angeles"}, {"zone": "Europe/Berlin"}]

    assert parse_settings({"timezone": moves}).rules.calendar.zones == (
        (date.min, ZoneInfo("Europe/Berlin")),
        (date(2026, 11, 19), ZoneInfo("America/Los_Angeles")),
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"timezone": "Europe/Atlantis"},
        {"timezone": "../../etc/passwd"},
        {"timezone": "Europe"},
        {"timezone": 5},
        {"timezone": ["UTC", {"zone": None}, {}]},
        {"working_days": []},
        {"working_days": ["never"]},
        {"working_days": "mon"},
        {"holidays": ["soon", None, 5, "2026-02-30"]},
        {"holidays": "2026-12-24"},
        {"sizes": {"M": "many", "L": "NaN", "S": -1, "XL": 10_000, "XS": None, "XXL": True}},
        {"sizes": ["M"]},
        {"estimate_labels": [5, None]},
        {"started_labels": [5]},
    ],
)
def test_what_cannot_be_understood_is_passed_over(settings: dict[str, object]) -> None:
    assert parse_settings(settings) == parse_settings({})


def test_days_off_are_holidays_too() -> None:
    data = [{"from": "2026-12-24", "to": "2026-12-26", "name": "Christmas"}, {"from": "2026-12-31"}]
    settings: dict[str, object] = {"holidays": ["2027-01-01"], "days_off": data}

    assert parse_settings(settings).days_off == (
        DaysOff(date(2026, 12, 24), date(2026, 12, 26), "Christmas"),
        DaysOff(date(2026, 12, 31), date(2026, 12, 31)),
    )
    assert parse_settings(settings).rules.calendar.holidays == {
        *(date(2026, 12, day) for day in (24, 25, 26, 31)),
        date(2027, 1, 1),
    }


@pytest.mark.parametrize(
    "case",
    [
        None,
        "2026-12-24",
        {},
        {"to": "2026-12-24"},
        {"from": "never"},
        {"from": "2026-12-24", "to": "2026-12-23"},
        {"from": "2026-12-24", "to": "2036-12-24"},
        {"from": "2026-12-24", "to": None},
    ],
)
def test_what_are_no_days_off_is_passed_over(case: object) -> None:
    assert parse_settings({"days_off": [case]}).days_off == ()
    assert parse_settings({"days_off": case}).days_off == ()
