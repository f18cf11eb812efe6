"""The job queue, procrastinate on the same PostgreSQL: a job commits together with what it is for.

Jobs carry ids only, never a payload or a token. A job that is scheduled for later never carries a lock,
because everything behind it on that lock would wait as well.
"""

import contextlib
from datetime import datetime

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import plain_url

PROCESS_EVENTS = "process_events"
ANSWER = "answer"
ANSWER_LATER = "answer_later"
SWEEP = "sweep"
BACKFILL = "backfill"
TICK = "tick"
MEASURE = "measure"
RECONCILE = "reconcile"
READ_SETTINGS = "read_settings"
REDELIVER = "redeliver"
RETAIN = "retain"

# A command's answer overtakes the recording of events: somebody is waiting for it.
_PRIORITY = {ANSWER: 10}
# Recording has a queue of its own; everything else shares one.
EVENTS = "events"
OTHERS = "default"


def queue(url: str) -> procrastinate.App:
    """The queue of one database. Open it before use."""
    connector = procrastinate.PsycopgConnector(
        conninfo=plain_url(url),
        # That a job was taken or has ended need not survive a crash: every job can be repeated.
        kwargs={"options": "-c synchronous_commit=off"},
        min_size=1,
        max_size=4,
        timeout=5,
    )
    return procrastinate.App(connector=connector)


class Jobs:
    """Defers jobs within the caller's transaction."""

    def __init__(self, app: procrastinate.App) -> None:
        self._app = app

    async def answer(
        self, connection: AsyncConnection, *, organization_id: int, event_id: int, thread: str, tries: int = 0
    ) -> None:
        """Answers the commands of an event. Answers to one `thread` are given one after another.

        `tries` counts how often GitHub could not be reached for it.
        """
        await self._defer(
            connection,
            ANSWER,
            lock=thread,
            organization_id=organization_id,
            event_id=event_id,
            thread=thread,
            tries=tries,
        )

    async def answer_later(
        self,
        connection: AsyncConnection,
        at: datetime,
        *,
        organization_id: int,
        event_id: int,
        thread: str,
        tries: int,
    ) -> None:
        """Answers when GitHub lets us again; the job that waits holds no lock."""
        await self._defer(
            connection,
            ANSWER_LATER,
            schedule_at=at,
            organization_id=organization_id,
            event_id=event_id,
            thread=thread,
            tries=tries,
        )

    async def backfill(self, connection: AsyncConnection, *, organization_id: int, project_id: int) -> None:
        """Asks for a repository's past. One waiting job for each repository is enough."""
        await self._defer(
            connection,
            BACKFILL,
            queueing_lock=f"backfill:{project_id}",
            organization_id=organization_id,
            project_id=project_id,
        )

    async def backfill_later(
        self, connection: AsyncConnection, at: datetime, *, organization_id: int, project_id: int
    ) -> None:
        """Goes on with it when GitHub lets us again."""
        await self._defer(
            connection,
            BACKFILL,
            queueing_lock=f"backfill:{project_id}",
            schedule_at=at,
            organization_id=organization_id,
            project_id=project_id,
        )

    async def measure(self, connection: AsyncConnection, *, organization_id: int) -> None:
        """Measures a tenant's sprints and people."""
        await self._defer(
            connection, MEASURE, queueing_lock=f"measure:{organization_id}", organization_id=organization_id
        )

    async def reconcile(self, connection: AsyncConnection, *, organization_id: int) -> None:
        """Compares a tenant's running sprints with GitHub."""
        await self._defer(
            connection,
            RECONCILE,
            queueing_lock=f"reconcile:{organization_id}",
            organization_id=organization_id,
        )

    async def read_settings(
        self,
        connection: AsyncConnection,
        *,
        organization_id: int,
        project_id: int | None = None,
        at: datetime | None = None,
    ) -> None:
        """Reads a repository's settings file, or all of the tenant's; `at` says when, if not at once."""
        await self._defer(
            connection,
            READ_SETTINGS,
            # Two at once might keep what the slower one read last.
            lock=None if at else f"settings:{organization_id}",
            queueing_lock=f"settings:{organization_id}:{'all' if project_id is None else project_id}",
            schedule_at=at,
            organization_id=organization_id,
            project_id=project_id,
        )

    async def _defer(
        self,
        connection: AsyncConnection,
        task: str,
        *,
        lock: str | None = None,
        queueing_lock: str | None = None,
        schedule_at: datetime | None = None,
        **arguments: object,
    ) -> None:
        raw = (await connection.get_raw_connection()).driver_connection
        deferrer = self._app.configure_task(
            task,
            queue=OTHERS,
            priority=_PRIORITY.get(task, 0),
            lock=lock,
            queueing_lock=queueing_lock,
            schedule_at=schedule_at,
            connection=raw,
        )
        if queueing_lock is None:
            await deferrer.defer_async(**arguments)  # type: ignore[arg-type]
            return
        with contextlib.suppress(AlreadyEnqueued):
            # A savepoint: that the job waits already must not undo what the caller has done.
            async with raw.transaction():  # type: ignore[union-attr]
                await deferrer.defer_async(**arguments)  # type: ignore[arg-type]
