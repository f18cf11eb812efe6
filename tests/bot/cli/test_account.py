"""`python -m bot plan` and `usage`, as an operator runs them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.account import plan_lines
from storage.subscriptions import PendingChange, Subscription
from tests.support.billing_messages import make_billing, make_subscription
from tests.support.cli import run_cli, write_recording


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("b")
    done = run_cli(folder, "replay", str(write_recording(folder)))
    assert done.returncode == 0, done.stderr
    return folder


SHOP = {"MARKETPLACE_WEBHOOK_SECRET": "s", "MARKETPLACE_PLAN_IDS": "1313=pro"}


@pytest.mark.parametrize(
    ("environment", "is_on"), [({}, True), (SHOP, False), (SHOP | {"BILLING": "off"}, True)]
)
def test_the_plan_as_json(replayed: Path, environment: dict[str, str], is_on: bool) -> None:
    done = run_cli(replayed, "plan", "--account", "Acme", "--json", **environment)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data.pop("features") == dict.fromkeys(["forecasts", "flow", "audit"], is_on)
    assert data == {
        "account": "acme",
        "plan": "free",
        "source": None,
        "status": "none",
        "seats": {"paid": None, "used": 0},
        "trial_ends": None,
        "period_end": None,
        "pending": None,
    }


def test_the_usage_as_json_and_in_words(replayed: Path) -> None:
    done = run_cli(replayed, "usage", "--account", "acme", "--json")
    assert json.loads(done.stdout)["usage"] == {
        "projects_created": 1,
        "commands_answered": 0,
        "api_calls": 0,
    }
    done = run_cli(replayed, "usage", "--account", "acme")
    assert done.stdout.startswith("acme: Free\nseats: 0 used\n")
    assert "repositories added, this month: 1" in done.stdout


@pytest.mark.parametrize("command", ["plan", "usage"])
def test_an_unknown_account_is_stated(replayed: Path, command: str) -> None:
    done = run_cli(replayed, command, "--account", "nobody", "--json")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (
        1,
        "",
        "there is no data for the account nobody",
    )


@pytest.mark.parametrize("command", ["plan", "usage"])
def test_help_shows_an_example(tmp_path: Path, command: str) -> None:
    done = run_cli(tmp_path, command, "--help")
    assert f"Example: python -m bot {command} --account acme --json" in " ".join(done.stdout.split())
    assert run_cli(tmp_path, command).returncode == 2


def test_account_without_card_has_no_portal(replayed: Path) -> None:
    done = run_cli(replayed, "plan", "--account", "acme", "--portal-link")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", "acme has never paid by card")


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("subscription", "lines"),
    [
        (
            make_subscription(
                "stripe", quantity=5, period_end=NOW, pending=PendingChange("pro", 3, NOW, is_yearly=False)
            ),
            [
                "acme: Pro, active, by stripe",
                "seats: 1 used, 5 paid for",
                "period ends: 2026-11-23T12:00:00+00:00",
                "pending: pro, 3 seats, monthly, from 2026-11-23T12:00:00+00:00",
            ],
        ),
        (
            make_subscription("stripe", "past_due", quantity=5, past_due_since=NOW - DAY),
            [
                "acme: Pro, past_due, by stripe",
                "seats: 1 used, 5 paid for",
                "payment due; grace period ends: 2026-12-06T12:00:00+00:00",
            ],
        ),
        (
            make_subscription(pending=PendingChange(None, None, NOW)),
            [
                "acme: Pro, active, by marketplace",
                "seats: 1 used, any number paid for",
                "pending: cancelled, from 2026-11-23T12:00:00+00:00",
            ],
        ),
        (make_subscription(plan="free"), ["acme: Free, active, by marketplace", "seats: 1 used"]),
        (make_subscription("stripe", "paused"), ["acme: Free, paused", "seats: 1 used"]),
    ],
)
def test_the_plan_in_words(subscription: Subscription, lines: list[str]) -> None:
    assert plan_lines(make_billing(subscription, people=1)) == lines
