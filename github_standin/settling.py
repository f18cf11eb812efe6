"""Waiting until emulate's webhooks are out, which it never tells."""

from __future__ import annotations

import asyncio
from itertools import count

from github_standin import seed as people
from github_standin.upstream import Upstream
from github_standin.webhook_sender import WebhookSender

QUIET_SECONDS = 0.03
DRAIN_SECONDS = 10.0


class Settling:
    """A webhook of another App, caused last, arrives last, or nearly so."""

    def __init__(self, upstream: Upstream, hooks: WebhookSender) -> None:
        self._upstream = upstream
        self._hooks = hooks
        self._lock = asyncio.Lock()
        self._numbers = count(1)
        self._arrived = asyncio.Event()
        self._writes = 0
        self._writes_seen = 0

    def wrote(self) -> None:
        """Something was written of which a webhook may be on its way."""
        self._writes += 1

    def arrive(self) -> None:
        """The webhook that was caused last is here."""
        self._arrived.set()

    async def drain(self) -> None:
        """Wait until all webhooks caused so far have arrived."""
        async with self._lock:
            self._arrived.clear()
            label = {"name": f"drain-{next(self._numbers)}", "color": "ededed"}
            token = people.user_token(people.DRAIN_OWNER)
            await self._upstream.ask("POST", f"/repos/{people.DRAIN_REPO}/labels", token, label)
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._arrived.wait()
            clock = asyncio.get_running_loop().time
            while (left := self._hooks.last_arrival + QUIET_SECONDS - clock()) > 0:  # noqa: ASYNC110 - the wait is for nothing to happen
                await asyncio.sleep(left)

    async def catch_up(self) -> None:
        """Wait until the history knows what was done so far; what goes to the bot may still be on its way."""
        while self._writes_seen < (writes := self._writes):
            await self.drain()
            self._writes_seen = writes
        await self._hooks.read()
