"""The jobs, and the worker that runs them. Start as many workers as you like against one database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import procrastinate
import structlog
from procrastinate import JobContext
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from bot.billing.entitlements import Entitlements
from bot.billing.issue import BillingIssue
from bot.billing.jobs import BillingTasks
from bot.billing.purchase_links import PurchaseLinks
from bot.checks.merge_groups import MergeGroups
from bot.checks.sprint_impact import Checks
from bot.github.client import GitHubUnavailableError
from bot.jobs.command_answers import CommandAnswers
from bot.jobs.comment_reader import CommentReader
from bot.jobs.event_processor import EventProcessor
from bot.jobs.periodic import PeriodicTasks
from bot.jobs.sprint_reports import SprintReports
from bot.publishing.pictures import Drawing, Pictures
from bot.services import Services, github_of
from bot.sync.installation_check import InstallationCheck
from reports.drafts import DraftsNow
from storage.billing_jobs import BillingJobs
from storage.database import Database
from storage.fair_jobs import FairJobManager
from storage.jobs import (
    ANSWER,
    ANSWER_LATER,
    EVENTS,
    OTHERS,
    PROCESS_EVENTS,
    SWEEP,
    Jobs,
    delete_ended_jobs,
    stalled_jobs,
)
from storage.lookups import tenants_with_waiting_events, wake_tenant
from storage.posts import BILLING, Post, PostKind

_CONCURRENCY = 8
# A safety net under PostgreSQL's notifications, one of which can be lost during a fetch.
_POLL_SECONDS = 0.3
# Then the rest of a tenant's deliveries waits behind what others wait for.
_MOST_DELIVERIES_A_JOB = 300
_MOST_TRIES_OF_A_BUG = 3
# About a day, with an hour between tries when GitHub stays away.
_MOST_TRIES_OF_GITHUB = 30
_KEEP_ENDED_JOBS = timedelta(hours=24)
_KEEP_FAILED_JOBS = timedelta(days=7)
# A worker reports every 10 seconds that it lives.
_DEAD_AFTER = timedelta(seconds=30)
# The worker's clock decides when a job's time has come; this is past by any clock.
_AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)


class Worker:
    """Registers the jobs with a queue and runs them until told to stop."""

    def __init__(
        self,
        queue: procrastinate.App,
        database: Database,
        recording: EventProcessor,
        answers: CommandAnswers | None,
        clock: Callable[[], datetime],
        installations: InstallationCheck | None = None,
    ) -> None:
        self._queue = queue
        self._database = database
        self._recording = recording
        self._answers = answers
        self._installations = installations
        self._clock = clock
        self._jobs = Jobs(queue)
        self._log = structlog.get_logger(__name__)
        retry = procrastinate.RetryStrategy(max_attempts=_MOST_TRIES_OF_A_BUG - 1, wait=2)
        queue.task(name=PROCESS_EVENTS, queue=EVENTS)(self._process_events)
        if answers is not None:
            queue.task(name=ANSWER, queue=OTHERS, retry=retry, pass_context=True)(self._answer)
            queue.task(name=ANSWER_LATER, queue=OTHERS, retry=retry)(self._answer_later)

    def add_clockwork(self) -> None:
        """Adds what runs by the clock."""
        task = self._queue.task(name=SWEEP, queue=OTHERS, queueing_lock=SWEEP)(self.sweep)
        self._queue.periodic(cron="*/15 * * * * *")(task)

    async def run(self) -> None:
        """Works until cancelled; a job under way is given time to end."""
        # Who knows no answers must not take the jobs of those who do.
        queues = [EVENTS, OTHERS] if self._answers else [EVENTS]
        await self._queue.run_worker_async(
            queues=queues,
            concurrency=_CONCURRENCY,
            fetch_job_polling_interval=_POLL_SECONDS,
            install_signal_handlers=False,
            shutdown_graceful_timeout=10,
        )

    async def sweep(self, timestamp: int = 0) -> None:  # noqa: ARG002 - the clock's argument
        """Picks up what a killed worker left behind, and what waits although its time has come."""
        manager = self._queue.job_manager
        async with self._database.unscoped() as connection:
            stalled = await stalled_jobs(connection, _DEAD_AFTER)
        for job in stalled:
            self._log.warning("job of a dead worker taken up again", task=job.task)
            try:
                await manager.retry_job_by_id_async(job.id, _AT_ONCE)
            except UniqueViolation:  # The same work waits already, in another job.
                await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        async with self._database.unscoped() as connection:
            for organization_id in await tenants_with_waiting_events(connection, self._clock()):
                await wake_tenant(connection, organization_id)
        async with self._database.unscoped() as connection:
            await delete_ended_jobs(connection, _KEEP_ENDED_JOBS)
            await delete_ended_jobs(connection, _KEEP_FAILED_JOBS, with_failed=True)

    async def _process_events(self, organization_id: int) -> None:
        with structlog.contextvars.bound_contextvars(organization=organization_id):
            await self._check_installations(organization_id)
            try:
                worked = await self._recording.process_pending(organization_id, most=_MOST_DELIVERIES_A_JOB)
                if worked >= _MOST_DELIVERIES_A_JOB:
                    async with self._database.unscoped() as connection:
                        await wake_tenant(connection, organization_id)
            except Exception:  # noqa: BLE001 - the deliveries wait where they are; the next sweep tries again
                self._log.exception("recording failed")

    async def _check_installations(self, organization_id: int) -> None:
        """Before events are processed, so that what they ask for finds the installation."""
        if self._installations is None:
            return
        try:
            await self._installations.run(organization_id)
        except GitHubUnavailableError as problem:  # An answer asks again; so does the next event.
            self._log.warning("installation not checked", reason=str(problem))
        except Exception:  # noqa: BLE001 - events are recorded all the same
            self._log.exception("installation not checked")

    async def _answer(
        self, context: JobContext, organization_id: int, event_id: int, thread: str, tries: int = 0
    ) -> None:
        if self._answers is None:
            return
        is_last_try = context.job.attempts + 1 >= _MOST_TRIES_OF_A_BUG
        with structlog.contextvars.bound_contextvars(organization=organization_id):
            try:
                await self._answers.give(organization_id, event_id, is_last_try=is_last_try)
            except GitHubUnavailableError as problem:
                if tries >= _MOST_TRIES_OF_GITHUB:
                    self._log.error("answer given up", reason=str(problem))
                    raise
                self._log.warning("answer put off", reason=str(problem), until=problem.retry_at.isoformat())
                async with self._database.unscoped() as connection:
                    await self._jobs.answer_later(
                        connection,
                        max(problem.retry_at, self._clock() + _backoff(tries)),
                        organization_id=organization_id,
                        event_id=event_id,
                        thread=thread,
                        tries=tries + 1,
                    )

            except Exception:
                self._log.exception("answer failed", is_last_try=is_last_try)
                raise

    async def _answer_later(self, organization_id: int, event_id: int, thread: str, tries: int) -> None:
        async with self._database.unscoped() as connection:
            await self._jobs.answer(
                connection, organization_id=organization_id, event_id=event_id, thread=thread, tries=tries
            )


def _backoff(tries: int) -> timedelta:
    """How long to leave GitHub alone after so many failures: seconds at first, an hour at most."""
    return timedelta(seconds=min(2.0 * 2**tries, 3600.0))


@asynccontextmanager
async def worker(
    base: Services, *, talks: bool = True, drawing: Drawing | None = None, has_periodic_jobs: bool = True
) -> AsyncIterator[Worker]:
    """A worker at work. One that does not talk records, but answers nobody and does nothing by the clock.

    Without `drawing` it has processes of its own to draw pictures in. Without periodic jobs it does only
    what others defer: for tests, which say themselves what time it is.
    """
    jobs = Jobs(base.queue)
    async with AsyncExitStack() as stack:
        reading = CommentReader()
        stack.callback(reading.close)
        recording = EventProcessor(base.database, base.cipher, jobs if talks else None, base.clock, reading)
        # Tasks are registered with an app of this worker's own, on the same connections.
        queue = procrastinate.App(connector=base.queue.connector)
        queue.job_manager = FairJobManager(queue.connector, _CONCURRENCY, base.clock)
        answers = installations = None
        if talks:
            github = await stack.enter_async_context(github_of(base))
            if drawing is None:
                drawing = await stack.enter_async_context(_own_drawing())
            pictures = Pictures(base.database, drawing, base.settings.public_url)
            shop = PurchaseLinks(base.settings.billing, base.settings.public_url, base.cipher)
            installations = InstallationCheck(base.database, github, base.clock)
            answers = CommandAnswers(
                base.database,
                base.cipher,
                github,
                pictures,
                base.clock,
                jobs,
                shop,
                installations=installations,
                reading=reading,
            )
            keep = timedelta(days=base.settings.payload_days)
            may = Entitlements(base.database, shop, base.clock).of
            reports = SprintReports(base.database, pictures, jobs, base.clock, may)
            reports.register(queue)
            checks = Checks(base.database, base.cipher, github, pictures, jobs, base.clock, may)
            checks.register(queue)

            billing_issue = BillingIssue(base.database, github, shop, jobs, base.clock)
            billing_issue.register(queue)

            async def as_of_now(
                organization_id: int, project_id: int, post: Post, drafts_now: DraftsNow
            ) -> Post | None:
                if post.kind is PostKind.CHECK:
                    return await checks.as_of_now(organization_id, project_id, post)
                if post.key.startswith(BILLING):
                    return await billing_issue.as_of_now(organization_id, project_id, post)
                return await reports.as_of_now(organization_id, project_id, post, drafts_now)

            PeriodicTasks(base.database, github, jobs, base.clock, keep, as_of_now).register(queue)
            billing = BillingTasks(
                base.database, github, base.settings.billing, BillingJobs(base.queue), base.clock
            )
            billing.register(queue)
            stack.push_async_callback(billing.close)
            MergeGroups(base.database, github, jobs, base.clock).register(queue)
        started = Worker(queue, base.database, recording, answers, base.clock, installations)
        await started.sweep()
        if talks:
            started.add_clockwork()
        if not has_periodic_jobs:
            queue.periodic_registry.periodic_tasks.clear()
        running = asyncio.create_task(_for_ever(started))
        stack.push_async_callback(_stop, running)
        yield started


@asynccontextmanager
async def _own_drawing() -> AsyncIterator[Drawing]:
    drawing = Drawing()
    warming = asyncio.create_task(drawing.warm_up())
    try:
        yield drawing
    finally:
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        drawing.close()


async def _for_ever(started: Worker) -> None:
    """Runs a worker, again after its database was away, until it is cancelled."""
    log, task = structlog.get_logger(__name__), asyncio.current_task()
    # If the database is away while the worker is told to stop, what is raised may be the database's error in
    # place of the cancellation: it must not begin again then.
    while task is None or not task.cancelling():
        try:
            await started.run()
        except Exception:
            log.exception("the worker stopped and begins again")
            await asyncio.sleep(1)


async def _stop(task: asyncio.Task[None]) -> None:
    """Ends a running worker and waits for it."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
