"""Jobs that wait for their time without a lock, and are then deferred again with their lock."""

from typing import Final

from procrastinate import RetryStrategy

from bot.job_blueprint import JobBlueprint, JobServices
from storage.job_types import AnswerJob, CheckJob, PressJob, RedrawJob, SendPostsJob, build_job
from storage.jobs import JobMessage, RunLaterJob, TenantJob

tasks = JobBlueprint()
_RETRY = RetryStrategy(max_attempts=2, wait=60)
# Tasks of versions before `run_later`, with the same arguments, which may still be queued.
FORMER_TASKS: Final[dict[str, type[TenantJob]]] = {
    "answer_later": AnswerJob,
    "send_posts_later": SendPostsJob,
    "redraw_later": RedrawJob,
    "check_later": CheckJob,
    "press_later": PressJob,
}


@tasks.job(RunLaterJob, retry=_RETRY)
async def run_later(services: JobServices, job: RunLaterJob) -> None:
    """Defer the job whose time has come."""
    await _defer(services, build_job(job.task, job.arguments))


async def _defer(services: JobServices, job: JobMessage) -> None:
    async with services.database.unscoped() as connection:
        await services.jobs.defer(connection, job)


for _task, _kind in FORMER_TASKS.items():
    tasks.job(_kind, retry=_RETRY, alias=_task)(_defer)
