"""Webhook payloads, a client for the webhook endpoint, and what was stored and recorded."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.cli.serve import web_server
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services
from tests.support.running import WebhookClient, rows

ISSUE_OPENED: dict[str, Any] = {
    "action": "opened",
    "issue": {
        "id": 7,
        "node_id": "I_7",
        "number": 7,
        "title": "Pay by card",
        "state": "open",
        "created_at": "2026-11-02T09:00:00Z",
        "updated_at": "2026-11-02T09:00:00Z",
    },
    "repository": {
        "id": 5,
        "node_id": "R_5",
        "full_name": "acme/shop",
        "private": False,
        "owner": {"id": 3, "login": "acme", "type": "Organization"},
    },
    "installation": {"id": 100},
    "sender": {"id": 1, "login": "alice", "type": "User"},
}


INSTALLATION_CREATED: dict[str, Any] = {
    "action": "created",
    "installation": {"id": 100, "account": ISSUE_OPENED["repository"]["owner"]},
    "repositories": [],
    "sender": ISSUE_OPENED["sender"],
}


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    """A client of a webhook endpoint without a worker."""
    async with web_server(base, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        yield WebhookClient(session, f"http://127.0.0.1:{port}")


async def list_stored_events(base: Services) -> list[Any]:
    """List the stored deliveries of all tenants."""
    tenants = await rows(base, "select * from all_tenants()")
    return [
        row
        for (tenant,) in tenants
        for row in await rows(base, "select * from github_events order by id", tenant)
    ]


async def only_tenant_id(base: Services) -> int:
    """Return the id of the first tenant."""
    return int((await rows(base, "select * from all_tenants()"))[0][0])


async def read_timeline(base: Services) -> list[Any]:
    """List the timeline's events without snapshots, which add nothing to a known creation."""
    query = (
        "select item, event, at, subject, milestone_id, actor, after from timeline where event <> 'observed' "
        "order by at, item, event, subject"
    )
    return [
        tuple(row)
        for (entry,) in await rows(base, "select * from all_tenants()")
        for row in await rows(base, query, entry)
    ]


async def record_deliveries(
    base: Services, webhook_client: WebhookClient, payloads: list[tuple[str, dict[str, Any]]]
) -> None:
    """Deliver payloads and process them with a worker that does not answer."""
    async with worker(base, talks=False):
        for event, payload in payloads:
            assert (await webhook_client.deliver(event, payload, payload.get("guid")))[0] == 202
        await wait_until_processed(base)


def issue_story() -> list[tuple[str, dict[str, Any]]]:
    """Make the webhooks of a short life: opened, put into a milestone, estimated, closed."""
    milestone = {"id": 70, "number": 1, "title": "Sprint 1", "created_at": "2026-11-01T08:00:00Z"}
    label = {"name": "points: 5"}

    def issue(at: str, **changes: Any) -> dict[str, Any]:
        return ISSUE_OPENED | {"issue": ISSUE_OPENED["issue"] | {"updated_at": at} | changes}

    inside = {"milestone": milestone}
    return [
        (
            "milestone",
            ISSUE_OPENED
            | {"action": "created", "milestone": milestone | {"updated_at": "2026-11-01T08:00:00Z"}},
        ),
        ("issues", issue("2026-11-02T09:00:00Z")),
        (
            "issues",
            issue("2026-11-02T09:00:00Z", **inside) | {"action": "milestoned", "milestone": milestone},
        ),
        (
            "issues",
            issue("2026-11-02T10:00:00Z", **inside, labels=[label]) | {"action": "labeled", "label": label},
        ),
        (
            "issues",
            issue("2026-11-03T10:00:00Z", **inside, state="closed", closed_at="2026-11-03T10:00:00Z")
            | {"action": "closed"},
        ),
    ]
