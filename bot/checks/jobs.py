"""Jobs of the check “Sprint impact”: on pull requests, for its buttons, and on merge groups."""

from datetime import timedelta

from procrastinate import RetryStrategy

from bot.checks.merge_groups import MergeGroups
from bot.checks.sprint_impact import Checks
from bot.github.client import GitHubUnavailableError
from bot.job_blueprint import JobBlueprint, JobServices
from bot.publishing.retry_unless_busy import RetryUnlessBusy
from storage.job_types import CheckJob, PressJob, ReportMergeGroupJob

_PAUSE = timedelta(seconds=5)
_RETRY = RetryStrategy(max_attempts=2, wait=60)

tasks = JobBlueprint()


@tasks.job(CheckJob, retry=_RETRY)
async def check(services: JobServices, job: CheckJob) -> None:
    """Update the check of one open pull request, or of all."""
    await services.get(Checks).update(
        job.organization_id, job.project_id, job.number, job.head, is_rerun=job.is_rerun
    )


@tasks.job(PressJob, retry=RetryUnlessBusy(max_attempts=2, wait=60))
async def press(services: JobServices, job: PressJob) -> None:
    """Carry out what a pressed button requests."""
    try:
        await services.get(Checks).press(
            job.organization_id, job.event_id, job.project_id, attempts=services.attempts
        )
    except GitHubUnavailableError as problem:
        at = max(problem.retry_at, services.clock() + _PAUSE)
        async with services.database.unscoped() as connection:
            await services.jobs.defer(connection, job, at)


@tasks.job(ReportMergeGroupJob, retry=RetryStrategy(max_attempts=5, wait=10))
async def report_merge_group(services: JobServices, job: ReportMergeGroupJob) -> None:
    """Report the check of a merge group's commit."""
    try:
        await services.get(MergeGroups).report(
            job.organization_id, job.project_id, job.head, job.number, is_rerun=job.is_rerun
        )
    except GitHubUnavailableError as problem:
        at = max(problem.retry_at, services.clock() + _PAUSE)
        async with services.database.unscoped() as connection:
            await services.jobs.defer(connection, job, at)
