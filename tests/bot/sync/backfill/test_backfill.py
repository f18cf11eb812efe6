"""A backfill leads to the numbers that webhooks would have given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from bot.cli.backfill import _find
from bot.cli.serve import web_server
from bot.github.client import GitHub, GitHubUnavailableError
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services, open_github
from bot.settings import GitHubSettings, Secret
from bot.sync.backfill.backfill import Backfill
from github_standin.github import StandInGitHub
from github_standin.seed import INSTALLATION_ID
from sprints.facts import Facts
from storage.projects import Projects
from storage.sprints import Sprints
from tests.support.builders import REPOSITORY, at, item_json, milestone_json, stamp, webhook
from tests.support.running import WebhookClient, rows

LIVE, PAST = "acme/live", "acme/past"
NEXT: dict[str, Any] = {"id": 502, "number": 13, "title": "Sprint 13"}


def history(repo: str, key: int) -> list[dict[str, Any]]:
    """A sprint in which everything happens that the numbers depend on."""
    where = REPOSITORY | {"id": key, "node_id": f"R_{key}", "full_name": repo, "name": repo.partition("/")[2]}

    def box(when: str = "11-10", **fields: Any) -> dict[str, Any]:
        due = {"description": "Start: 2026-11-16", "due_on": "2026-11-20T08:00:00Z", "node_id": f"M_{key}_1"}
        state = {"state": "closed" if fields.get("closed_at") else "open"}
        return milestone_json(when, **(due | state | {"id": key + 1} | fields))

    other = box(**(NEXT | {"id": key + 2, "node_id": f"M_{key}_2", "due_on": "2026-11-27T08:00:00Z"}))

    def card(number: int, when: str, *labels: str, **fields: Any) -> dict[str, Any]:
        node = {"id": key * 100 + number, "node_id": f"I_{key}_{number}", "user": {"id": 1, "login": "alice"}}
        return item_json(when, number, labels, **(node | fields))

    def done(when: str) -> dict[str, Any]:
        return {"state": "closed", "state_reason": "completed", "closed_at": stamp(when)}

    data: list[tuple[str, str, dict[str, Any]]] = [
        ("milestone", "created", {"milestone": box()}),
        ("milestone", "created", {"milestone": other}),
        *(("issues", "opened", {"issue": card(n, "11-10", milestone=None)}) for n in range(1, 6)),
        *(
            ("issues", "milestoned", {"issue": card(n, "11-12", milestone=box()), "milestone": box()})
            for n in range(1, 5)
        ),
        *(
            (
                "issues",
                "labeled",
                {
                    "issue": card(n, "11-13", f"points: {n}", milestone=box()),
                    "label": {"name": f"points: {n}"},
                },
            )
            for n in range(1, 5)
        ),
        ("issues", "closed", {"issue": card(1, "11-17", "points: 1", milestone=box(), **done("11-17"))}),
        ("issues", "reopened", {"issue": card(1, "11-18", "points: 1", milestone=box())}),
        ("issues", "closed", {"issue": card(1, "11-19", "points: 1", milestone=box(), **done("11-19"))}),
        ("issues", "demilestoned", {"issue": card(2, "11-18", "points: 2"), "milestone": box()}),
        (
            "issues",
            "milestoned",
            {"issue": card(2, "11-18", "points: 2", milestone=other), "milestone": other},
        ),
        (
            "issues",
            "unlabeled",
            {"issue": card(3, "11-17 10:00", milestone=box()), "label": {"name": "points: 3"}},
        ),
        (
            "issues",
            "labeled",
            {"issue": card(3, "11-17 10:00", "points: 8", milestone=box()), "label": {"name": "points: 8"}},
        ),
        ("issues", "milestoned", {"issue": card(5, "11-18", milestone=box()), "milestone": box()}),
        (
            "issues",
            "closed",
            {
                "issue": card(4, "11-19", "points: 4", milestone=box(), **done("11-19"))
                | {"state_reason": "not_planned"}
            },
        ),
        ("milestone", "closed", {"milestone": box("11-21", closed_at=stamp("11-21"))}),
    ]
    return [
        {
            "event": event,
            "delivery": f"{repo}-{n}",
            "payload": webhook(action, **parts)
            | {"repository": where, "installation": {"id": INSTALLATION_ID}},
        }
        for n, (event, action, parts) in enumerate(data)
    ]


@pytest.fixture
async def connected(github: StandInGitHub, base: Services) -> AsyncIterator[tuple[Services, GitHub]]:
    """A database, and a GitHub that knows of a repository's past what the database does not."""
    github.clear_faults()
    github.load_history(history(PAST, 7200))
    app = GitHubSettings(str(github.app_id), Secret(github.private_key))
    settings = replace(base.settings, github=app, github_api_url=github.url)
    base = replace(base, settings=settings)
    async with open_github(base) as client:
        yield base, client
    github.history.forget(PAST)
    github.clear_faults()
    assert not github.violations, github.violations


async def no_sleep(_seconds: float) -> None:
    """Tests have no time."""


async def facts_of(base: Services, repo: str, number: int = 12) -> Facts:
    for (organization_id,) in await rows(base, "select * from all_tenants()"):
        async with base.database.tenant(organization_id) as tenant:
            if project := await Projects(tenant).by_name(repo):
                sprints = Sprints(tenant, project)
                milestone = await sprints.milestone_id(number)
                assert milestone
                facts = await sprints.facts(milestone, at("12-01"))
                assert facts
                return facts
    raise AssertionError(repo)


def numbers(facts: Facts) -> Any:
    return (
        (facts.committed, facts.scope, facts.done, facts.kept),
        [(line.at, line.number, line.cause, line.amount) for line in facts.ledger],
        facts.days,
        [(item.number, item.state, item.points) for item in facts.items],
        [item.number for item in facts.carried],
    )


@asynccontextmanager
async def running_door(base: Services) -> AsyncIterator[WebhookClient]:
    async with (
        worker(base, talks=False),
        web_server(base, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        yield WebhookClient(session, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("number", [12, 13])
async def test_what_was_asked_for_gives_the_same_numbers_as_what_was_heard(
    connected: tuple[Services, GitHub], number: int
) -> None:
    base, client = connected
    async with running_door(base) as entrance:
        for entry in history(LIVE, 7100):
            assert (await entrance.deliver(entry["event"], entry["payload"], entry["delivery"]))[0] == 202
        await wait_until_processed(base)
    organization_id, project_id = await _find(base, client, PAST)
    assert await Backfill(base.database, client, base.clock).run(organization_id, project_id) == 5

    live, past = await facts_of(base, LIVE, number), await facts_of(base, PAST, number)
    assert numbers(past) == numbers(live)
    assert live.completeness.is_complete
    assert not past.completeness.is_complete
    if number == 12:
        assert (past.committed.points, past.scope.points, past.done.points) == (
            Decimal(10),
            Decimal(9),
            Decimal(1),
        )


async def test_people_of_the_past_are_known_by_id(connected: tuple[Services, GitHub]) -> None:
    base, client = connected
    organization_id, project_id = await _find(base, client, PAST)
    await Backfill(base.database, client, base.clock).run(organization_id, project_id)

    query = "select github_id, login from users join organization_members on user_id = users.id"
    assert (1, "alice") in [tuple(row) for row in await rows(base, query, organization_id)]


async def test_backfill_resumes_without_repeating_events(
    connected: tuple[Services, GitHub], github: StandInGitHub
) -> None:
    base, client = connected
    organization_id, project_id = await _find(base, client, PAST)
    backfill = Backfill(base.database, client, base.clock, no_sleep)
    github.fail_next("POST", "/graphql", 502, times=20)
    with pytest.raises(GitHubUnavailableError):
        await backfill.run(organization_id, project_id)
    github.clear_faults()
    await backfill.run(organization_id, project_id)
    first = await rows(base, "select * from timeline order by id", organization_id)
    assert {row.source for row in first} == {"backfill", "webhook"}

    await backfill.run(organization_id, project_id)
    assert await rows(base, "select * from timeline order by id", organization_id) == first
    (project,) = await rows(base, "select sync, synced_at from projects", organization_id)
    assert project.sync == {}
    assert project.synced_at is not None


async def test_last_rate_limit_points_are_left_for_people(
    connected: tuple[Services, GitHub], github: StandInGitHub
) -> None:
    base, client = connected
    organization_id, project_id = await _find(base, client, PAST)
    github.graphql_remaining = 400
    with pytest.raises(GitHubUnavailableError, match="nearly used up"):
        await Backfill(base.database, client, base.clock).run(organization_id, project_id)
