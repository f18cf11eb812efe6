"""Takes jobs from the queue so that all tenants get a fair share of a worker."""

from collections.abc import Callable, Iterable
from datetime import datetime

import procrastinate
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager, NotificationCallback

from storage.job_priority import BACKGROUND

_FETCH = """
select
    id, status, task_name, priority, lock, queueing_lock, args, scheduled_at, queue_name, attempts, worker_id
from fetch_fair_job(
    %(queues)s::text[], %(worker_id)s, %(places)s, %(background)s, %(moment)s::timestamptz
)
"""
# The application's role may end and put back running jobs, and no others.
_FINISH = "select finish_running_job(%(job_id)s, %(status)s, %(delete_job)s)"
_RETRY = "select retry_running_job(%(job_id)s, %(retry_at)s)"


class FairJobManager(JobManager):
    """Gives the next free place of a worker to the tenant that has the fewest; see `fetch_fair_job`.

    A tenant may have all places while no other tenant waits. Once others wait, it gets no further place until
    it has no more than they have; its running jobs are not interrupted. So as jobs end, two tenants with
    waiting jobs come to have half of the places each, and three a third. Among equal tenants, the job of the
    highest priority runs first, then the oldest. A running job counts against jobs of its tenant that have at
    most its priority: nobody waits longer for an answer because a check of the same tenant runs.

    Places are counted for each worker separately. So the same holds for any number of workers, and no worker
    has to know of the others. A scheduled job is due when `clock` says so.
    """

    def __init__(
        self, connector: procrastinate.BaseConnector, places: int, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(connector)
        self._places = places
        self._clock = clock
        # How many notifications of the database have arrived.
        self._notifications = 0

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take the next job, which counts as running from now on. None if this worker may take none."""
        while True:
            seen = self._notifications
            job = await self._take(None if queues is None else list(queues), worker_id)
            # The worker forgets notifications that arrive while it fetches, but this fetch may have been too
            # early to see the job that they are about.
            if job is not None or seen == self._notifications:
                return job

    async def _take(self, queues: list[str] | None, worker_id: int) -> Job | None:
        try:
            row = await self.connector.execute_query_one_async(
                query=_FETCH,
                queues=queues,
                worker_id=worker_id,
                places=self._places,
                background=int(BACKGROUND),
                moment=self._clock(),
            )
        except UniqueViolation:  # Another worker took a job with the same lock at this moment.
            return None
        return Job.from_row(row) if row["id"] is not None else None

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Pass the database's notifications on to the worker, and count them for `fetch_job`."""

        async def count(*, channel: str, notification: Notification) -> None:
            self._notifications += 1
            await on_notification(channel=channel, notification=notification)

        await super().listen_for_jobs(on_notification=count, queues=queues)

    async def finish_job_by_id_async(self, job_id: int, status: Status, delete_job: bool) -> None:
        """End a running job; the database refuses any other."""
        await self.connector.execute_query_async(
            query=_FINISH, job_id=job_id, status=status.value, delete_job=delete_job
        )

    async def retry_job_by_id_async(
        self,
        job_id: int,
        retry_at: datetime,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a running job back into the queue. Raises ValueError if more than its time would change."""
        if (priority, queue, lock) != (None, None, None):
            raise ValueError("a job that is tried again keeps its priority, queue and lock")
        await self.connector.execute_query_async(query=_RETRY, job_id=job_id, retry_at=retry_at)
