"""`app.yml` asks GitHub for exactly what the code uses."""

from pathlib import Path

import yaml

from bot.github.app_manifest import EVENTS, PERMISSIONS
from handlers import ROUTES

MANIFEST = Path(__file__).parents[1] / "app.yml"


# GitHub sends these to every App; they cannot be asked for.
ALWAYS_SENT = {"installation", "installation_repositories"}


def test_subscribed_events_are_those_that_are_handled() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text())
    assert set(manifest["default_events"]) == {event for event, _ in ROUTES} - ALWAYS_SENT


def test_permissions_are_those_that_the_calls_need() -> None:
    """Comments and reactions write; the permission of a caller needs metadata. Pushes, releases and
    deployments are told only to those who may read contents and deployments. Check runs need checks, a pull
    request for the settings file contents, and an override for a team members."""
    manifest = yaml.safe_load(MANIFEST.read_text())
    assert manifest["default_permissions"] == {
        "issues": "write",
        "pull_requests": "write",
        "metadata": "read",
        "contents": "write",
        "checks": "write",
        "members": "read",
        "deployments": "read",
        "merge_queues": "read",
        "organization_projects": "read",
    }


def test_permissions_and_events_are_those_that_are_declared() -> None:
    """Whoever adds one declares it with what it is for: health and doctor say it of accounts that lack it."""
    manifest = yaml.safe_load(MANIFEST.read_text())
    assert manifest["default_permissions"] == {name: level for name, (level, _) in PERMISSIONS.items()}
    assert set(manifest["default_events"]) == set(EVENTS)
    purposes = [purpose for _, purpose in (*PERMISSIONS.values(), *EVENTS.values())]
    assert all(len(purpose) > 10 and not purpose.startswith("to ") for purpose in purposes)
    assert {permission for permission, _ in EVENTS.values()} <= set(PERMISSIONS)


def test_every_permission_and_event_has_its_reason() -> None:
    lines = MANIFEST.read_text().splitlines()
    begin = lines.index("default_permissions:")
    entries = [i for i, line in enumerate(lines) if i > begin and line.startswith("  ") and "#" not in line]
    assert entries
    assert all(lines[i - 1].strip().startswith("#") for i in entries)
