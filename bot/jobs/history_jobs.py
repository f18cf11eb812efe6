"""Jobs that read from GitHub: backfill, reconciliation, visibility, settings files."""

from datetime import timedelta

import structlog
from procrastinate import RetryStrategy

from bot.github.client import GitHubRefusedError, GitHubUnavailableError
from bot.isolation import isolated
from bot.job_blueprint import JobBlueprint, JobServices
from bot.jobs.daily_figures import DailyFigures
from bot.jobs.event_processor import REDRAW_EVERY
from bot.sync.access_tracking import find_other_owners, last_heard_after, stop_tracking
from bot.sync.backfill.backfill import Backfill, BackfillError
from bot.sync.installation_check import InstallationCheck
from bot.sync.reconciliation import Reconciliation
from bot.sync.repository_check import RepositoryCheck
from bot.sync.settings_file import SettingsFileSync
from bot.sync.visibility_check import CHECK_EVERY, VisibilityCheck
from storage.database import Tenant
from storage.gaps import Gaps
from storage.installations import Installations
from storage.job_types import (
    BackfillJob,
    CheckJob,
    CheckVisibilityJob,
    ReadSettingsJob,
    ReconcileJob,
    RedrawJob,
    RepositoryLeftJob,
)
from storage.projects import Projects
from storage.repository_presence import RepositoryPresence

_RECONCILE_EVERY = timedelta(days=1)
# A failed delivery that announces a repository may be repeated after the repository's first events.
_ANNOUNCED_WITHIN = timedelta(days=1)
_SETTINGS_PAUSE = timedelta(seconds=5)
_VISIBILITY_PAUSE = timedelta(minutes=1)
_RETRY = RetryStrategy(max_attempts=2, wait=60)

tasks = JobBlueprint()
_log = structlog.get_logger(__name__)


@tasks.job(BackfillJob, retry=_RETRY)
async def backfill(services: JobServices, job: BackfillJob) -> None:
    """Backfill a repository's history from GitHub, if a part is missing or a person requested it."""
    reader = services.get(Backfill)
    if not job.is_wanted and not await reader.is_needed(job.organization_id, job.project_id):
        return
    try:
        await reader.run(job.organization_id, job.project_id)
    except GitHubUnavailableError as problem:
        async with services.database.unscoped() as connection:
            await services.jobs.defer(connection, job, problem.retry_at)
    except (BackfillError, GitHubRefusedError) as problem:
        _log.warning("backfill failed", project=job.project_id, reason=str(problem))
    else:
        await _measure_past(services, job)
        async with services.database.tenant(job.organization_id) as tenant:
            if await Gaps(tenant).of_projects({job.project_id}):
                await _follow_up_gap(services, tenant, job.project_id)


async def _measure_past(services: JobServices, job: BackfillJob) -> None:
    """Measure the sprints of a past that has just been read, so that no answer has to fold all of them."""
    with isolated(_log, "past not measured", project=job.project_id):
        async with services.database.tenant(job.organization_id) as tenant:
            project = await Projects(tenant).get(job.project_id)
        if project is not None:
            await services.get(DailyFigures).measure(job.organization_id, project)


async def _follow_up_gap(services: JobServices, tenant: Tenant, project_id: int) -> None:
    """Reconcile changes that a backfill cannot find, such as a deleted issue, and update all posts."""
    where = tenant.organization_id
    await services.jobs.defer(tenant.connection, ReconcileJob(organization_id=where))
    await services.jobs.defer(tenant.connection, CheckJob(organization_id=where, project_id=project_id))
    redraw = RedrawJob(organization_id=where, project_id=project_id)
    await services.jobs.defer(tenant.connection, redraw, services.clock() + REDRAW_EVERY)


@tasks.job(RepositoryLeftJob, retry=_RETRY)
async def repository_left(services: JobServices, job: RepositoryLeftJob) -> None:
    """Record that a repository belonged to another account at a time.

    If it sent events here later, the other account has lost it again, and both are compared with GitHub.
    """
    async with services.database.tenant(job.organization_id) as tenant:
        if await stop_tracking(tenant, job.node_id, job.left_at):
            _log.info("repository has left", organization=job.organization_id)
            return
        last_event_at = await last_heard_after(tenant, job.node_id, job.left_at) or job.left_at
        await services.jobs.defer(tenant.connection, ReconcileJob(organization_id=job.organization_id))
        for owner in (await find_other_owners(tenant, [job.node_id])).get(job.node_id, ()):
            left = RepositoryLeftJob(organization_id=owner, node_id=job.node_id, left_at=last_event_at)
            await services.jobs.defer(tenant.connection, left)


@tasks.job(ReconcileJob, retry=_RETRY)
async def reconcile(services: JobServices, job: ReconcileJob) -> None:
    """Compare a tenant's repositories and running sprints with GitHub, and schedule the next comparison."""
    next_turn = services.clock() + _RECONCILE_EVERY
    try:
        with isolated(_log, "repositories not compared", organization=job.organization_id):
            await services.get(RepositoryCheck).run(job.organization_id)
        await queue_missing_backfills(services, job.organization_id)
        await _queue_first_backfills(services, job.organization_id)
        await services.get(Reconciliation).run(job.organization_id)
    except GitHubUnavailableError as problem:
        next_turn = problem.retry_at
    except GitHubRefusedError as problem:
        _log.warning("not reconciled", organization=job.organization_id, reason=str(problem))
    finally:  # Also after a bug: it must not come back each minute.
        async with services.database.tenant(job.organization_id) as tenant:
            await Installations(tenant).schedule_reconciliation(next_turn)


@tasks.job(ReadSettingsJob, retry=_RETRY)
async def read_settings(services: JobServices, job: ReadSettingsJob) -> None:
    """Read a repository's settings file, or all of the tenant's."""
    try:
        await services.get(SettingsFileSync).run(job.organization_id, job.project_id)
    except GitHubUnavailableError as problem:
        at = max(problem.retry_at, services.clock() + _SETTINGS_PAUSE)
        async with services.database.unscoped() as connection:
            await services.jobs.defer(connection, job, at)


@tasks.job(CheckVisibilityJob, retry=_RETRY)
async def check_visibility(services: JobServices, job: CheckVisibilityJob) -> None:
    """Ask GitHub which repositories are visible, and redraw the posts of the changed ones."""
    organization_id = job.organization_id
    next_turn, changed = services.clock() + CHECK_EVERY, list[int]()
    try:
        await services.get(InstallationCheck).check_suspension(organization_id)
        changed = await services.get(VisibilityCheck).run(organization_id)
    except GitHubUnavailableError as problem:
        next_turn = min(max(problem.retry_at, services.clock() + _VISIBILITY_PAUSE), next_turn)
    finally:  # Also after a bug: it must not come back each minute.
        async with services.database.tenant(organization_id) as tenant:
            await Installations(tenant).schedule_visibility_check(next_turn)
    await queue_missing_backfills(services, organization_id)
    async with services.database.tenant(organization_id) as tenant:
        # Posts link a picture where the visibility allows it, and show Mermaid elsewhere.
        for project_id in changed:
            redraw = RedrawJob(organization_id=organization_id, project_id=project_id)
            await services.jobs.defer(tenant.connection, redraw)


async def queue_missing_backfills(services: JobServices, organization_id: int) -> None:
    """Queue a backfill for each repository whose events were missed and can be received again."""
    async with services.database.tenant(organization_id) as tenant:
        for project_id in await Gaps(tenant).projects_to_backfill():
            job = BackfillJob(organization_id=organization_id, project_id=project_id)
            await services.jobs.defer(tenant.connection, job)


async def _queue_first_backfills(services: JobServices, organization_id: int) -> None:
    """Queue a backfill for each repository that no delivery announced, and that only its events show."""
    async with services.database.tenant(organization_id) as tenant:
        for project_id in await RepositoryPresence(tenant).never_backfilled(
            services.clock() - _ANNOUNCED_WITHIN
        ):
            job = BackfillJob(organization_id=organization_id, project_id=project_id)
            await services.jobs.defer(tenant.connection, job)
