"""Other routes: unknown paths return 404, and readiness checks slow nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from bot.services import Services
from bot.webhooks.readiness import ReadinessProbe
from tests.support.calling import RawConnection, strict_endpoint
from tests.support.running import WebhookClient


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    async with strict_endpoint(base) as opened:
        yield opened


# The other addresses


@pytest.mark.parametrize(
    "token",
    ["%00", "%00" * 32, "A" * 31 + "%00", "A" * 5_000, "%FF", "%C3%28", "%ed%a0%80", "..%2f..%2fetc", "A B", "a%20b",
     "%25", "ä", "A.png", "%2e%2e", "'", "A" * 32 + "%0a"],
)  # fmt: skip
async def test_what_names_no_picture_is_404(webhook_client: WebhookClient, token: str) -> None:
    for method in (b"GET", b"HEAD"):
        caller = await RawConnection.of(webhook_client)
        await caller.send(
            method + b" /charts/" + token.encode() + b".png HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        # A request line that is no HTTP, or longer than any of ours, is refused before there is a path.
        assert await caller.status() in ({404} if token.isascii() and " " not in token else {400, 404})
        caller.hang_up()


@pytest.mark.parametrize("ticket", ["%00", "A" * 3_000, "%FF", "ä", "=", "AAAA"])
async def test_what_is_no_ticket_is_410(webhook_client: WebhookClient, ticket: str) -> None:
    for page, status in (("checkout", 410), ("portal", 410), ("done", 200), ("cancelled", 200)):
        async with webhook_client.session.get(f"{webhook_client.url}/billing/{page}/{ticket}") as response:
            assert response.status == status
            assert "Thank you" not in await response.text()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/healthz", 200),
        ("HEAD", "/readyz", 200),
        ("OPTIONS", "/webhooks/github", 405),
        ("HEAD", "/webhooks/github", 405),
        ("PUT", "/webhooks/github", 405),
        ("POST", "/readyz", 405),
        ("POST", "/charts/AAAA.png", 405),
        ("GET", "/webhooks", 404),
    ],
)
async def test_methods(webhook_client: WebhookClient, method: str, path: str, status: int) -> None:
    async with webhook_client.session.request(method, webhook_client.url + path) as response:
        assert response.status == status


# Readiness


async def test_readiness_is_looked_at_once_for_all_who_ask(base: Services) -> None:
    readiness = ReadinessProbe(base.database_url)
    try:
        assert await asyncio.gather(*(readiness.find_problem() for _ in range(200))) == [None] * 200
        assert readiness.check_count == 1
    finally:
        await readiness.close()


async def test_readiness_is_looked_at_again_later(base: Services) -> None:
    readiness = ReadinessProbe(base.database_url, check_every_seconds=0)
    try:
        for _ in range(3):
            assert await readiness.find_problem() is None
        assert readiness.check_count == 3
    finally:
        await readiness.close()


async def test_readiness_waits_for_nobody_s_connection(base: Services, webhook_client: WebhookClient) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(base.database.unscoped())
        async with webhook_client.session.get(webhook_client.url + "/readyz") as response:
            assert response.status == 200


async def test_readiness_gives_up_in_time(base: Services) -> None:
    readiness = ReadinessProbe(base.database_url, check_every_seconds=0, timeout_seconds=0.2)
    try:
        async with readiness._database.unscoped():  # Its one connection is busy.
            assert await readiness.find_problem() == "the database is unavailable"
        readiness._timeout_seconds = 60
        assert await readiness.find_problem() is None
    finally:
        await readiness.close()
