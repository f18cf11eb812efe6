"""The depth of the queue as gauges, for which the database is asked every few seconds at most."""

import asyncio

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.exc import SQLAlchemyError

from storage.database import Database
from storage.job_priority import Priority
from storage.queue_depth import read_queue_depths

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
        for priority in Priority:
            same = [depth for depth in depths if _choose_priority(depth.priority) is priority]
            label = priority.name.lower()
            self._jobs.labels(label).set(sum(depth.ready_jobs for depth in same))
            self._age.labels(label).set(max((depth.oldest_seconds for depth in same), default=0))


def _choose_priority(number: int) -> Priority:
    """Return the highest priority that is not above a job's own; a job of another version may lie between."""
    return max((priority for priority in Priority if priority <= number), default=min(Priority))
