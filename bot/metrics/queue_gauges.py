"""The depth of the queue as gauges, for which the database is asked every few seconds at most."""

import asyncio

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.exc import SQLAlchemyError

from storage.database import Database
from storage.queue_depth import QueueDepth, read_queue_depths

_READ_EVERY_SECONDS = 5.0
_TIMEOUT_SECONDS = 2.0


class QueueGauges:
    """Ready jobs and the age of the oldest, by priority.

    Where the database does not answer in time, there are no values, instead of old ones.
    """

    def __init__(
        self,
        database: Database,
        registry: CollectorRegistry,
        *,
        read_every_seconds: float = _READ_EVERY_SECONDS,
    ) -> None:
        self._database = database
        self._read_every_seconds = read_every_seconds
        self._jobs = Gauge(
            "agile_queue_ready_jobs", "Jobs that could run now.", ["priority"], registry=registry
        )
        self._age = Gauge(
            "agile_queue_oldest_ready_seconds",
            "Time since the oldest of these jobs has been ready.",
            ["priority"],
            registry=registry,
        )
        self._up = Gauge(
            "agile_database_up",
            "1 if the database answered the last reading of the queue.",
            registry=registry,
        )
        self._lock = asyncio.Lock()
        self._read_at: float | None = None
        # Every priority that had a job: it then shows 0, so that a graph comes down.
        self._priorities = set[int]()

    async def refresh(self) -> None:
        """Set the gauges to the present depth, or to one of a few seconds ago."""
        loop = asyncio.get_running_loop()
        async with self._lock:  # Waiting scrapes get the result of the reading under way.
            if self._read_at is not None and loop.time() - self._read_at < self._read_every_seconds:
                return
            await self._read()
            self._read_at = loop.time()

    async def _read(self) -> None:
        self._jobs.clear()
        self._age.clear()
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS), self._database.unscoped() as connection:
                depths = await read_queue_depths(connection)
        except (SQLAlchemyError, OSError):  # A TimeoutError is an OSError.
            self._up.set(0)
            return
        self._up.set(1)
        self._priorities |= {depth.priority for depth in depths}
        by_priority = {depth.priority: depth for depth in depths}
        for priority in self._priorities:
            depth = by_priority.get(priority, QueueDepth(priority, 0, 0))
            self._jobs.labels(str(priority)).set(depth.ready_jobs)
            self._age.labels(str(priority)).set(depth.oldest_seconds)
