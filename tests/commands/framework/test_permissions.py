"""Permission levels from GitHub's answers."""

from typing import Any

import pytest

from commands.framework.permissions import Level, parse_level


@pytest.mark.parametrize(
    ("role", "level"),
    [
        ("admin", Level.ADMIN),
        ("maintain", Level.MAINTAIN),
        ("write", Level.WRITE),
        ("triage", Level.TRIAGE),
        ("read", Level.READ),
        ("none", Level.NONE),
        ("Admin", Level.ADMIN),
    ],
)
def test_the_role_counts(role: str, level: Level) -> None:
    assert parse_level({"role_name": role, "permission": "read"}) is level


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ({"pull": True, "triage": True, "push": True, "maintain": True, "admin": False}, Level.MAINTAIN),
        ({"pull": True, "triage": True, "push": False}, Level.TRIAGE),
        ({"pull": True}, Level.READ),
        ({"admin": True}, Level.ADMIN),
    ],
)
def test_a_custom_role_is_its_highest_flag(flags: dict[str, bool], level: Level) -> None:
    answer = {"role_name": "release-crew", "permission": "admin", "user": {"permissions": flags}}

    assert parse_level(answer) is level


@pytest.mark.parametrize(
    ("permission", "level"),
    [("admin", Level.ADMIN), ("write", Level.WRITE), ("read", Level.READ), ("none", Level.NONE)],
)
def test_without_flags_the_base_permission_counts(permission: str, level: Level) -> None:
    assert parse_level({"role_name": "release-crew", "permission": permission}) is level
    assert parse_level({"permission": permission, "user": {"permissions": {}}}) is level


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"permission": "everything"},
        {"permission": None, "role_name": None, "user": None},
        {"role_name": 5, "permission": ["admin"]},
        {"user": {"permissions": {"admin": "true", "push": 1}}},
        {"user": {"permissions": "admin"}},
        {"user": []},
    ],
)
def test_what_is_not_understood_allows_nothing(answer: dict[str, Any]) -> None:
    assert parse_level(answer) is Level.NONE


def test_each_level_includes_those_below() -> None:
    assert sorted(Level) == [
        Level.NONE,
        Level.READ,
        Level.TRIAGE,
        Level.WRITE,
        Level.MAINTAIN,
        Level.ADMIN,
    ]
