"""The job queue, procrastinate on the same PostgreSQL: a job commits together with the data it needs.

A job is a message (`JobMessage`): its arguments, and how it is queued. The messages are in `job_types.py`
and `billing_jobs.py`; the functions that run them are declared in `bot/`. Jobs carry ids only, never a
payload or a token. A job that is scheduled for later never carries a lock, because everything behind it on
that lock would wait as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec
import procrastinate
import psycopg
from procrastinate.exceptions import AppNotOpen
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import PoolState, plain_url
from storage.job_priority import Priority

# Recording has its own queue; all other jobs share one.
EVENTS = "events"
OTHERS = "default"
# A worker reports every 10 seconds that it lives.
DEAD_AFTER = timedelta(seconds=30)
_DEFER = text("select defer_jobs(cast(:jobs as jsonb))")


class JobMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A job's arguments, and how it is queued. Fields become the arguments that are stored in the queue."""

    # The task's name in the queue.
    name: ClassVar[str]
    queue: ClassVar[str] = OTHERS
    priority: ClassVar[Priority]
    # If scheduled for later, the job waits as itself and runs without its lock. All other jobs take their
    # lock when they are due (`RunLaterJob`).
    waits_as_itself: ClassVar[bool] = False

    @property
    def lock(self) -> str | None:
        """The lock: of the jobs with the same lock, one runs at a time. None: the job needs no lock."""
        return None

    @property
    def queueing_lock(self) -> str | None:
        """The queueing lock: of the jobs with the same one, a single job waits. None: any number waits."""
        return None

    def queueing_lock_until(self, at: datetime) -> str | None:  # noqa: ARG002 - for those that tell times apart
        """The queueing lock of the job while it waits for a time."""
        return self.queueing_lock

    @property
    def sort_key(self) -> tuple[int | str, ...]:
        """Orders the messages of one task. All transactions must defer the same jobs in the same order."""
        return ()


class TenantJob(JobMessage, frozen=True, kw_only=True):
    """A job of one tenant. Workers share their places between tenants by `organization_id`."""

    organization_id: int


class RunLaterJob(TenantJob, frozen=True, kw_only=True):
    """Defers another job when its time has come. Waits without a lock; the other job takes its own.

    It is queued with the priority of the other job.
    """

    name = "run_later"
    priority = Priority.PERIODIC

    task: str
    arguments: dict[str, Any]


def queue(url: str) -> procrastinate.App:
    """The queue of one database. Open it before use."""
    connector = procrastinate.PsycopgConnector(
        conninfo=plain_url(url),
        configure=_configure,
        min_size=1,
        max_size=4,
        timeout=5,
    )
    return procrastinate.App(connector=connector)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    """Set up a new connection of the queue. Poolers refuse settings that come with the connection itself."""
    # The start and end of a job need not survive a crash: every job can be repeated.
    await connection.execute("set synchronous_commit = off")
    # A plan that was made while the queue was short reads all of a long one.
    await connection.execute("set plan_cache_mode = force_custom_plan")
    await connection.commit()
    # To take a job and to end it is one statement each, which need not be begun and committed by two more.
    await connection.set_autocommit(True)


def queue_pool_state(app: procrastinate.App) -> PoolState | None:
    """The state of the queue's pool of connections. None if the queue is not open, and so has none."""
    connector = app.connector
    if not isinstance(connector, procrastinate.PsycopgConnector):
        return None
    try:
        stats = connector.pool.get_stats()
    except AppNotOpen:
        return None
    in_use = stats["pool_size"] - stats["pool_available"]
    return PoolState(stats["pool_max"], in_use, stats.get("requests_queued", 0))


class Jobs:
    """Defers jobs within the caller's transaction.

    Where one waiting job is enough for several transactions, the job does not begin before each of them has
    committed. Otherwise it would not see their data.
    """

    async def defer(self, connection: AsyncConnection, job: JobMessage, at: datetime | None = None) -> None:
        """Queue a job in the transaction of `connection`: for now, or for the time `at`."""
        await self.defer_all(connection, [(job, at)])

    async def defer_all(
        self, connection: AsyncConnection, jobs: Sequence[tuple[JobMessage, datetime | None]]
    ) -> list[int | None]:
        """Queue jobs in their order, each for now or for its time, by a single statement.

        Returns their ids in the queue; None for a job that waits there already.
        """
        if not jobs:
            return []
        described = msgspec.json.encode([_describe(job, at) for job, at in jobs]).decode()
        return list(await connection.scalar(_DEFER, {"jobs": described}) or ())


def _describe(job: JobMessage, at: datetime | None) -> dict[str, Any]:
    """A job as the database's `defer_jobs` reads it."""
    lock, queueing_lock, priority = job.lock, job.queueing_lock, job.priority
    if at is not None:
        lock, queueing_lock = None, job.queueing_lock_until(at)
        if isinstance(job, TenantJob) and not job.waits_as_itself:
            arguments = msgspec.to_builtins(job)
            job = RunLaterJob(organization_id=job.organization_id, task=job.name, arguments=arguments)
    return {
        "queue": job.queue,
        "task": job.name,
        # That of the job itself, also where another job waits for it.
        "priority": int(priority),
        "lock": lock,
        "queueing_lock": queueing_lock,
        "arguments": job,
        "at": at,
    }


@dataclass(frozen=True, slots=True)
class StalledJob:
    """A job whose worker died while running it."""

    id: int
    task: str


async def stalled_jobs(connection: AsyncConnection, silent_for: timedelta) -> list[StalledJob]:
    """Running jobs whose worker has sent no heartbeat for `silent_for`."""
    query = text("select id, task_name from stalled_jobs(:silent_for)")
    return [StalledJob(*row) for row in await connection.execute(query, {"silent_for": silent_for})]


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that was given up."""

    id: int
    task: str
    attempts: int


async def failed_jobs(connection: AsyncConnection) -> list[FailedJob]:
    """Jobs that were given up and are still in the queue, the oldest first."""
    query = "select id, task_name, attempts from procrastinate_jobs where status = 'failed' order by id"
    return [FailedJob(*row) for row in await connection.execute(text(query))]


async def is_busy(connection: AsyncConnection) -> bool:
    """Whether a job runs, or waits although its time has come."""
    query = (
        "select exists (select from procrastinate_jobs where status = 'doing'"
        " or (status = 'todo' and coalesce(scheduled_at <= app_now(), true)))"
    )
    return bool(await connection.scalar(text(query)))


async def delete_ended_jobs(connection: AsyncConnection, failed_before: timedelta, most: int) -> int:
    """Remove at most `most` ended jobs from the queue, and return their number.

    Of the jobs that were given up, only those are removed that ended at least `failed_before` ago.
    """
    query = text("select delete_ended_jobs(:failed_before, :most)")
    return int(await connection.scalar(query, {"failed_before": failed_before, "most": most}) or 0)
