"""Waits until emulate has sent all its webhooks, for which it has no signal of its own."""

from __future__ import annotations

import asyncio
from itertools import count

from github_standin import seed as people
from github_standin.proxy.upstream import Upstream
from github_standin.webhooks.sender import WebhookSender

QUIET_SECONDS = 0.03
DRAIN_SECONDS = 10.0


class WebhookDrain:
    """Causes a webhook of another App and waits for it: it arrives after all that were caused before.

    The order is not quite certain, so the drain also waits until nothing has arrived for a moment.
    """

    def __init__(self, upstream: Upstream, sender: WebhookSender) -> None:
        self._upstream = upstream
        self._sender = sender
        self._lock = asyncio.Lock()
        self._numbers = count(1)
        self._arrived = asyncio.Event()
        self._writes = 0
        self._drained_writes = 0

    def note_write(self) -> None:
        """Note a write request, whose webhooks may still be on their way."""
        self._writes += 1

    def note_arrival(self) -> None:
        """Note the arrival of the drain's own webhook."""
        self._arrived.set()

    async def drain(self) -> None:
        """Wait until all webhooks caused so far have arrived. Raises TimeoutError after ten seconds."""
        async with self._lock:
            self._arrived.clear()
            label = {"name": f"drain-{next(self._numbers)}", "color": "ededed"}
            token = people.user_token(people.DRAIN_OWNER)
            await self._upstream.request("POST", f"/repos/{people.DRAIN_REPO}/labels", token, label)
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._arrived.wait()
            clock = asyncio.get_running_loop().time
            while (left := self._sender.last_arrival + QUIET_SECONDS - clock()) > 0:  # noqa: ASYNC110 - the wait is for nothing to happen
                await asyncio.sleep(left)

    async def catch_up(self) -> None:
        """Wait until the history has observed all webhooks caused so far; their delivery may go on."""
        while self._drained_writes < (writes := self._writes):
            await self.drain()
            self._drained_writes = writes
        await self._sender.wait_until_observed()
