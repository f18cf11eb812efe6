"""Takes jobs from the queue so that all tenants get a fair share of a worker."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import procrastinate
import structlog
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager, NotificationCallback
from sqlalchemy import text

from storage.database import Tenant
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
_RUNNING = "select job from running_jobs(%(worker_id)s) as job"
_PUT_BACK = (
    "select task from put_back_jobs(%(worker_id)s, %(jobs)s::bigint[], %(moment)s::timestamptz) as task"
)
_START = text("select start_job(:job, :worker)")

# Starts a job that a tenant's transaction has queued, by its id. Returns whether the job is started.
StartJob = Callable[[Tenant, int], Awaitable[bool]]
_log = structlog.get_logger(__name__)


async def start_job(tenant: Tenant, job_id: int, worker_id: int) -> bool:
    """Let a worker run a job that the transaction has queued, from its commit on, without fetching it.

    False if the job has to wait for others with its lock. Otherwise, the caller runs it, and ends it or puts
    it back into the queue.
    """
    return bool(await tenant.connection.scalar(_START, {"job": job_id, "worker": worker_id}))


class FairJobManager(JobManager):
    """Gives the next free place of a worker to the tenant that has the fewest; see `fetch_fair_job`.

    A tenant may have all places while no other tenant waits. Once others wait, it gets no further place until
    it has no more than they have; its running jobs are not interrupted. So as jobs end, two tenants with
    waiting jobs come to have half of the places each, and three a third. Among equal tenants, the job of the
    highest priority runs first, then the oldest. A running job counts against jobs of its tenant that have at
    most its priority: nobody waits longer for an answer because a check of the same tenant runs.

    Places are counted for each worker separately. So the same holds for any number of workers, and no worker
    has to know of the others. A scheduled job is due when `clock` says so.

    It knows which jobs the worker runs. If a connection breaks while a job is started or ended, the database
    may count the job as running although nobody runs it. The job and all others with its lock would then wait
    until the worker itself ends. Therefore such jobs are looked for with each heartbeat, and put back.
    """

    def __init__(
        self, connector: procrastinate.BaseConnector, places: int, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(connector)
        self._places = places
        self._clock = clock
        # How many notifications of the database have arrived.
        self._notifications = 0
        # The jobs that the worker runs, and those whose end is being written down.
        self._running = set[int]()
        self._ending = set[int]()
        # Whether the database may count other jobs as running for this worker.
        self._may_have_lost = False

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take the next job, which counts as running from now on. None if this worker may take none."""
        if self._may_have_lost:
            self._may_have_lost = False
            await self._put_back_lost_jobs(worker_id)
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
        if row["id"] is None:
            return None
        self._running.add(row["id"])
        return Job.from_row(row)

    async def _put_back_lost_jobs(self, worker_id: int) -> None:
        """Put back the jobs that count as running for this worker and that it does not run.

        Call it only while no fetch is under way: that might have taken a job that is not yet known here. If
        it fails, the worker begins again under another id, and the sweep takes up the jobs of the old one.
        """
        rows = await self.connector.execute_query_all_async(query=_RUNNING, worker_id=worker_id)
        # Only now, because jobs that the worker starts itself are known before their transaction commits.
        lost = {row["job"] for row in rows} - self._running - self._ending
        if not lost:
            return
        tasks = await self.connector.execute_query_all_async(
            query=_PUT_BACK, worker_id=worker_id, jobs=sorted(lost), moment=self._clock()
        )
        for row in tasks:
            _log.warning("lost job taken up again", task=row["task"])

    @contextmanager
    def starting(self, worker_id: int | None) -> Iterator[StartJob]:
        """Lend a function by which the worker starts jobs itself; see `start_job`.

        The worker ends these jobs, or puts them back, before the block ends. If it cannot, because it does
        not know whether their transaction was committed, they are lost, and are put back if it was.
        """
        started = set[int]()

        async def start(tenant: Tenant, job_id: int) -> bool:
            is_started = worker_id is not None and await start_job(tenant, job_id, worker_id)
            if is_started:
                started.add(job_id)
                self._running.add(job_id)
            return is_started

        try:
            yield start
        finally:
            if started & self._running:
                self._may_have_lost = True
            self._running -= started

    @contextmanager
    def _end(self, job_id: int) -> Iterator[None]:
        """Note that the worker no longer runs a job. If the block fails, the database may not know of it.

        The job may be fetched again before the block ends; then it runs anew.
        """
        self._running.discard(job_id)
        self._ending.add(job_id)
        try:
            yield
        except BaseException:
            self._may_have_lost = True
            raise
        finally:
            self._ending.discard(job_id)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Report that the worker lives, and have its next fetch look for lost jobs."""
        self._may_have_lost = True
        await super().update_heartbeat(worker_id)

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
        with self._end(job_id):
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
        with self._end(job_id):
            await self.connector.execute_query_async(query=_RETRY, job_id=job_id, retry_at=retry_at)
