"""`/agile health` and `/agile resync`: missing events and their repair."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.cli.doctor import examine
from bot.cli.grant_findings import installation_findings
from bot.github.app_manifest import (
    EVENTS,
    PERMISSIONS,
    grants_of_app,
    grants_of_installation,
    missing_events,
    missing_permissions,
)
from commands.framework.ports import Health
from commands.messages.health import HealthFacts, health_card
from sprints.calendar import Calendar
from sprints.gaps import EventGap, GapCause
from storage.account_status import AccountStatus
from storage.settings_files import StoredSettingsFile
from tests.support.changes import query_database
from tests.support.conversations import ask_bot, create_thread
from tests.support.repository_settings import push_settings_file
from tests.support.running import Bot
from tests.support.sprints import make_sprint

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WELL = HealthFacts(
    AccountStatus(("push", NOW), 0, 0, (), 0, 3, NOW + timedelta(hours=9), frozenset()),
    Health(4950, 5000, NOW + timedelta(minutes=20), {}),
    (StoredSettingsFile(), StoredSettingsFile()),
    NOW - timedelta(days=3),
    (),
    Calendar.of(ZoneInfo("Europe/Berlin")),
)


async def test_it_tells_how_all_stands(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile health", as_user="dave")

    assert answer.startswith("**All is well.**")
    assert "| Permissions | all granted |" in answer
    # The comment and the issue's own events may be recorded in either order.
    assert re.search(r"\| Last event \| issue(s|\\_comment), ", answer)
    assert "| Events missed | 0 |" in answer
    assert "| Settings | no file |" in answer


async def test_what_the_app_does_not_ask_for_is_the_operator_s_to_add(
    restricted_bot: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    bot = restricted_bot
    answer = await ask_bot(bot, await create_thread(bot), "/agile health")
    assert (
        "- The permission `contents: write` is missing. It lets the App propose changes of the settings file, and write a "
        "summary into a release.\n"
        "- The permission `deployments: read` is missing. It lets the App see how deployments went.\n"
        "- The permission `merge_queues: read` is missing. It lets the App report the check “Sprint impact” where a merge "
        "queue waits for it.\n" in answer
    )
    # An owner cannot accept what the App does not ask for.
    assert answer.count("The people who run the App must first add the missing permissions to it.") == 1
    assert "must accept" not in answer
    findings = await examine(bot.base)
    capsys.readouterr()
    (finding,) = [finding for finding in findings if "permission" in finding]
    assert finding.startswith(
        "the App does not request the permission contents: write (lets it propose changes of the settings "
        "file, and write a summary into a release), the permission deployments: read (lets it see how"
    )
    assert "; add this on the App's page under “Permissions & events”: http" in finding


def test_what_the_app_asks_for_is_the_owner_s_to_accept() -> None:
    api = "https://api.github.com"
    every = {name: level for name, (level, _) in PERMISSIONS.items()}
    few = every | {"contents": "read", "merge_queues": ""}
    app = grants_of_app({"slug": "suite", "permissions": every, "events": list(EVENTS)}, api)
    grants = grants_of_installation(_TEAM | {"permissions": few, "events": list(EVENTS)}, api)
    (finding,) = installation_findings(grants, app)
    page = "https://github.com/organizations/acme/settings/installations/7"
    assert finding == (
        "the App lacks the permission contents: write (lets it propose changes of the settings file, and "
        "write a summary into a release), the permission merge_queues: read (lets it report the check "
        "“Sprint impact” where a merge queue waits for it); an owner of the organization acme must accept "
        f"this: {page}"
    )
    health = replace(WELL.health, missing=grants.missing, owner=grants.owner, url=grants.url)
    card = health_card(replace(WELL, health=health))
    accept = f"An owner of the organization acme must accept the missing permissions on [its page on GitHub]({page})."
    assert card.count(accept) == 1
    assert "The people who run the App" not in card
    # Where only a part is asked for, each has a step to do.
    card = health_card(replace(WELL, health=replace(health, unrequested={"contents: write"})))
    assert (
        "The people who run the App must first add the missing permissions to it. An owner of the organization "
        f"acme must accept the rest on [its page on GitHub]({page})." in card
    )


def test_without_contents_the_settings_file_cannot_be_read_either() -> None:
    every = {name: level for name, (level, _) in PERMISSIONS.items()}
    assert missing_permissions(every | {"contents": ""})["contents: write"].startswith(
        "read the settings file,"
    )
    assert "read" not in missing_permissions(every | {"contents": "read"})["contents: write"]


async def test_doctor_says_so_where_github_cannot_be_asked(
    bot: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    await create_thread(bot)
    await bot.rest()
    bot.github.fail_next("GET", "/app$", 500, times=9)
    findings = await examine(bot.base)
    capsys.readouterr()
    assert any("the App's permissions could not be read from GitHub" in finding for finding in findings)


_USER = {"id": 7, "account": {"login": "ada", "type": "User"}, "target_type": "User"}
_TEAM = {"id": 7, "account": {"login": "acme", "type": "Organization"}, "target_type": "Organization"}


@pytest.mark.parametrize(
    ("installation", "api", "owner", "url"),
    [
        (_TEAM, "https://api.github.com", "an owner of the organization acme", "https://github.com/organizations/acme/settings/installations/7"),
        (_USER, "https://api.github.com", "the owner of the account ada", "https://github.com/settings/installations/7"),
        (_TEAM, "https://git.acme.test/api/v3", "an owner of the organization acme", "https://git.acme.test/organizations/acme/settings/installations/7"),
        (_USER, "https://api.octo.ghe.com", "the owner of the account ada", "https://octo.ghe.com/settings/installations/7"),
        (_USER | {"html_url": "https://other.test/settings/installations/7"}, "https://api.github.com", "the owner of the account ada", "https://other.test/settings/installations/7"),
    ],
)  # fmt: skip
def test_who_accepts_and_where(installation: dict[str, Any], api: str, owner: str, url: str) -> None:
    grants = grants_of_installation(installation, api)
    assert (grants.owner, grants.url) == (owner, url)


def test_an_event_is_named_only_where_its_permission_is_granted() -> None:
    granted = {name: level for name, (level, _) in PERMISSIONS.items()}
    assert missing_events(granted, EVENTS) == {}
    assert list(missing_events(granted, set(EVENTS) - {"merge_group"})) == ["merge_group"]
    assert missing_events(granted | {"merge_queues": ""}, set(EVENTS) - {"merge_group"}) == {}
    # A webhook that says nothing of its events is not said to lack them.
    assert (
        grants_of_installation(_USER | {"permissions": granted}, "https://api.github.com").missing_events
        == {}
    )


def test_a_person_s_account_is_not_asked_for_what_only_organizations_have() -> None:
    granted = {name: level for name, (level, _) in PERMISSIONS.items() if name != "members"}
    api = "https://api.github.com"
    assert grants_of_installation(_USER | {"permissions": granted}, api).missing == {}
    assert list(grants_of_installation(_TEAM | {"permissions": granted}, api).missing) == ["members: read"]


def test_the_operator_s_page_of_the_app() -> None:
    app = {
        "slug": "suite",
        "owner": {"login": "acme", "type": "Organization"},
        "events": [],
        "permissions": {},
    }
    assert grants_of_app(app, "https://api.github.com").url == (
        "https://github.com/organizations/acme/settings/apps/suite/permissions"
    )
    app["owner"] = {"login": "ada", "type": "User"}
    assert grants_of_app(app, "https://git.acme.test/api/v3").url == (
        "https://git.acme.test/settings/apps/suite/permissions"
    )


async def test_other_bots_and_files_are_named(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "approvers: [alice]\n", "OWNERS")
    await push_settings_file(bot, "ai: perhaps\n")
    answer = await ask_bot(bot, number, "/agile health")

    assert "- The repository's `.github/agile.yml` has 1 problem: line 1: `ai`" in answer
    assert "| Other bots | Prow (found by its files)" in answer


def test_when_all_is_well_it_says_so_first() -> None:
    card = health_card(WELL)
    assert card.startswith("**All is well.**")
    assert "| Last event | push, 23 Nov 2026, 10:30 CET |" in card
    assert "| Comparison with GitHub | 3 corrections so far; next on 23 Nov 2026, 19:30 CET |" in card
    assert "| Permissions | all granted |" in card
    assert "Other bots" not in card


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(WELL, status=replace(WELL.status, parked=2)), "- I could not process 2 events because of a bug"),
        (
            replace(WELL, status=replace(WELL.status, missed=(NOW, NOW - timedelta(hours=1)))),
            "- 2 events sent between 23 Nov 2026, 09:30 CET and 23 Nov 2026, 10:30 CET did not arrive.",
        ),
        (replace(WELL, status=replace(WELL.status, refused=1)), "- In the last 7 days, GitHub rejected 1 answer of mine"),
        (replace(WELL, status=replace(WELL.status, waiting=101)), "- 101 events are waiting to be processed"),
        (replace(WELL, health=replace(WELL.health, remaining=499)), "- GitHub allows only 499 more requests"),
        (replace(WELL, health=replace(WELL.health, missing={"checks: write": "tell"})), "- The permission `checks: write` is missing. It lets the App tell."),
        (replace(WELL, files=(StoredSettingsFile(), StoredSettingsFile({}, ("a", "b"), "1"))), "- The organization's `.github/agile.yml` has 2 problems"),
    ],
)  # fmt: skip
def test_each_problem_is_reported_with_its_remedy(facts: HealthFacts, expected: str) -> None:
    card = health_card(facts)
    assert card.startswith("**1 thing needs attention:**")
    assert expected in card


@pytest.mark.parametrize(
    ("running", "expected"),
    [("reconcile", "| Comparison with GitHub | running now; 3 corrections so far |"),
     ("backfill", "| History of this repository | importing now |")],
)  # fmt: skip
def test_health_card_names_running_jobs(running: str, expected: str) -> None:
    assert expected in health_card(replace(WELL, status=replace(WELL.status, running=frozenset({running}))))


def test_a_repository_whose_past_was_never_read_says_so() -> None:
    card = health_card(replace(WELL, synced_at=None, status=replace(WELL.status, newest=None)))
    assert "| History of this repository | not imported yet |" in card
    assert "| Last event | none yet |" in card


SUSPENDED = EventGap(GapCause.SUSPENDED, NOW - timedelta(days=9), NOW - timedelta(days=7))


def test_a_span_without_events_is_named_with_what_is_done() -> None:
    card = health_card(replace(WELL, gaps=(SUSPENDED,)))
    span = "from 14 Nov 2026, 10:30 CET to 16 Nov 2026, 10:30 CET"
    assert f"- I received no events {span}, because the App was suspended. Numbers are incomplete" in card
    assert "To do it now, run `/agile resync since:2026-11-14`." in card
    assert f"| Gaps in events | {span}: the App was suspended; not filled in yet |" in card
    assert "| Events missed | not known yet |" in card

    reading = replace(WELL.status, running=frozenset({"backfill"}))
    card = health_card(replace(WELL, gaps=(SUSPENDED,), status=reading))
    assert "I am importing this repository's history again. Until that is done" in card

    card = health_card(replace(WELL, gaps=(replace(SUSPENDED, ended_at=None),)))
    assert "- I have received no events since 14 Nov 2026, 10:30 CET, because the App was suspended." in card


def test_what_was_read_again_needs_nobody_and_is_named() -> None:
    card = health_card(replace(WELL, gaps=(replace(SUSPENDED, is_read_again=True),)))
    assert card.startswith("**All is well.** I fetched the events that had not arrived")
    assert "; filled in |" in card
    assert "| Events missed | 0 |" in card


def test_permissions_are_compared_by_strength() -> None:
    granted = {name: level for name, (level, _) in PERMISSIONS.items()}
    assert missing_permissions(granted) == {}
    assert missing_permissions(granted | {"metadata": "write"}) == {}
    assert list(missing_permissions(granted | {"checks": "read"})) == ["checks: write"]
    assert len(missing_permissions({})) == len(PERMISSIONS)


# Asking again


async def test_what_was_missed_is_found(bot: Bot) -> None:
    number = await make_sprint(bot)
    async with bot.github.muted():
        await bot.github.close_issue(bot.repo, number)
    answer = await ask_bot(bot, number, "/agile resync since:2026-11-01")

    assert answer.startswith("I am comparing the running sprints with GitHub and correcting any differences.")
    assert "I am also importing this repository's history again" in answer
    (project,) = await query_database(bot, "select synced_at from projects where synced_at is not null")
    assert project.synced_at
    (entry,) = await query_database(bot, "select action, target from audit_log")
    assert tuple(entry) == ("/agile resync since:2026-11-01", "the history")
    (turn,) = await query_database(bot, "select next_reconcile_at > now() from organizations")
    assert turn[0]
    closed = await query_database(
        bot, "select 1 from timeline where event = 'closed' and source = 'backfill'"
    )
    assert closed


async def test_the_past_is_left_alone_unless_asked_for(bot: Bot) -> None:
    number = await make_sprint(bot)
    answer = await ask_bot(bot, number, "/agile resync")
    assert "I am also importing this repository's history" not in answer
    assert not await query_database(bot, "select 1 from projects where synced_at is not null")


async def test_the_future_cannot_be_read(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile resync since:2099-01-01")
    assert "`since:2099-01-01` is in the future" in answer


async def test_resync_is_for_maintainers(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile resync", as_user="bob")
    assert "`/agile resync` needs the maintain role; yours is write." in answer
