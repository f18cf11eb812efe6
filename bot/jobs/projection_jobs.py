"""The job that computes stale projections of items anew: after an upgrade, or when rules changed."""

import structlog

from bot.job_blueprint import JobBlueprint, JobServices
from storage.database import Database, Tenant
from storage.item_projections import ItemProjections
from storage.job_types import RefreshProjectionsJob
from storage.lookups import projects_with_projections_due
from storage.projects import Project, Projects
from storage.timeline import Timeline

# So many items are locked at once, so that recording waits for moments only.
_SLICE = 200
# So many stored projections of a repository are compared with the events each night.
_SAMPLE = 50
_MOST_PROJECTS = 100

tasks = JobBlueprint()
_log = structlog.get_logger(__name__)


@tasks.job(RefreshProjectionsJob)
async def refresh_projections(services: JobServices, job: RefreshProjectionsJob) -> None:
    """Compute the stale projections of a repository anew."""
    await refresh_all(services.database, job.organization_id, job.project_id)


async def refresh_all(database: Database, organization_id: int, project_id: int) -> None:
    """Compute the stale projections of a repository anew, in slices of a transaction each."""
    refreshed = _SLICE
    while refreshed == _SLICE:
        async with database.tenant(organization_id, durable=False) as tenant:
            project = await Projects(tenant).get(project_id)
            if project is None:
                return
            projections = ItemProjections(tenant, Timeline(tenant))
            refreshed = await projections.refresh_stale(project.id, project.rules, _SLICE)


async def queue_due_projections(services: JobServices) -> None:
    """Queue the jobs of repositories that have stale projections."""
    async with services.database.unscoped() as connection:
        for organization_id, project_id in await projects_with_projections_due(connection, _MOST_PROJECTS):
            job = RefreshProjectionsJob(organization_id=organization_id, project_id=project_id)
            await services.jobs.defer(connection, job)


async def check_projections(tenant: Tenant, project: Project) -> None:
    """Compare a sample of a repository's projections with its events; log and mend differences."""
    projections = ItemProjections(tenant, Timeline(tenant))
    differences = await projections.find_differences(project.id, project.rules, _SAMPLE)
    for difference in differences:
        _log.error("projection differs from its events", project=project.id, item=difference.item)
    await projections.refresh(project.id, [difference.item for difference in differences], project.rules)
