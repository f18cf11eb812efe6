"""GitHub's webhook endpoint verifies before parsing and stores before answering."""

import asyncio
import io
import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.cli.serve import web_server
from bot.services import Services
from bot.webhooks.application import make_app
from bot.webhooks.github_endpoint import MAX_BODY_BYTES
from storage.cipher import delivery_place
from tests.support.running import WebhookClient, query_as_administrator, rows, signature
from tests.support.webhooks import INSTALLATION_CREATED, ISSUE_OPENED, list_stored_events


async def jobs(base: Services) -> list[str]:
    return [
        row.queueing_lock
        for row in query_as_administrator(base, "select queueing_lock from procrastinate_jobs order by 1")
    ]


async def test_a_delivery_is_stored_with_its_job_and_made_a_tenant(
    base: Services, webhook_client: WebhookClient
) -> None:
    assert await webhook_client.deliver("issues", ISSUE_OPENED, "guid-1") == (202, "stored")

    (event,) = await list_stored_events(base)
    assert (event.delivery_id, event.event_type, event.action, event.github_id) == (
        "guid-1",
        "issues",
        "opened",
        5,
    )
    assert await jobs(base) == [f"events:{event.organization_id}"]
    (organization,) = await rows(base, "select * from organizations", event.organization_id)
    assert (organization.github_account_id, organization.name) == (3, "acme")


async def test_what_is_stored_is_encrypted_and_comes_back_whole(
    base: Services, webhook_client: WebhookClient
) -> None:
    await webhook_client.deliver("issues", ISSUE_OPENED)
    (event,) = await list_stored_events(base)
    assert b"card" not in event.payload
    assert json.loads(base.cipher.open(event.payload, delivery_place(3, event.delivery_id))) == ISSUE_OPENED


async def test_the_same_delivery_ten_times_is_one_event(
    base: Services, webhook_client: WebhookClient
) -> None:
    answers = await asyncio.gather(
        *(webhook_client.deliver("issues", ISSUE_OPENED, "guid-1") for _ in range(10))
    )
    assert sorted(answers) == [(202, "repeated")] * 9 + [(202, "stored")]
    assert len(await list_stored_events(base)) == 1
    assert len(await jobs(base)) == 1


async def test_many_at_once_are_each_stored(base: Services, webhook_client: WebhookClient) -> None:
    await asyncio.gather(*(webhook_client.deliver("issues", ISSUE_OPENED) for _ in range(200)))
    assert len(await list_stored_events(base)) == 200
    assert len(await jobs(base)) == 1


async def test_the_first_deliveries_of_a_tenant_may_come_through_several_doors(base: Services) -> None:
    async with (
        web_server(base, "127.0.0.1", 0) as entry,
        web_server(base, "127.0.0.1", 0) as two,
        aiohttp.ClientSession() as session,
    ):
        entrances = [WebhookClient(session, f"http://127.0.0.1:{port}") for port in (entry, two)]
        answers = await asyncio.gather(*(entrances[n % 2].deliver("issues", ISSUE_OPENED) for n in range(40)))
    assert set(answers) == {(202, "stored")}
    assert len(await rows(base, "select * from all_tenants()")) == 1


async def test_any_of_several_secrets_opens(webhook_client: WebhookClient) -> None:
    assert (await webhook_client.deliver("issues", ISSUE_OPENED, secret="the-next-secret"))[0] == 202


@pytest.mark.parametrize("given", ["", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "sha256=é", "nonsense"])
async def test_a_bad_signature_is_401_before_anything_is_read(
    base: Services, webhook_client: WebhookClient, given: str
) -> None:
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": given}
    status, message = await webhook_client.post(b"this is not even JSON", headers)
    assert status == 401
    assert "X-Hub-Signature-256" in message
    assert await list_stored_events(base) == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b"payload=%7B%7D", b"\xff\xfe", b'{"action": 7}']
)
async def test_what_is_no_webhook_is_400(base: Services, webhook_client: WebhookClient, body: bytes) -> None:
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": signature(body)}
    status, message = await webhook_client.post(body, headers)
    assert status == 400
    assert "JSON" in message
    assert await list_stored_events(base) == []


@pytest.mark.parametrize("missing", ["X-GitHub-Event", "X-GitHub-Delivery"])
async def test_a_missing_header_is_400_and_named(webhook_client: WebhookClient, missing: str) -> None:
    body = json.dumps(ISSUE_OPENED).encode()
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": signature(body)}
    del headers[missing]
    assert await webhook_client.post(body, headers) == (400, f"the header {missing} is missing")


async def test_another_method_is_405(webhook_client: WebhookClient) -> None:
    async with webhook_client.session.get(f"{webhook_client.url}/webhooks/github") as response:
        assert response.status == 405


async def test_more_than_25_megabytes_is_413(webhook_client: WebhookClient) -> None:
    body = io.BytesIO(b"x" * (MAX_BODY_BYTES + 1))
    async with webhook_client.session.post(f"{webhook_client.url}/webhooks/github", data=body) as response:
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
    base: Services, webhook_client: WebhookClient, event: str, payload: dict[str, Any]
) -> None:
    status, message = await webhook_client.deliver(event, ISSUE_OPENED | {"action": None} | payload)
    assert status == 202
    assert message.startswith("ignored")
    assert await list_stored_events(base) == []


async def test_without_installation_the_account_decides(
    base: Services, webhook_client: WebhookClient
) -> None:
    await webhook_client.deliver("installation", INSTALLATION_CREATED)
    await webhook_client.deliver("issues", ISSUE_OPENED)
    alone = {key: value for key, value in ISSUE_OPENED.items() if key != "installation"}
    assert await webhook_client.deliver("issues", alone) == (202, "stored")
    assert len({event.organization_id for event in await list_stored_events(base)}) == 1


async def test_without_repository_the_installation_decides(
    base: Services, webhook_client: WebhookClient
) -> None:
    await webhook_client.deliver("installation", INSTALLATION_CREATED)
    await webhook_client.deliver("issues", ISSUE_OPENED)
    alone = {key: value for key, value in ISSUE_OPENED.items() if key != "repository"}
    assert await webhook_client.deliver("issues", alone) == (202, "stored")
    assert len({event.organization_id for event in await list_stored_events(base)}) == 1


async def test_a_delivery_of_nobody_is_refused_in_words(
    base: Services, webhook_client: WebhookClient
) -> None:
    nobody = {key: value for key, value in ISSUE_OPENED.items() if key not in {"installation", "repository"}}
    status, message = await webhook_client.deliver("issues", nobody)
    assert (status, message) == (400, "the payload names neither a known installation nor an account")
    assert await list_stored_events(base) == []


async def test_a_reinstallation_keeps_the_tenant(base: Services, webhook_client: WebhookClient) -> None:
    await webhook_client.deliver("installation", INSTALLATION_CREATED)
    await webhook_client.deliver("issues", ISSUE_OPENED)
    again = INSTALLATION_CREATED | {"installation": INSTALLATION_CREATED["installation"] | {"id": 101}}
    await webhook_client.deliver("installation", again)
    await webhook_client.deliver("issues", ISSUE_OPENED | {"installation": {"id": 101}})
    events = await list_stored_events(base)
    assert len({event.organization_id for event in events}) == 1
    (organization,) = await rows(base, "select * from organizations", events[0].organization_id)
    assert organization.github_installation_id == 101


async def test_two_accounts_are_two_tenants(base: Services, webhook_client: WebhookClient) -> None:
    other = ISSUE_OPENED["repository"] | {"owner": {"id": 4, "login": "ACME", "type": "User"}}
    await webhook_client.deliver("issues", ISSUE_OPENED)
    await webhook_client.deliver("issues", ISSUE_OPENED | {"installation": {"id": 200}, "repository": other})
    assert len({event.organization_id for event in await list_stored_events(base)}) == 2


async def test_a_nul_character_is_no_reason_to_lose_an_event(
    base: Services, webhook_client: WebhookClient
) -> None:
    owner = {"id": 9, "login": "ac\x00me", "type": "Organization"}
    strange = ISSUE_OPENED | {
        "installation": {"id": 900},
        "repository": ISSUE_OPENED["repository"] | {"owner": owner},
    }
    assert await webhook_client.deliver("issues", strange) == (202, "stored")


async def test_the_server_refuses_to_start_without_a_secret(base: Services) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        make_app(replace(base, settings=replace(base.settings, webhook_secrets=())))


async def test_health_and_readiness(webhook_client: WebhookClient) -> None:
    for path in ("/healthz", "/readyz"):
        async with webhook_client.session.get(webhook_client.url + path) as response:
            assert response.status == 200


async def test_an_unknown_chart_is_404(webhook_client: WebhookClient) -> None:
    async with webhook_client.session.get(f"{webhook_client.url}/charts/{'A' * 32}.png") as response:
        assert response.status == 404
