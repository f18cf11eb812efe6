"""Jobs of several repositories are queued in one order, whatever the order of their events."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from bot.cli.serve import web_server
from bot.jobs.event_processor import EventProcessor
from bot.services import Services
from storage.job_types import AnswerJob, BackfillJob, CheckJob, ReadSettingsJob
from storage.jobs import Jobs
from storage.projects import Projects
from tests.support.running import WebhookClient, query_as_administrator, rows
from tests.support.webhooks import INSTALLATION_CREATED, ISSUE_OPENED

_OWNER = ISSUE_OPENED["repository"]["owner"]
_REPOSITORIES = [
    {
        "id": number,
        "node_id": f"R_{number}",
        "full_name": f"acme/r{number}",
        "private": False,
        "owner": _OWNER,
    }
    for number in (1, 2, 3)
]


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    """The webhook endpoint without a worker, for an account that has three repositories."""
    async with web_server(base, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        endpoint = WebhookClient(session, f"http://127.0.0.1:{port}")
        await endpoint.deliver("installation", INSTALLATION_CREATED | {"repositories": _REPOSITORIES})
        await EventProcessor(base.database, base.cipher, None, base.clock).process_pending(1)
        yield endpoint


async def _queued(base: Services) -> list[tuple[str, Any]]:
    """The jobs that recording what waits puts into the queue, each with the repository that it is about."""
    query_as_administrator(base, "delete from procrastinate_jobs")
    await EventProcessor(base.database, base.cipher, Jobs(), base.clock).process_pending(1)
    jobs = query_as_administrator(
        base, "select task_name, args -> 'project_id' from procrastinate_jobs order by id"
    )
    return [tuple(job) for job in jobs]


def _of(queued: list[tuple[str, Any]], task: str) -> list[Any]:
    return [project for name, project in queued if name == task]


def _push(repository: dict[str, Any]) -> dict[str, Any]:
    """A push that changes the settings."""
    file = {"id": "a" * 40, "modified": [".github/agile.yml"], "added": [], "removed": []}
    branch = {"ref": "refs/heads/main", "before": "0" * 40, "after": "a" * 40}
    described = repository | {"default_branch": "main", "master_branch": "main"}
    return (
        ISSUE_OPENED
        | branch
        | {"action": None, "repository": described, "commits": [file], "head_commit": file}
    )


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1, 2)])
async def test_repositories_that_are_added(
    base: Services, webhook_client: WebhookClient, order: tuple[int, ...]
) -> None:
    for number in order:
        added = {"action": "added", "repositories_added": [_REPOSITORIES[number - 1]]}
        await webhook_client.deliver("installation_repositories", INSTALLATION_CREATED | added)

    queued = await _queued(base)

    assert _of(queued, BackfillJob.name) == [1, 2, 3]
    assert _of(queued, ReadSettingsJob.name) == [0, 1, 2, 3]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1)])
async def test_settings_and_checks(
    base: Services, webhook_client: WebhookClient, order: tuple[int, ...]
) -> None:
    for number in order:
        repository = _REPOSITORIES[number - 1]
        await webhook_client.deliver("push", _push(repository))
        suite = {"id": number, "head_sha": "b" * 40, "head_branch": "x", "pull_requests": []}
        await webhook_client.deliver(
            "check_suite",
            ISSUE_OPENED | {"action": "rerequested", "check_suite": suite, "repository": repository},
        )

    queued = await _queued(base)

    assert _of(queued, ReadSettingsJob.name) == [1, 2, 3]
    assert _of(queued, CheckJob.name) == [1, 2, 3]


async def test_answers_keep_the_order_of_their_events(base: Services, webhook_client: WebhookClient) -> None:
    for number in (3, 1, 2):
        comment = {
            "id": number,
            "body": "/help",
            "user": ISSUE_OPENED["sender"],
            "created_at": "2026-11-02T09:00:00Z",
        }
        payload = {"action": "created", "comment": comment, "repository": _REPOSITORIES[number - 1]}
        await webhook_client.deliver("issue_comment", ISSUE_OPENED | payload)
    events = [row.id for row in await rows(base, "select id from github_events order by id", 1)][-3:]

    await _queued(base)

    jobs = query_as_administrator(
        base,
        "select args -> 'event_id' from procrastinate_jobs where task_name = :task order by id",
        task=AnswerJob.name,
    )
    assert [job[0] for job in jobs] == events


async def test_repositories_are_listed_in_the_order_of_their_ids(
    base: Services, webhook_client: WebhookClient
) -> None:
    """A row that was changed lies behind the others, and would come last."""
    query_as_administrator(
        base,
        "insert into chart_files (organization_id, project_id, token, content_key, png) "
        "select organization_id, id, 'token-' || id, 'key', 'png' from projects",
    )
    for number in (1, 2):
        await rows(base, "update projects set description = 'x' where id = :id returning id", 1, id=number)

    async with base.database.tenant(1) as tenant:
        # As the planner reads a table that is larger than the tests'.
        for scan in ("indexscan", "indexonlyscan", "bitmapscan"):
            await tenant.connection.execute(text(f"set local enable_{scan} = off"))
        projects = Projects(tenant)
        assert [project.id for project in await projects.active()] == [1, 2, 3]
        assert [project.id for project in await projects.with_charts()] == [1, 2, 3]
