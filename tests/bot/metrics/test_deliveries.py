"""Deliveries and requests: the counts are those of what was sent, and hold nothing of who sent it."""

import json
import uuid

import pytest

from bot.jobs.worker import worker
from bot.services import Services
from tests.support.running import WebhookClient, rows, signature, wait_until
from tests.support.scraping import TOKEN, Scrape, scrape
from tests.support.webhooks import ISSUE_OPENED, only_tenant_id, record_deliveries

CANARY = "xanthic-canary"


async def read(webhook_client: WebhookClient) -> Scrape:
    return await scrape(webhook_client.session, webhook_client.url)


async def get(webhook_client: WebhookClient, path: str, method: str = "GET", **headers: str) -> int:
    url = webhook_client.url + path
    async with webhook_client.session.request(method, url, headers=headers) as response:
        return response.status


async def test_deliveries_are_counted_by_event_and_outcome(webhook_client: WebhookClient) -> None:
    for delivery in ("one", "two", "two"):
        assert (await webhook_client.deliver("issues", ISSUE_OPENED, delivery))[0] == 202
    assert (await webhook_client.deliver("watch", ISSUE_OPENED))[0] == 202
    assert (await webhook_client.deliver("issues", ISSUE_OPENED | {"action": "unheard"}))[0] == 202
    assert (await webhook_client.deliver("issues", ISSUE_OPENED, secret="guessed"))[0] == 401
    assert (await webhook_client.deliver("issues", {"action": "opened"}))[0] == 400
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": str(uuid.uuid4())}
    assert (await webhook_client.post(b"{", headers | {"X-Hub-Signature-256": signature(b"{")}))[0] == 400

    metrics = await read(webhook_client)

    assert metrics.by("agile_deliveries_total", "event", "outcome") == {
        ("issues", "stored"): 2,
        ("issues", "repeated"): 1,
        ("other", "ignored"): 1,
        ("issues", "ignored"): 1,
        ("issues", "unsigned"): 1,
        ("issues", "no_tenant"): 1,
        ("issues", "malformed"): 1,
    }
    route = "/webhooks/github"
    assert metrics.by("agile_http_requests_total", "route", "method", "status") == {
        (route, "POST", "202"): 5,
        (route, "POST", "401"): 1,
        (route, "POST", "400"): 2,
    }
    assert metrics.get("agile_http_request_seconds_count", route=route) == 8


async def test_a_delivery_of_another_account_s_installation_is_counted_as_refused(
    webhook_client: WebhookClient,
) -> None:
    account = {"id": 77, "login": "globex", "type": "Organization"}
    stranger = ISSUE_OPENED | {"repository": ISSUE_OPENED["repository"] | {"owner": account}}
    created = {"action": "created", "repositories": [], "sender": ISSUE_OPENED["sender"]}
    owner = ISSUE_OPENED["repository"]["owner"]
    await webhook_client.deliver("installation", created | {"installation": {"id": 100, "account": owner}})
    assert (await webhook_client.deliver("issues", stranger))[0] == 409

    counts = (await read(webhook_client)).by("agile_deliveries_total", "event", "outcome")

    assert counts["issues", "refused"] == 1


async def test_routes_are_counted_as_they_were_declared(webhook_client: WebhookClient) -> None:
    assert await get(webhook_client, f"/charts/{CANARY}.png") == 404
    assert await get(webhook_client, f"/{CANARY}") == 404
    assert await get(webhook_client, "/healthz", "PROPFIND") == 405

    counts = (await read(webhook_client)).by("agile_http_requests_total", "route", "method", "status")

    assert counts == {
        ("/charts/{token}.png", "GET", "404"): 1,
        ("none", "GET", "404"): 1,
        ("none", "other", "405"): 1,
    }


async def test_no_text_of_a_stranger_or_a_person_is_in_the_output(
    base: Services, webhook_client: WebhookClient
) -> None:
    """Not even an event's name or a path: they are chosen by whoever sends them."""
    text = json.dumps(ISSUE_OPENED)
    for word in ("acme", "shop", "alice", "Pay by card", "R_5", "I_7"):
        assert word in text
        text = text.replace(word, f"{CANARY}-{word}")
    await record_deliveries(base, webhook_client, [("issues", json.loads(text) | {"guid": CANARY})])
    await webhook_client.deliver(f"event-{CANARY}", ISSUE_OPENED)
    await webhook_client.deliver("issues", ISSUE_OPENED, f"delivery-{CANARY}", secret=CANARY)
    for path in (f"/charts/{CANARY}.png", f"/{CANARY}", f"/metrics/{CANARY}", f"/billing?code={CANARY}"):
        await get(webhook_client, path, Host=f"{CANARY}.example", Referer=CANARY)
    await get(webhook_client, "/metrics", Authorization=f"Bearer {CANARY}")

    metrics = await read(webhook_client)

    assert metrics.get("agile_deliveries_processed_total", outcome="recorded") == 1
    for secret in (CANARY, TOKEN, "acme", "alice", "Pay by card", base.settings.public_url):
        assert secret not in metrics.text
    assert base.database_url not in metrics.text
    for webhook_secret in base.settings.webhook_secrets:
        assert webhook_secret.reveal() not in metrics.text


async def test_strangers_add_no_series(webhook_client: WebhookClient) -> None:
    async def knock(visit: int) -> None:
        await webhook_client.deliver(f"event-{visit}", ISSUE_OPENED, secret="guessed")
        await get(webhook_client, f"/{visit}")
        await get(webhook_client, f"/charts/{visit}.png")
        await get(webhook_client, "/readyz", ("PURGE", "LOCK", "MOVE", "COPY", "SEARCH")[visit % 5])

    await knock(0)
    before = (await read(webhook_client)).series
    for visit in range(1, 20):
        await knock(visit)
    after = (await read(webhook_client)).series
    assert {labels for name, labels in after - before} <= {
        labels for _, labels in after if ("route", "/metrics") in labels
    }


async def test_a_parked_delivery_is_counted(base: Services, webhook_client: WebhookClient) -> None:
    """A payload that cannot be decrypted is tried again four times."""
    await webhook_client.deliver("issues", ISSUE_OPENED)
    tenant = await only_tenant_id(base)
    await rows(base, "update github_events set payload = 'x', attempts = 4 returning id", tenant)

    async def is_counted() -> bool:
        return bool((await read(webhook_client)).by("agile_deliveries_processed_total", "outcome"))

    async with worker(base, talks=False):
        await wait_until(is_counted)

    counts = (await read(webhook_client)).by("agile_deliveries_processed_total", "outcome")
    assert counts == {("parked",): 1}


async def test_the_time_until_recording_is_measured(base: Services, webhook_client: WebhookClient) -> None:
    closed = ISSUE_OPENED | {"action": "closed"}
    await record_deliveries(base, webhook_client, [("issues", ISSUE_OPENED), ("issues", closed)])

    metrics = await read(webhook_client)

    assert metrics.get("agile_deliveries_processed_total", outcome="recorded") == 2
    assert metrics.get("agile_delivery_recording_seconds_count") == 2
    assert metrics.get("agile_jobs_total", task="process_events", outcome="succeeded") is not None


@pytest.mark.parametrize("token", ["", "wrong", "Bearer", "a-token-of-the-test", "tökén"])
async def test_the_token_is_asked_for(webhook_client: WebhookClient, token: str) -> None:
    assert await get(webhook_client, "/metrics", Authorization=f"Bearer {token}") == 401
    assert await get(webhook_client, "/metrics") == 401
    assert await get(webhook_client, "/metrics", Authorization=TOKEN) == 401
