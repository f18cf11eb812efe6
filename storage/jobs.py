"""The job queue, procrastinate on the same PostgreSQL: a job commits together with what it is for.

Jobs carry ids only, never a payload or a token. A job that is scheduled for later never carries a lock,
because everything behind it on that lock would wait as well.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import plain_url

PROCESS_EVENTS = "process_events"
ANSWER = "answer"
ANSWER_LATER = "answer_later"
SWEEP = "sweep"
BACKFILL = "backfill"
REPOSITORY_LEFT = "repository_left"
TICK = "tick"
MEASURE = "measure"
RECONCILE = "reconcile"
CHECK_VISIBILITY = "check_visibility"
READ_SETTINGS = "read_settings"
SEND_POSTS = "send_posts"
SEND_POSTS_LATER = "send_posts_later"
WAKE_POSTS = "wake_posts"
REDRAW = "redraw"
REDRAW_LATER = "redraw_later"
CHECK = "check"
CHECK_LATER = "check_later"
PRESS = "press"
TELL_OWNER = "tell_owner"
REPORT_MERGE_GROUP = "report_merge_group"
PRESS_LATER = "press_later"
REDELIVER = "redeliver"
RETAIN = "retain"

# What somebody waits for overtakes the rest.
_PRIORITY = {ANSWER: 10, PRESS: 10, REPORT_MERGE_GROUP: 10}
# Recording has a queue of its own; everything else shares one.
EVENTS = "events"
OTHERS = "default"
_HOLD = text("select hold_waiting_job(:wanted)")


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


@dataclass(frozen=True, slots=True)
class StalledJob:
    """A job that a worker had begun when it died."""

    id: int
    task: str


async def stalled_jobs(connection: AsyncConnection, silent_for: timedelta) -> list[StalledJob]:
    """Jobs under way whose worker has not been heard of for so long."""
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


async def delete_ended_jobs(
    connection: AsyncConnection, ended_before: timedelta, *, with_failed: bool = False
) -> None:
    """Remove jobs from the queue that ended so long ago; those that failed only `with_failed`."""
    await connection.execute(
        text("select delete_ended_jobs(:ended_before, :with_failed)"),
        {"ended_before": ended_before, "with_failed": with_failed},
    )


class Jobs:
    """Defers jobs within the caller's transaction.

    Where one waiting job is enough for all, it does not begin before each who relied on it has committed: it
    would not see what they bring.
    """

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

    async def backfill(
        self, connection: AsyncConnection, *, organization_id: int, project_id: int, is_wanted: bool = False
    ) -> None:
        """Asks for a repository's past, if something of it is not known. One waiting job for each is enough.

        Where somebody wants it, all is read again in any case.
        """
        await self._defer(
            connection,
            BACKFILL,
            # Two at once would ask for the same.
            lock=f"backfill:{project_id}",
            queueing_lock=f"backfill:{project_id}{':wanted' if is_wanted else ''}",
            organization_id=organization_id,
            project_id=project_id,
            is_wanted=is_wanted,
        )

    async def backfill_later(
        self,
        connection: AsyncConnection,
        at: datetime,
        *,
        organization_id: int,
        project_id: int,
        is_wanted: bool = False,
    ) -> None:
        """Goes on with it when GitHub lets us again."""
        await self._defer(
            connection,
            BACKFILL,
            queueing_lock=f"backfill:{project_id}{':wanted' if is_wanted else ''}",
            schedule_at=at,
            organization_id=organization_id,
            project_id=project_id,
            is_wanted=is_wanted,
        )

    async def repository_left(
        self, connection: AsyncConnection, at: datetime, *, organization_id: int, node_id: str
    ) -> None:
        """Tells a tenant that another account has had a repository since a moment."""
        await self._defer(
            connection,
            REPOSITORY_LEFT,
            queueing_lock=f"left:{organization_id}:{node_id}",
            organization_id=organization_id,
            node_id=node_id,
            left_at=at.isoformat(),
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

    async def tell_owner(
        self, connection: AsyncConnection, at: datetime | None = None, *, organization_id: int
    ) -> None:
        """Brings what an account's owner is told of money and data up to date; at once, or at a moment."""
        when = f":{at.isoformat()}" if at else ""
        await self._defer(
            connection,
            TELL_OWNER,
            lock=f"tell-owner:{organization_id}",
            queueing_lock=f"tell-owner:{organization_id}{when}",
            schedule_at=at,
            organization_id=organization_id,
        )

    async def check_visibility(self, connection: AsyncConnection, *, organization_id: int) -> None:
        """Asks GitHub which of a tenant's repositories can be seen."""
        await self._defer(
            connection,
            CHECK_VISIBILITY,
            queueing_lock=f"visibility:{organization_id}",
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

    async def send_posts(
        self, connection: AsyncConnection, *, organization_id: int, at: datetime | None = None
    ) -> None:
        """Brings to GitHub what is said unasked; `at` says when, if not at once."""
        await self._defer(
            connection,
            SEND_POSTS_LATER if at else SEND_POSTS,
            # Two at once might both post what nobody has posted yet.
            lock=None if at else f"posts:{organization_id}",
            queueing_lock=f"{'posts-later' if at else 'posts'}:{organization_id}",
            schedule_at=at,
            organization_id=organization_id,
        )

    async def redraw(
        self,
        connection: AsyncConnection,
        at: datetime | None = None,
        *,
        organization_id: int,
        project_id: int,
        turn: str = "soon",
    ) -> None:
        """Brings what is said unasked of a repository's sprints up to date; `at` says when, if not at once.

        One waiting job of each `turn` is enough for any number of events.
        """
        await self._defer(
            connection,
            REDRAW_LATER if at else REDRAW,
            # Two at once might tell the same under two names.
            lock=None if at else f"redraw:{project_id}",
            queueing_lock=f"redraw:{turn if at else 'now'}:{project_id}",
            schedule_at=at,
            organization_id=organization_id,
            project_id=project_id,
        )

    async def check(
        self,
        connection: AsyncConnection,
        *,
        organization_id: int,
        project_id: int,
        number: int | None = None,
        head: str | None = None,
        is_rerun: bool = False,
    ) -> None:
        """Works out the check of one pull request, named by number or by head SHA, or of all open ones.

        A re-run is told to GitHub even if the check says the same as before.
        """
        which = head or number or "all"
        await self._defer(
            connection,
            CHECK,
            # Two at once might keep what the slower one found earlier.
            lock=f"checks:{project_id}",
            queueing_lock=f"check:{project_id}:{which}{':again' if is_rerun else ''}",
            organization_id=organization_id,
            project_id=project_id,
            number=number,
            head=head,
            is_rerun=is_rerun,
        )

    async def check_later(
        self, connection: AsyncConnection, at: datetime, *, organization_id: int, project_id: int
    ) -> None:
        """Works out the checks of all open pull requests then. One waiting job a repository is enough."""
        await self._defer(
            connection,
            CHECK_LATER,
            queueing_lock=f"checks-later:{project_id}",
            schedule_at=at,
            organization_id=organization_id,
            project_id=project_id,
        )

    async def press(
        self,
        connection: AsyncConnection,
        *,
        organization_id: int,
        event_id: int,
        project_id: int,
        at: datetime | None = None,
    ) -> None:
        """Does what somebody asked for by a check's button; `at` says when, if not at once."""
        await self._defer(
            connection,
            PRESS_LATER if at else PRESS,
            lock=None if at else f"buttons:{project_id}",
            schedule_at=at,
            organization_id=organization_id,
            event_id=event_id,
            project_id=project_id,
        )

    async def report_merge_group(
        self,
        connection: AsyncConnection,
        *,
        organization_id: int,
        project_id: int,
        head: str,
        number: int | None = None,
        is_rerun: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Reports the check of a merge group's commit; `at` says when, if not at once."""
        await self._defer(
            connection,
            REPORT_MERGE_GROUP,
            # Two at once might both report what nobody has reported yet.
            lock=None if at else f"merge-group:{project_id}:{head}",
            queueing_lock=f"merge-group:{project_id}:{head}{':again' if is_rerun else ''}",
            schedule_at=at,
            organization_id=organization_id,
            project_id=project_id,
            head=head,
            number=number,
            is_rerun=is_rerun,
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
        # The job that waited may have begun before it could be held, and another may wait before ours does.
        while not await connection.scalar(_HOLD, {"wanted": queueing_lock}):
            with contextlib.suppress(AlreadyEnqueued):
                # A savepoint: that another job waits must not undo what the caller has done.
                async with raw.transaction():  # type: ignore[union-attr]
                    await deferrer.defer_async(**arguments)  # type: ignore[arg-type]
                return
