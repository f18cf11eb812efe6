"""The parser of settings: every key has a typed value, and malformed values have their defaults."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.facts import Amount
from sprints.late import LateCredit
from sprints.quiet import QuietHours, QuietRules
from sprints.settings_parser import parse_settings, parse_shared_repositories
from sprints.team_settings import CheckSettings, CommandRule, CommandSettings

DEFAULT = parse_settings({})

_KEYS = st.sampled_from(
    [
        "timezone", "working_days", "holidays", "days_off", "sizes", "estimate_labels", "done_labels",
        "started_labels", "teams", "wip", "alerts", "quiet", "quiet_hours", "paused", "standup", "tracking",
        "threads", "summaries", "checks", "charts", "locale", "late", "goals", "commands", "roles", "bots",
        "strangers", "public", "sprints", "people", "cadence", "other",
    ]
)  # fmt: skip
_NAMES = st.sampled_from(
    [
        "from",
        "to",
        "until",
        "zone",
        "every",
        "starts",
        "person",
        "name",
        "limit",
        "teams",
        "people",
        "labels",
        "7",
        "07",
        "short",
        "users",
    ]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["on", "off", "issue", "2026-12-01", "08:00", "9:30+01:00", "UTC", "#7", "٧"])
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_NAMES | st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=6))
def test_any_json_is_parsed_without_an_error(raw: dict[str, Any]) -> None:
    settings = parse_settings(raw)
    parse_shared_repositories(raw)
    assert parse_settings(raw) == settings
    settings.quiet.is_quiet_hour(time(8))


@pytest.mark.parametrize(
    "key", ["paused", "standup", "tracking", "threads", "summaries", "checks", "charts", "locale", "late"]
)
@pytest.mark.parametrize("value", [None, 0, 2.5, [], ["x"], {}, {"x": "y"}])
def test_a_malformed_value_has_its_default(key: str, value: object) -> None:
    parsed = parse_settings({key: value})
    assert parsed == DEFAULT


@pytest.mark.parametrize(
    ("value", "tracking"),
    [
        (7, 7),
        ("7", 7),
        ("#7", 7),
        ("issue", "issue"),
        ("off", "off"),
        (False, "off"),
        (True, None),
        (-1, None),
    ],
)
def test_where_sprints_are_tracked(value: object, tracking: object) -> None:
    assert parse_settings({"tracking": value}).tracking == tracking


def test_threads_and_milestones_are_by_number() -> None:
    settings = parse_settings(
        {
            "threads": {"5": 7, "05": 8, "x": 9, "6": True, "7": "8"},
            "goals": {"5": "met", "x": "missed"},
            "late": {"5": {"points": "3.5", "count": 2, "items": [1, 2]}, "6": {"points": 3}},
            "quiet": {"7": "on", "8": "2026-12-01", "9": "off", "x": "on"},
        }
    )
    assert settings.tracking_threads == {5: 7}
    assert settings.goal_verdicts == {5: "met"}
    assert settings.late_credits == {5: LateCredit(Amount(Decimal("3.5"), 2), (1, 2))}
    assert settings.quiet == QuietRules({7: date.max, 8: date(2026, 12, 1)})


def test_quiet_hours_have_no_time_zone_of_their_own() -> None:
    quiet = parse_settings({"quiet_hours": {"from": "18:00+01:00", "until": "8:00"}}).quiet
    assert quiet.hours == QuietHours(time(18), time(8))


@pytest.mark.parametrize(
    ("value", "summaries"),
    [("issue", "issue"), ("release", "release"), ("off", "off"), (False, "off"), ("never", "tracking")],
)
def test_where_sprints_are_summed_up(value: object, summaries: str) -> None:
    assert parse_settings({"summaries": value}).summaries == summaries


@pytest.mark.parametrize(
    ("value", "checks"),
    [
        (None, CheckSettings(is_off=False, exempts_bots=True, requires_sprint_item=False)),
        ("off", CheckSettings(is_off=True, exempts_bots=True, requires_sprint_item=False)),
        (
            {"exempt_bots": False, "require_sprint_item": True},
            CheckSettings(is_off=False, exempts_bots=False, requires_sprint_item=True),
        ),
        (
            {"exempt_bots": "no", "require_sprint_item": "yes"},
            CheckSettings(is_off=False, exempts_bots=True, requires_sprint_item=False),
        ),
    ],
)
def test_the_settings_of_the_check(value: object, checks: CheckSettings) -> None:
    assert parse_settings({"checks": value}).checks == checks


def test_the_settings_of_commands() -> None:
    raw = {
        "commands": {
            "short": False,
            "sprint close": {"role": "Admin", "teams": ["Leads", 5], "users": ["@Author"], "short": True},
            "estimate": {"name": "points", "short": "yes", "role": None},
            "help": "always",
        },
        "roles": {"Carol": "maintain", "dave": None},
        "bots": ["Renovate[bot]", 5],
        "strangers": "silence",
        "public": "read",
    }
    assert parse_settings(raw).commands == CommandSettings(
        rules={
            "sprint close": CommandRule("admin", frozenset({"leads"}), frozenset({"@author"}), True),
            "estimate": CommandRule(name="points"),
        },
        has_short_forms=False,
        roles={"carol": "maintain", "dave": ""},
        bots=frozenset({"renovate[bot]"}),
        answers_strangers=False,
        is_public_readable=True,
    )
    assert DEFAULT.commands == CommandSettings({}, True, {}, frozenset(), True, False)


@pytest.mark.parametrize("value", [None, [], {"repositories": "web"}, {"repositories": []}])
def test_without_a_list_no_sprints_are_shared(value: object) -> None:
    assert parse_shared_repositories({"sprints": value}) == ()


def test_the_repositories_that_share_sprints() -> None:
    assert parse_shared_repositories({"sprints": {"repositories": ["Web", "api"]}}) == ("web", "api")
