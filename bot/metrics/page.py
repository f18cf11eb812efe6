"""The page that Prometheus reads: the instruments, and what is read when it asks."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from prometheus_client import ProcessCollector, generate_latest

from bot.metrics.instruments import Instruments
from bot.metrics.loop_lag import LoopLag
from bot.metrics.queue_gauges import QueueGauges
from storage.database import Database


class MetricsPage:
    """The metrics of one process in Prometheus's text format."""

    def __init__(self, instruments: Instruments, queue: QueueGauges, lag: LoopLag) -> None:
        self._instruments = instruments
        self._queue = queue
        self._lag = lag

    async def render(self) -> bytes:
        """Return the metrics as of now."""
        await self._queue.refresh()
        self._lag.publish()
        return generate_latest(self._instruments.registry)


@asynccontextmanager
async def open_metrics_page(
    instruments: Instruments, database_url: str, clock: Callable[[], datetime]
) -> AsyncIterator[MetricsPage]:
    """Open the page of a process, once: add what it reads to the instruments' registry, and sample the loop.

    It has one connection of its own to the database, which is opened by the first scrape.
    """
    registry, database = instruments.registry, Database(database_url, clock, pool_size=1)
    ProcessCollector(registry=registry)
    lag = LoopLag(registry)
    try:
        async with lag.sampling():
            yield MetricsPage(instruments, QueueGauges(database, registry), lag)
    finally:
        await database.close()
