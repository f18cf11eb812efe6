"""The worker: collects the jobs, builds their services, and runs them.

Any number of workers may run against one database.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import procrastinate
import structlog
from procrastinate.jobs import DeleteJobCondition

import bot.billing.jobs
import bot.checks.jobs
from bot.billing.entitlements import Entitlements
from bot.billing.issue import BillingIssue
from bot.billing.jobs import open_billing_services
from bot.billing.purchase_links import PurchaseLinks
from bot.checks.merge_groups import MergeGroups
from bot.checks.sprint_impact import Checks
from bot.github.client import GitHub
from bot.job_blueprint import JobBlueprint, JobServices, add_jobs
from bot.jobs import (
    answer_jobs,
    cadence_jobs,
    event_jobs,
    history_jobs,
    periodic,
    projection_jobs,
    report_jobs,
    run_later,
    sweep,
)
from bot.jobs.command_answers import CommandAnswers
from bot.jobs.comment_reader import CommentReader
from bot.jobs.daily_figures import DailyFigures
from bot.jobs.event_processor import EventProcessor
from bot.jobs.retention import Retention
from bot.jobs.sprint_reports import SprintReports
from bot.metrics.instruments import Instruments
from bot.publishing.item_titles import ItemTitles
from bot.publishing.pictures import ChartRenderer, Pictures
from bot.publishing.posts import AsOfNow, PostPublisher
from bot.services import Services, open_github
from bot.settings.billing import BillingSettings
from bot.sync.backfill.backfill import Backfill
from bot.sync.installation_check import InstallationCheck
from bot.sync.reconciliation import Reconciliation
from bot.sync.redelivery import Redelivery
from bot.sync.repository_check import RepositoryCheck
from bot.sync.settings_file import SettingsFileSync
from bot.sync.visibility_check import VisibilityCheck
from reports.drafts import DraftCache
from storage.fair_jobs import FairJobManager
from storage.jobs import EVENTS, OTHERS, Jobs
from storage.post_states import BILLING, Post, PostKind

_CONCURRENCY = 8
# Nobody is notified when the time of a scheduled job has come.
_POLL_SECONDS = 0.3
# After SIGTERM, running jobs get this many seconds.
_SHUTDOWN_SECONDS = 10
_RESTART_SECONDS = 1


def blueprints(billing: BillingSettings, *, talks: bool) -> list[JobBlueprint]:
    """All jobs of a worker. With `talks=False`, only deliveries are recorded."""
    recording = [event_jobs.tasks]
    if not talks:
        return recording
    return [
        *recording,
        answer_jobs.tasks,
        run_later.tasks,
        sweep.tasks,
        periodic.tasks,
        cadence_jobs.tasks,
        history_jobs.tasks,
        projection_jobs.tasks,
        report_jobs.tasks,
        bot.checks.jobs.tasks,
        *bot.billing.jobs.blueprints_for(billing),
    ]


@asynccontextmanager
async def worker(
    base: Services,
    *,
    talks: bool = True,
    renderer: ChartRenderer | None = None,
    has_periodic_jobs: bool = True,
    poll_seconds: float = _POLL_SECONDS,
) -> AsyncIterator[None]:
    """Run a worker in the background. With `talks=False`, it only records deliveries.

    Without `renderer` it has processes of its own to draw pictures in. Without periodic jobs it runs only
    what others defer: for tests, which set the time themselves. Every `poll_seconds` it looks for jobs
    without being notified, because the time of a scheduled job may have come.
    """
    app = procrastinate.App(connector=base.queue.connector)
    app.job_manager = FairJobManager(app.connector, _CONCURRENCY, base.clock)
    for blueprint in blueprints(base.settings.billing, talks=talks):
        add_jobs(app, blueprint)
        base.instruments.expect_jobs(blueprint.tasks)
    if not has_periodic_jobs:
        app.periodic_registry.periodic_tasks.clear()
    async with AsyncExitStack() as stack:
        comments = CommentReader()
        stack.callback(comments.close)
        jobs = Jobs()
        answering_jobs = jobs if talks else None
        processor = EventProcessor(
            base.database, base.cipher, answering_jobs, base.clock, comments, base.instruments
        )
        parts: list[object] = [app.job_manager, processor]
        if talks:
            github = await stack.enter_async_context(open_github(base))
            if renderer is None:
                renderer = await stack.enter_async_context(_own_renderer(base.instruments))
            pictures = Pictures(base.database, renderer, base.settings.public_url)
            stack.push_async_callback(pictures.close)
            parts += _talking_parts(base, github, jobs, pictures, comments)
            parts += await stack.enter_async_context(open_billing_services(base, github, jobs))
        parts_by_class = {type(part): part for part in parts}
        services = JobServices(base.database, jobs, base.clock, parts_by_class, base.instruments)
        await sweep.sweep(services)
        # Workers without the code to answer must not take the jobs of those that have it.
        queues = [EVENTS, OTHERS] if talks else [EVENTS]
        running = asyncio.create_task(_run_forever(app, services, queues, poll_seconds))
        stack.push_async_callback(_stop, running)
        yield


def _talking_parts(
    base: Services, github: GitHub, jobs: Jobs, pictures: Pictures, comments: CommentReader
) -> list[object]:
    """The objects that do the work of all jobs but recording and billing."""
    database, cipher, clock = base.database, base.cipher, base.clock
    offer = PurchaseLinks(base.settings.billing, base.settings.public_url, cipher)
    entitled_in = Entitlements(database, offer, clock).for_project
    installations = InstallationCheck(database, github, clock)
    titles = ItemTitles(github.web_url)
    reports = SprintReports(database, pictures, titles, jobs, clock, entitled_in)
    checks = Checks(database, cipher, github, pictures, jobs, clock, entitled_in)
    billing_issue = BillingIssue(database, github, offer, jobs, clock)
    return [
        github,
        installations,
        CommandAnswers(
            database,
            cipher,
            github,
            pictures,
            titles,
            clock,
            jobs,
            offer,
            installations=installations,
            comments=comments,
            instruments=base.instruments,
        ),
        reports,
        checks,
        billing_issue,
        MergeGroups(database, github, clock),
        PostPublisher(database, github, clock, _as_of_now(reports, checks, billing_issue)),
        Backfill(database, github, clock),
        Reconciliation(database, github, clock),
        RepositoryCheck(database, github, clock),
        VisibilityCheck(database, github, clock),
        SettingsFileSync(database, github, clock),
        Redelivery(database, github, clock),
        DailyFigures(database, clock),
        Retention(database, clock, timedelta(days=base.settings.payload_days)),
    ]


def _as_of_now(reports: SprintReports, checks: Checks, billing_issue: BillingIssue) -> AsOfNow:
    """Return the function that updates a waiting post through the part that wrote the post."""

    async def as_of_now(
        organization_id: int, project_id: int, post: Post, drafts_now: DraftCache
    ) -> Post | None:
        if post.kind is PostKind.CHECK:
            return await checks.as_of_now(organization_id, project_id, post)
        if post.key.startswith(BILLING):
            return await billing_issue.as_of_now(organization_id, project_id, post)
        return await reports.as_of_now(organization_id, project_id, post, drafts_now)

    return as_of_now


@asynccontextmanager
async def _own_renderer(instruments: Instruments) -> AsyncIterator[ChartRenderer]:
    renderer = ChartRenderer(instruments=instruments)
    warming = asyncio.create_task(renderer.warm_up())
    try:
        yield renderer
    finally:
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        renderer.close()


async def _run_forever(
    app: procrastinate.App, services: JobServices, queues: Sequence[str], poll_seconds: float
) -> None:
    """Run jobs until cancelled, also after the database was away. Running jobs are given time to end."""
    log, task = structlog.get_logger(__name__), asyncio.current_task()
    # If the database is away while the worker is stopping, the database's error may be raised in place of
    # the cancellation: the worker must not begin again then.
    while task is None or not task.cancelling():
        try:
            await app.run_worker_async(
                queues=queues,
                concurrency=_CONCURRENCY,
                fetch_job_polling_interval=poll_seconds,
                install_signal_handlers=False,
                shutdown_graceful_timeout=_SHUTDOWN_SECONDS,
                delete_jobs=DeleteJobCondition.SUCCESSFUL,
                additional_context=services.context,
            )
        except Exception:
            log.exception("the worker failed and restarts")
            await asyncio.sleep(_RESTART_SECONDS)


async def _stop(task: asyncio.Task[None]) -> None:
    """End a running worker and wait for it."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
