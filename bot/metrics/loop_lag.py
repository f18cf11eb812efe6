"""The lag of the event loop: how long a callback has kept all others from running."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, Gauge

_PAUSE_SECONDS = 0.05


class LoopLag:
    """Sleeps again and again, and keeps how late the latest of these sleeps ended.

    A callback that holds the loop for a time T is seen as a lag between T less one pause and T.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauge = Gauge(
            "agile_event_loop_lag_seconds",
            "The longest that the event loop was held since the last scrape: by how much the latest of the "
            "pauses of 50 ms, one after another, ended too late.",
            registry=registry,
        )
        self._longest = 0.0

    def publish(self) -> None:
        """Set the gauge to the longest lag since the last call."""
        self._gauge.set(self._longest)
        self._longest = 0.0

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Sample in the background."""
        task = asyncio.create_task(self._sample())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _sample(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _PAUSE_SECONDS
            await asyncio.sleep(_PAUSE_SECONDS)
            self._longest = max(self._longest, loop.time() - due)
