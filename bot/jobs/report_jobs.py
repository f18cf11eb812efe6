"""The jobs of posts about sprints: working them out, and bringing them to GitHub."""

from datetime import timedelta
from functools import partial

from procrastinate import RetryStrategy

from bot.github.client import GitHubUnavailableError
from bot.job_blueprint import JobBlueprint, JobServices
from bot.jobs.sprint_reports import SprintReports
from bot.publishing.posts import PostPublisher
from storage.job_priority import Priority
from storage.job_types import WAKE_POSTS, RedrawJob, SendPostsJob
from storage.work_lookups import tenants_with_due_posts, tenants_with_work

_POSTS_PAUSE = timedelta(seconds=5)
_RETRY = RetryStrategy(max_attempts=2, wait=60)

tasks = JobBlueprint()


@tasks.job(RedrawJob, retry=_RETRY)
async def redraw(services: JobServices, job: RedrawJob) -> None:
    """Bring the posts about a repository's sprints up to date with the facts."""
    await services.get(SprintReports).redraw(job.organization_id, job.project_id)


@tasks.job(SendPostsJob, retry=_RETRY)
async def send_posts(services: JobServices, job: SendPostsJob) -> None:
    """Bring a tenant's unsent posts to GitHub."""
    try:
        await services.get(PostPublisher).send(job.organization_id)
    except GitHubUnavailableError as problem:
        at = max(problem.retry_at, services.clock() + _POSTS_PAUSE)
        async with services.database.unscoped() as connection:
            await services.jobs.defer(connection, job, at)


@tasks.periodic_job(WAKE_POSTS, "*/5 * * * *", is_exclusive=False, priority=Priority.POSTS)
async def wake_posts(services: JobServices) -> None:
    """Queue the sending of posts that waited for the end of a pause, of quiet hours or of a crash."""
    look_up = partial(tenants_with_due_posts, moment=services.clock())
    async for organization_id in tenants_with_work(services.database, look_up):
        async with services.database.unscoped() as connection:
            await services.jobs.defer(connection, SendPostsJob(organization_id=organization_id))
