"""From stored deliveries to the timeline: every real payload, in any order, any number of times."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.cli.serve import web_server
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services
from handlers import ROUTES
from tests.support.running import WebhookClient, rows, wait_until
from tests.support.webhooks import ISSUE_OPENED, issue_story, only_tenant_id, read_timeline, record_deliveries

EXAMPLES = (
    Path(__file__).parents[3]
    / "github_standin/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
)


def real_payloads() -> list[tuple[str, dict[str, Any]]]:
    """Every example that GitHub's own libraries are tested with, each account with one installation.

    Webhooks of repositories lack one, and the examples of several accounts name the same.
    """
    examples = json.loads(EXAMPLES.read_text())
    return [(kind["name"], installed(example)) for kind in examples for example in kind["examples"]]


def installed(example: dict[str, Any]) -> dict[str, Any]:
    """The example as an installation of its account would receive it."""
    installation = example.get("installation") or {"node_id": "I"}
    owner = (example.get("repository") or {}).get("owner") or example.get("organization")
    account = installation.get("account") or owner or {"id": 100}
    return example | {"installation": installation | {"id": account["id"]}}


async def test_every_real_payload_goes_through(base: Services, webhook_client: WebhookClient) -> None:
    payloads = real_payloads()
    assert len(payloads) > 300
    async with worker(base, talks=False):
        accepted = 0
        for event, payload in payloads:
            status, message = await webhook_client.deliver(event, payload)
            assert status == 202, (event, message)
            accepted += message == "stored"
        await wait_until_processed(base)

    assert accepted == sum((event, payload.get("action")) in ROUTES for event, payload in payloads)
    result = [
        row
        for (entry,) in await rows(base, "select * from all_tenants()")
        for row in await rows(
            base, "select event_type, action, note, parked_at, processed_at from github_events", entry
        )
    ]
    assert len(result) == accepted
    for row in result:
        assert row.processed_at is not None, row
        assert row.parked_at is None, row
        assert row.note is None, row
    recorded = await read_timeline(base)
    assert {"milestoned", "demilestoned", "labeled", "opened"} <= {row[1] for row in recorded}


async def test_order_and_repetition_do_not_matter(base: Services, webhook_client: WebhookClient) -> None:
    data = [(event, payload | {"guid": str(uuid.uuid4())}) for event, payload in issue_story()]
    await record_deliveries(base, webhook_client, data[::-1])
    backwards = await read_timeline(base)
    await record_deliveries(base, webhook_client, data * 2)
    again = [(event, payload | {"guid": str(uuid.uuid4())}) for event, payload in data]
    await record_deliveries(base, webhook_client, again)
    assert await read_timeline(base) == backwards
    assert [row[1] for row in backwards] == ["created", "milestoned", "opened", "labeled", "closed"]


@pytest.mark.parametrize(
    "broken",
    [
        {"issue": None},
        {"issue": {"number": 1}},
        {"repository": {"id": 5, "owner": {"id": 3, "login": "acme"}}},
        {"issue": ISSUE_OPENED["issue"] | {"created_at": "yesterday"}},
    ],
)
async def test_a_payload_without_what_it_should_carry_is_kept_with_a_note(
    base: Services, webhook_client: WebhookClient, broken: dict[str, Any]
) -> None:
    await record_deliveries(base, webhook_client, [("issues", ISSUE_OPENED | broken)])
    (row,) = await rows(base, "select * from github_events", await only_tenant_id(base))
    assert row.processed_at is not None
    assert row.note.startswith("nothing usable")
    assert await read_timeline(base) == []


async def test_delivery_that_the_database_refuses_stops_no_other(
    base: Services, webhook_client: WebhookClient
) -> None:
    """An issue number that fits no integer column must not take its batch down."""
    strange = ISSUE_OPENED | {
        "action": "created",
        "milestone": {"id": 1, "number": 2**40, "title": "x", "created_at": "2026-11-01T08:00:00Z"},
    }
    async with worker(base, talks=False):
        await webhook_client.deliver("milestone", strange, "strange")
        for event, payload in issue_story():
            await webhook_client.deliver(event, payload)
        entry = await only_tenant_id(base)

        async def others_are_done() -> bool:
            done = await rows(base, "select 1 from github_events where processed_at is not null", entry)
            return len(done) == len(issue_story())

        await wait_until(others_are_done)
    (row,) = await rows(base, "select * from github_events where processed_at is null", entry)
    assert (row.delivery_id, row.attempts, row.parked_at) == ("strange", 1, None)
    assert row.due_at > row.created_at
    assert "database refused it" in row.note


async def test_a_renamed_repository_keeps_its_history(base: Services, webhook_client: WebhookClient) -> None:
    renamed = ISSUE_OPENED["repository"] | {"full_name": "acme/store"}
    later = ISSUE_OPENED | {
        "action": "closed",
        "repository": renamed,
        "issue": ISSUE_OPENED["issue"]
        | {"state": "closed", "closed_at": "2026-11-05T09:00:00Z", "updated_at": "2026-11-05T09:00:00Z"},
    }
    await record_deliveries(base, webhook_client, [("issues", later), ("issues", ISSUE_OPENED)])
    (project,) = await rows(base, "select * from projects", await only_tenant_id(base))
    assert project.github_repo == "acme/store"
    assert len(await read_timeline(base)) == 2


async def test_a_name_taken_over_by_another_repository_belongs_to_that(
    base: Services, webhook_client: WebhookClient
) -> None:
    other = ISSUE_OPENED["repository"] | {"id": 6, "node_id": "R_6"}
    at = "2026-11-05T09:00:00Z"
    newer = ISSUE_OPENED | {
        "repository": other,
        "issue": ISSUE_OPENED["issue"] | {"node_id": "I_8", "created_at": at, "updated_at": at},
    }
    for order in (
        [("issues", ISSUE_OPENED), ("issues", newer)],
        [("issues", newer), ("issues", ISSUE_OPENED)],
    ):
        await record_deliveries(base, webhook_client, order)
        result = await rows(
            base, "select repository_node_id, github_repo from projects", await only_tenant_id(base)
        )
        assert {row.repository_node_id: row.github_repo for row in result} == {
            "R_5": None,
            "R_6": "acme/shop",
        }


async def test_no_wake_up_is_lost_between_doors_and_workers(base: Services) -> None:
    """Deliveries trickle through two doors while jobs begin and end all the time; none is left for the sweep."""
    async with (
        worker(base, talks=False),
        web_server(base, "127.0.0.1", 0) as entry,
        web_server(base, "127.0.0.1", 0) as two,
        aiohttp.ClientSession() as session,
    ):
        entrances = [WebhookClient(session, f"http://127.0.0.1:{port}") for port in (entry, two)]

        async def trickle(webhook_client: WebhookClient) -> None:
            for _ in range(150):
                assert await webhook_client.deliver("issues", ISSUE_OPENED) == (202, "stored")

        await asyncio.gather(*(trickle(entrance) for entrance in entrances * 2))
        async with asyncio.timeout(5):  # Less than the sweep would take.
            await wait_until_processed(base)
    assert (
        len(
            await rows(
                base, "select 1 from github_events where processed_at is not null", await only_tenant_id(base)
            )
        )
        == 600
    )
