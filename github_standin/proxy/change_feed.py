"""A long poll for the demo's page, which waits for the next write."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

LONG_POLL_SECONDS = 20.0


class ChangeFeed:
    """Counts writes and answers requests that wait for the next one."""

    def __init__(self) -> None:
        self._condition = asyncio.Condition()
        self._version = 0

    async def notify(self) -> None:
        """Count a write and wake all waiting requests."""
        async with self._condition:
            self._version += 1
            self._condition.notify_all()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer with the version as soon as it differs from the query's `since`, or after 20 s."""
        since = int(request.query.get("since", "-1"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONG_POLL_SECONDS), self._condition:
                await self._condition.wait_for(lambda: self._version != since)
        return web.json_response({"version": self._version})
