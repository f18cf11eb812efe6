"""Connections that a test writes byte by byte, and a door that has little patience with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp

from bot.cli.serve import web_server
from bot.services import Services
from bot.settings.billing import StripeSettings
from bot.settings.secret import Secret
from tests.support.running import WebhookClient
from tests.support.stripe.world import SETTINGS

PATIENCE_SECONDS = 20
# Well-formed, and wrong.
SIGNED = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": "sha256=" + "0" * 64}
STRIPE_SIGNED = {"Stripe-Signature": f"t=1,v1={'0' * 64}"}
_BILLING = replace(SETTINGS, stripe=StripeSettings(Secret("sk_test_x"), (Secret("whsec_x"),), {}))


@asynccontextmanager
async def strict_endpoint(base: Services) -> AsyncIterator[WebhookClient]:
    """A door that waits two seconds for a body and has room for one megabyte of them; it also sells."""
    settings = replace(base.settings, webhook_body_seconds=2, webhook_bodies_megabytes=1, billing=_BILLING)
    async with (
        web_server(replace(base, settings=settings), "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        yield WebhookClient(session, f"http://127.0.0.1:{port}")


class RawConnection:
    """A connection that sends what a well-behaved client would not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    @classmethod
    async def of(cls, entrance: WebhookClient) -> "RawConnection":
        """A new connection."""
        host, _, port = entrance.url.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def status(self) -> int:
        """The status of the answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return int((await self._reader.readline()).split()[1])

    async def answer(self) -> tuple[int, dict[str, str], str]:
        """The status, the headers and the body of the answer, which must come by itself."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers, body.decode()

    async def is_closed(self) -> bool:
        """Waits for the end of the connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._reader.read() == b""

    def hang_up(self) -> None:
        self._writer.transport.abort()
