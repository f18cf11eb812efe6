"""The door: verified before it is parsed, stored before it is answered, and honest about what it refuses."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.cli.serve import door
from bot.services import Services
from bot.webhooks.application import make_app
from bot.webhooks.github_endpoint import MAX_BODY_BYTES
from storage.cipher import delivery_place
from tests.support.running import Door, as_administrator, rows, signature

ISSUE: dict[str, Any] = {
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
INSTALLED: dict[str, Any] = {
    "action": "created",
    "installation": {"id": 100, "account": ISSUE["repository"]["owner"]},
    "repositories": [],
    "sender": ISSUE["sender"],
}


@pytest.fixture
async def entrance(base: Services) -> AsyncIterator[Door]:
    """A door without a worker."""
    async with door(base, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        yield Door(session, f"http://127.0.0.1:{port}")


async def stored(base: Services) -> list[Any]:
    tenants = await rows(base, "select * from all_tenants()")
    return [
        row
        for (tenant,) in tenants
        for row in await rows(base, "select * from github_events order by id", tenant)
    ]


async def jobs(base: Services) -> list[str]:
    return [
        row.queueing_lock
        for row in as_administrator(base, "select queueing_lock from procrastinate_jobs order by 1")
    ]


async def test_a_delivery_is_stored_with_its_job_and_made_a_tenant(base: Services, entrance: Door) -> None:
    assert await entrance.deliver("issues", ISSUE, "guid-1") == (202, "stored")

    (event,) = await stored(base)
    assert (event.delivery_id, event.event_type, event.action, event.github_id) == (
        "guid-1",
        "issues",
        "opened",
        5,
    )
    assert await jobs(base) == [f"events:{event.organization_id}"]
    (organization,) = await rows(base, "select * from organizations", event.organization_id)
    assert (organization.github_account_id, organization.name) == (3, "acme")


async def test_what_is_stored_is_encrypted_and_comes_back_whole(base: Services, entrance: Door) -> None:
    await entrance.deliver("issues", ISSUE)
    (event,) = await stored(base)
    assert b"card" not in event.payload
    assert json.loads(base.cipher.open(event.payload, delivery_place(3, event.delivery_id))) == ISSUE


async def test_the_same_delivery_ten_times_is_one_event(base: Services, entrance: Door) -> None:
    answers = await asyncio.gather(*(entrance.deliver("issues", ISSUE, "guid-1") for _ in range(10)))
    assert sorted(answers) == [(202, "repeated")] * 9 + [(202, "stored")]
    assert len(await stored(base)) == 1
    assert len(await jobs(base)) == 1


async def test_many_at_once_are_each_stored(base: Services, entrance: Door) -> None:
    await asyncio.gather(*(entrance.deliver("issues", ISSUE) for _ in range(200)))
    assert len(await stored(base)) == 200
    assert len(await jobs(base)) == 1


async def test_the_first_deliveries_of_a_tenant_may_come_through_several_doors(base: Services) -> None:
    async with (
        door(base, "127.0.0.1", 0) as one,
        door(base, "127.0.0.1", 0) as two,
        aiohttp.ClientSession() as session,
    ):
        entrances = [Door(session, f"http://127.0.0.1:{port}") for port in (one, two)]
        answers = await asyncio.gather(*(entrances[n % 2].deliver("issues", ISSUE) for n in range(40)))
    assert set(answers) == {(202, "stored")}
    assert len(await rows(base, "select * from all_tenants()")) == 1


async def test_any_of_several_secrets_opens(entrance: Door) -> None:
    assert (await entrance.deliver("issues", ISSUE, secret="the-next-secret"))[0] == 202


@pytest.mark.parametrize("given", ["", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "sha256=é", "nonsense"])
async def test_a_bad_signature_is_401_before_anything_is_read(
    base: Services, entrance: Door, given: str
) -> None:
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": given}
    status, message = await entrance.post(b"this is not even JSON", headers)
    assert status == 401
    assert "X-Hub-Signature-256" in message
    assert await stored(base) == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b"payload=%7B%7D", b"\xff\xfe", b'{"action": 7}']
)
async def test_what_is_no_webhook_is_400(base: Services, entrance: Door, body: bytes) -> None:
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": signature(body)}
    status, message = await entrance.post(body, headers)
    assert status == 400
    assert "JSON" in message
    assert await stored(base) == []


@pytest.mark.parametrize("missing", ["X-GitHub-Event", "X-GitHub-Delivery"])
async def test_a_missing_header_is_400_and_named(entrance: Door, missing: str) -> None:
    body = json.dumps(ISSUE).encode()
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": signature(body)}
    del headers[missing]
    assert await entrance.post(body, headers) == (400, f"the header {missing} is missing")


async def test_another_method_is_405(entrance: Door) -> None:
    async with entrance.session.get(f"{entrance.url}/webhooks/github") as response:
        assert response.status == 405


async def test_more_than_25_megabytes_is_413(entrance: Door) -> None:
    body = io.BytesIO(b"x" * (MAX_BODY_BYTES + 1))
    async with entrance.session.post(f"{entrance.url}/webhooks/github", data=body) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("star", {"action": "created"}),
        ("no_such_event", {}),
        ("issues", {"action": "pinned"}),
        ("issues", {}),
    ],
)
async def test_what_we_do_not_act_on_is_202_and_not_stored(
    base: Services, entrance: Door, event: str, payload: dict[str, Any]
) -> None:
    status, message = await entrance.deliver(event, ISSUE | {"action": None} | payload)
    assert status == 202
    assert message.startswith("ignored")
    assert await stored(base) == []


async def test_without_installation_the_account_decides(base: Services, entrance: Door) -> None:
    await entrance.deliver("installation", INSTALLED)
    await entrance.deliver("issues", ISSUE)
    alone = {key: value for key, value in ISSUE.items() if key != "installation"}
    assert await entrance.deliver("issues", alone) == (202, "stored")
    assert len({event.organization_id for event in await stored(base)}) == 1


async def test_without_repository_the_installation_decides(base: Services, entrance: Door) -> None:
    await entrance.deliver("installation", INSTALLED)
    await entrance.deliver("issues", ISSUE)
    alone = {key: value for key, value in ISSUE.items() if key != "repository"}
    assert await entrance.deliver("issues", alone) == (202, "stored")
    assert len({event.organization_id for event in await stored(base)}) == 1


async def test_a_delivery_of_nobody_is_refused_in_words(base: Services, entrance: Door) -> None:
    nobody = {key: value for key, value in ISSUE.items() if key not in {"installation", "repository"}}
    status, message = await entrance.deliver("issues", nobody)
    assert (status, message) == (400, "the payload names no installation that we know and no account")
    assert await stored(base) == []


async def test_a_reinstallation_keeps_the_tenant(base: Services, entrance: Door) -> None:
    await entrance.deliver("installation", INSTALLED)
    await entrance.deliver("issues", ISSUE)
    again = INSTALLED | {"installation": INSTALLED["installation"] | {"id": 101}}
    await entrance.deliver("installation", again)
    await entrance.deliver("issues", ISSUE | {"installation": {"id": 101}})
    events = await stored(base)
    assert len({event.organization_id for event in events}) == 1
    (organization,) = await rows(base, "select * from organizations", events[0].organization_id)
    assert organization.github_installation_id == 101


async def test_two_accounts_are_two_tenants(base: Services, entrance: Door) -> None:
    other = ISSUE["repository"] | {"owner": {"id": 4, "login": "ACME", "type": "User"}}
    await entrance.deliver("issues", ISSUE)
    await entrance.deliver("issues", ISSUE | {"installation": {"id": 200}, "repository": other})
    assert len({event.organization_id for event in await stored(base)}) == 2


async def test_a_nul_character_is_no_reason_to_lose_an_event(base: Services, entrance: Door) -> None:
    owner = {"id": 9, "login": "ac\x00me", "type": "Organization"}
    strange = ISSUE | {"installation": {"id": 900}, "repository": ISSUE["repository"] | {"owner": owner}}
    assert await entrance.deliver("issues", strange) == (202, "stored")


async def test_the_server_refuses_to_start_without_a_secret(base: Services) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        make_app(replace(base, settings=replace(base.settings, webhook_secrets=())))


async def test_health_and_readiness(entrance: Door) -> None:
    for path in ("/healthz", "/readyz"):
        async with entrance.session.get(entrance.url + path) as response:
            assert response.status == 200


async def test_an_unknown_chart_is_404(entrance: Door) -> None:
    async with entrance.session.get(f"{entrance.url}/charts/{'A' * 32}.png") as response:
        assert response.status == 404
