"""The job that processes a tenant's waiting deliveries."""

from functools import partial

import structlog

from bot.github.client import GitHubUnavailableError
from bot.job_blueprint import JobBlueprint, JobServices
from bot.jobs.answer_jobs import give_started_answer
from bot.jobs.event_processor import EventProcessor, Processed, StartedAnswer, UncheckedInstallationError
from bot.sync.installation_check import InstallationCheck
from storage.fair_jobs import FairJobManager, StartJob
from storage.job_types import ProcessEventsJob
from storage.lookups import wake_tenant

# After this many, the rest of a tenant's deliveries waits behind the jobs of other tenants.
_MOST_DELIVERIES_A_JOB = 300

tasks = JobBlueprint()
_log = structlog.get_logger(__name__)


@tasks.job(ProcessEventsJob)
async def process_events(services: JobServices, job: ProcessEventsJob) -> None:
    """Process a tenant's waiting deliveries. If some are left, queue another job for them.

    If the last of them has commands, they are answered right away where their thread is free.
    """
    with services.get(FairJobManager).starting(services.worker_id) as start:
        started = await _process_and_wake(services, job.organization_id, start)
        if started is None:
            return
        try:
            await give_started_answer(services, started.id, started.job)
        except Exception:  # noqa: BLE001 - FairJobManager puts the answer's job back
            _log.exception("end of an answer not noted")


async def _process_and_wake(
    services: JobServices, organization_id: int, start: StartJob
) -> StartedAnswer | None:
    """Process deliveries, and queue a job for those that are left. Returns the answer to give now."""
    with structlog.contextvars.bound_contextvars(organization=organization_id):
        processed = Processed(0)
        try:
            processed = await _process(services, organization_id, start)
            if processed.deliveries >= _MOST_DELIVERIES_A_JOB:
                async with services.database.unscoped() as connection:
                    await wake_tenant(connection, organization_id)
        except Exception:  # noqa: BLE001 - the deliveries stay waiting; the next sweep tries again
            _log.exception("recording failed")
    return processed.started


async def _process(services: JobServices, organization_id: int, start: StartJob) -> Processed:
    """Process a job's share of deliveries, and confirm installations first if there are any to confirm.

    So the jobs which events ask for find them.
    """
    process = partial(
        services.get(EventProcessor).process_pending,
        organization_id,
        most=_MOST_DELIVERIES_A_JOB,
        start=start,
    )
    try:
        return await process(needs_checked_installations=services.find(InstallationCheck) is not None)
    except UncheckedInstallationError:
        await _check_installations(services, organization_id)
        return await process()


async def _check_installations(services: JobServices, organization_id: int) -> None:
    try:
        await services.get(InstallationCheck).run(organization_id)
    except GitHubUnavailableError as problem:  # The next answer or event checks again.
        _log.warning("installation not checked", reason=str(problem))
    except Exception:  # noqa: BLE001 - events are recorded all the same
        _log.exception("installation not checked")
