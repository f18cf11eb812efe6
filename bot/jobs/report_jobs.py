"""Jobs of unasked posts: computing them, and sending them to GitHub."""

from datetime import timedelta

import structlog
from procrastinate import RetryStrategy

from bot.github.client import GitHubUnavailableError
from bot.isolation import isolated
from bot.job_blueprint import JobBlueprint, JobServices
from bot.jobs.sprint_reports import SprintReports
from bot.publishing.posts import PostPublisher
from storage.job_types import WAKE_POSTS, RedrawJob, SendPostsJob
from storage.lookups import all_tenants
from storage.posts import Posts

_POSTS_PAUSE = timedelta(seconds=5)
_RETRY = RetryStrategy(max_attempts=2, wait=60)

tasks = JobBlueprint()
_log = structlog.get_logger(__name__)


@tasks.job(RedrawJob, retry=_RETRY)
async def redraw(services: JobServices, job: RedrawJob) -> None:
    """Update the posts about a repository's sprints by the facts."""
    await services.get(SprintReports).redraw(job.organization_id, job.project_id)


@tasks.job(SendPostsJob, retry=_RETRY)
async def send_posts(services: JobServices, job: SendPostsJob) -> None:
    """Send a tenant's unsent posts to GitHub."""
    try:
        await services.get(PostPublisher).send(job.organization_id)
    except GitHubUnavailableError as problem:
        at = max(problem.retry_at, services.clock() + _POSTS_PAUSE)
        async with services.database.unscoped() as connection:
            await services.jobs.defer(connection, job, at)


@tasks.periodic_job(WAKE_POSTS, "*/5 * * * *", is_exclusive=False)
async def wake_posts(services: JobServices) -> None:
    """Queue the sending of posts that waited for the end of a pause, of quiet hours or of a crash."""
    async with services.database.unscoped() as connection:
        tenants = await all_tenants(connection)
    for organization_id in tenants:
        with isolated(_log, "posts not woken", organization=organization_id):
            async with services.database.tenant(organization_id) as tenant:
                if await Posts(tenant).projects_with_due():
                    job = SendPostsJob(organization_id=organization_id)
                    await services.jobs.defer(tenant.connection, job)
