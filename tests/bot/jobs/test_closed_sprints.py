"""Snapshots of closed sprints are taken once and never change."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy.exc import ProgrammingError

from bot.cli.serve import web_server
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.retention import Retention
from bot.jobs.worker import worker
from bot.services import Services
from storage.projects import Projects
from storage.sprints import Sprints
from tests.support.builders import at, item_json, milestone_json, stamp, webhook
from tests.support.clock import Clock
from tests.support.running import WebhookClient, rows

MILESTONE = 501


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    async with (
        worker(base, talks=False),
        web_server(base, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        yield WebhookClient(session, f"http://127.0.0.1:{port}")


def sprint(when: str = "11-10", **fields: Any) -> dict[str, Any]:
    shown = milestone_json() | {
        "id": MILESTONE,
        "description": "Start: 2026-11-16",
        "due_on": "2026-11-20T08:00:00Z",
        "created_at": stamp("11-10"),
        "updated_at": stamp(when),
    }
    return shown | fields


def issue(number: int, when: str, *labels: str, **fields: Any) -> dict[str, Any]:
    return item_json(when, number, labels, milestone=sprint()) | fields


async def tell(base: Services, webhook_client: WebhookClient, *items: tuple[str, dict[str, Any]]) -> None:
    for event, payload in items:
        assert (await webhook_client.deliver(event, payload))[0] == 202
    await wait_until_processed(base)


async def play(base: Services, webhook_client: WebhookClient) -> None:
    """Two issues of 5 and 3 points; the first is done in the week."""
    done = {"state": "closed", "state_reason": "completed", "closed_at": stamp("11-18")}
    await tell(
        base,
        webhook_client,
        ("milestone", webhook("created", milestone=sprint())),
        ("issues", webhook("opened", issue=issue(1, "11-10", "points: 5"))),
        ("issues", webhook("opened", issue=issue(2, "11-10", "points: 3"))),
        ("issues", webhook("closed", issue=issue(1, "11-18", "points: 5", **done))),
    )


async def closed(base: Services) -> Any:
    async with base.database.tenant(1) as tenant:
        project = await Projects(tenant).by_name("acme/shop")
        assert project
        return await Sprints(tenant, project).closed(MILESTONE, base.clock())


async def test_a_sprint_is_provisional_until_a_day_after_its_closing(
    base: Services, webhook_client: WebhookClient, clock: Clock
) -> None:
    await play(base, webhook_client)
    await tell(
        base,
        webhook_client,
        ("milestone", webhook("closed", milestone=sprint("11-21 09:00", closed_at=stamp("11-21 09:00")))),
    )
    clock.now = at("11-22 08:59:59")
    assert await closed(base) is None
    clock.now = at("11-22 09:00")
    taken = await closed(base)
    assert taken.facts["points"]["done"] == 5
    assert taken.facts["carried"] == {"points": 3, "count": 1, "items": [2]}


async def test_a_sprint_that_nobody_closes_settles_after_three_days(
    base: Services, webhook_client: WebhookClient, clock: Clock
) -> None:
    await play(base, webhook_client)
    clock.now = at("11-23 23:59:59")
    assert await closed(base) is None
    clock.now = at("11-24 00:00")
    assert (await closed(base)).ended_at == at("11-21 00:00")


async def test_what_comes_late_changes_the_fold_and_never_the_snapshot(
    base: Services, webhook_client: WebhookClient, clock: Clock
) -> None:
    await play(base, webhook_client)
    clock.now = at("11-25")
    taken = await closed(base)
    done = {"state": "closed", "state_reason": "completed", "closed_at": stamp("11-19")}
    await tell(
        base, webhook_client, ("issues", webhook("closed", issue=issue(2, "11-19", "points: 3", **done)))
    )
    clock.now = at("12-05")

    assert await closed(base) == taken
    async with base.database.tenant(1) as tenant:
        project = await Projects(tenant).by_name("acme/shop")
        assert project
        facts = await Sprints(tenant, project).facts(MILESTONE, clock.now)
    assert facts
    assert facts.done.points == 8


async def test_the_database_lets_nobody_change_a_snapshot(
    base: Services, webhook_client: WebhookClient, clock: Clock
) -> None:
    await play(base, webhook_client)
    clock.now = at("11-25")
    await closed(base)
    for statement in ("update closed_sprints set revision = 2", "delete from closed_sprints"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await rows(base, statement, 1)


async def test_a_sprint_that_goes_on_gets_another_revision(
    base: Services, webhook_client: WebhookClient, clock: Clock
) -> None:
    await play(base, webhook_client)
    clock.now = at("11-25")
    first = await closed(base)
    await tell(
        base,
        webhook_client,
        ("milestone", webhook("edited", milestone=sprint("11-25", due_on="2026-11-27T08:00:00Z"))),
    )
    clock.now = at("11-26")
    assert await closed(base) == first
    clock.now = at("12-01")
    second = await closed(base)
    assert (first.revision, second.revision) == (1, 2)
    assert second.ended_at == at("11-28 00:00")


async def test_payloads_end_after_their_time_and_nothing_else_does(
    base: Services, webhook_client: WebhookClient, clock: Clock
) -> None:
    await play(base, webhook_client)
    retention = Retention(base.database, clock, timedelta(days=90))
    assert await retention.run() == 0
    (newest,) = await rows(base, "select max(created_at) from github_events", 1)
    clock.now = newest[0] + timedelta(days=90, seconds=1)
    before = await rows(base, "select * from timeline order by id", 1)

    assert await retention.run() == 4
    assert await retention.run() == 0
    assert await rows(base, "select * from timeline order by id", 1) == before
    kept = await rows(base, "select delivery_id, processed_at from github_events where payload = ''", 1)
    assert len(kept) == 4
