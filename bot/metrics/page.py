"""The page that Prometheus reads: the instruments, and what is read when it asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
async def open_metrics_page(instruments: Instruments, database: Database) -> AsyncIterator[MetricsPage]:
    """Open the page of a process, once: add what it reads to the instruments' registry, and sample the loop.

    The queue is read through `database`, which is the page's own and is closed at the end.
    """
    registry = instruments.registry
    ProcessCollector(registry=registry)
    lag = LoopLag(registry)
    try:
        async with lag.sampling():
            yield MetricsPage(instruments, QueueGauges(database, registry), lag)
    finally:
        await database.close()
