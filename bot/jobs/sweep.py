"""The periodic job that keeps the queue going: jobs of dead workers, forgotten deliveries, ended jobs."""

from datetime import UTC, datetime, timedelta

import structlog
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from bot.job_blueprint import JobBlueprint, JobServices
from storage.fair_jobs import FairJobManager
from storage.job_priority import Priority
from storage.job_types import SWEEP
from storage.jobs import DEAD_AFTER, delete_ended_jobs, stalled_jobs
from storage.work_lookups import wake_waiting_tenants

_KEEP_FAILED_JOBS = timedelta(days=7)
# The others are woken by the next sweep.
_MOST_TENANTS = 500
# Workers delete the jobs that are done; others, and those of older versions, are deleted little by little.
_MOST_DELETIONS = 200
# The worker's clock decides when a job's time has come; this is past by any clock.
_AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)

tasks = JobBlueprint()
_log = structlog.get_logger(__name__)


@tasks.periodic_job(SWEEP, "* * * * * */15", is_exclusive=False, priority=Priority.RECORDING)
async def sweep(services: JobServices) -> None:
    """Resume the jobs of dead workers and deliveries that wait without a job; delete ended jobs."""
    await _retry_stalled_jobs(services)
    async with services.database.unscoped() as connection:
        await wake_waiting_tenants(connection, services.clock(), _MOST_TENANTS)
    async with services.database.unscoped() as connection:
        await delete_ended_jobs(connection, _KEEP_FAILED_JOBS, _MOST_DELETIONS)


async def _retry_stalled_jobs(services: JobServices) -> None:
    manager = services.get(FairJobManager)
    async with services.database.unscoped() as connection:
        stalled = await stalled_jobs(connection, DEAD_AFTER)
    for job in stalled:
        _log.warning("job of a dead worker restarted", task=job.task)
        try:
            await manager.retry_job_by_id_async(job.id, _AT_ONCE)
        except UniqueViolation:  # Another waiting job does the same work.
            await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
