"""The periodic tasks: queue what is due for each tenant, measure, redeliver, delete old data."""

import structlog
from procrastinate import RetryStrategy

from bot.github.client import GitHubRefusedError, GitHubUnavailableError
from bot.isolation import isolated
from bot.job_blueprint import JobBlueprint, JobServices
from bot.jobs.daily_figures import DailyFigures
from bot.jobs.history_jobs import queue_missing_backfills
from bot.jobs.projection_jobs import check_projections, queue_due_projections
from bot.jobs.retention import Retention
from bot.jobs.sprint_reports import next_turns
from bot.sync.redelivery import Redelivery
from bot.sync.shared_summaries import note_shared_summaries
from storage.database import Tenant
from storage.job_priority import Priority
from storage.job_types import (
    REDELIVER,
    RETAIN,
    TICK,
    CheckJob,
    CheckVisibilityJob,
    MeasureJob,
    PlanSprintJob,
    ReadSettingsJob,
    ReconcileJob,
    RedrawJob,
)
from storage.projects import Project, Projects
from storage.work_lookups import tenants_due

# Of each kind, at a time. With three ticks a minute, every tenant of 10,000 has its turn within 40 minutes.
_MOST_TURNS = 100

tasks = JobBlueprint()
_log = structlog.get_logger(__name__)


@tasks.periodic_job(TICK, "* * * * * */20", is_exclusive=True, priority=Priority.CHECKS)
async def tick(services: JobServices) -> None:
    """Queue the jobs of the tenants that are the longest overdue, including missed runs.

    Whoever is not among them is next time: so thousands of tenants never fill the queue with their turns.
    """
    now, defer = services.clock(), services.jobs.defer
    async with services.database.unscoped() as connection:
        for organization_id in await tenants_due(connection, "measure", now, _MOST_TURNS):
            await defer(connection, MeasureJob(organization_id=organization_id))
        for organization_id in await tenants_due(connection, "reconcile", now, _MOST_TURNS):
            await defer(connection, ReconcileJob(organization_id=organization_id))
            await defer(connection, ReadSettingsJob(organization_id=organization_id))
        for organization_id in await tenants_due(connection, "visibility", now, _MOST_TURNS):
            await defer(connection, CheckVisibilityJob(organization_id=organization_id))
    await queue_due_projections(services)


@tasks.job(MeasureJob, retry=RetryStrategy(max_attempts=2, wait=60))
async def measure(services: JobServices, job: MeasureJob) -> None:
    """Measure a tenant's sprints and people, and queue the work that the new day brings."""
    await services.get(DailyFigures).run(job.organization_id)
    async with services.database.tenant(job.organization_id) as tenant:
        projects = await Projects(tenant).active()
        for project in projects:
            with isolated(_log, "day not begun", project=project.id):
                await _begin_day(services, tenant, project)
    for project in projects:
        with isolated(_log, "projections not checked", project=project.id):
            async with services.database.tenant(job.organization_id) as tenant:
                await check_projections(tenant, project)


async def _begin_day(services: JobServices, tenant: Tenant, project: Project) -> None:
    """Queue the work that a new day brings for one repository."""
    where, defer = tenant.organization_id, services.jobs.defer
    await defer(tenant.connection, CheckJob(organization_id=where, project_id=project.id))
    if project.settings.cadence:
        await defer(tenant.connection, PlanSprintJob(organization_id=where, project_id=project.id))
    # Posts about the new day are sent in the team's morning.
    turns = next_turns(services.clock(), project.rules.calendar, project.settings, where)
    for turn, at in {"now": None, **turns}.items():
        await defer(tenant.connection, RedrawJob(organization_id=where, project_id=project.id, turn=turn), at)
    await note_shared_summaries(tenant, project, services.clock())


@tasks.periodic_job(REDELIVER, "17 * * * *", is_exclusive=True)
async def redeliver(services: JobServices) -> None:
    """Request failed deliveries again, and backfill repositories whose deliveries are lost."""
    redelivery = services.get(Redelivery)
    try:
        await redelivery.run()
        for organization_id in redelivery.take_affected_tenants():
            await queue_missing_backfills(services, organization_id)
    except (GitHubUnavailableError, GitHubRefusedError) as problem:  # The next run finds the same deliveries.
        _log.warning("redelivery failed", reason=str(problem))


@tasks.periodic_job(RETAIN, "40 3 * * *", is_exclusive=True)
async def retain(services: JobServices) -> None:
    """Empty or delete data whose retention has ended."""
    await services.get(Retention).run()
