"""The job that answers the commands of an event."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import structlog
from procrastinate import RetryStrategy
from procrastinate.jobs import Status

from bot.github.client import GitHubUnavailableError
from bot.job_blueprint import JobBlueprint, JobServices
from bot.jobs.command_answers import CommandAnswers
from bot.publishing.expiry import expire
from bot.publishing.repository_locks import RepositoryBusyError
from bot.publishing.retry_unless_busy import RetryUnlessBusy
from storage.fair_jobs import FairJobManager
from storage.job_types import AnswerJob, ExpirePreviewJob

_MOST_TRIES_OF_A_BUG = 3
_WAIT_AFTER_BUG = timedelta(seconds=2)
# About a day, with up to an hour between tries while GitHub is unavailable.
_MOST_TRIES_OF_GITHUB = 30

tasks = JobBlueprint()
_log = structlog.get_logger(__name__)


@tasks.job(
    AnswerJob,
    retry=RetryUnlessBusy(max_attempts=_MOST_TRIES_OF_A_BUG - 1, wait=int(_WAIT_AFTER_BUG.total_seconds())),
)
async def answer(services: JobServices, job: AnswerJob) -> None:
    """Answer an event's commands. While GitHub is unavailable, the answer waits for up to about a day."""
    is_last_try = services.attempts + 1 >= _MOST_TRIES_OF_A_BUG
    with structlog.contextvars.bound_contextvars(organization=job.organization_id):
        try:
            needs_lock = await services.get(CommandAnswers).answer(
                job.organization_id,
                job.event_id,
                is_last_try=is_last_try,
                may_change=job.is_changing,
                attempts=services.attempts,
            )
        except RepositoryBusyError as busy:
            _log.info("answer waits for other changes", reason=str(busy), attempts=services.attempts)
            raise
        except GitHubUnavailableError as problem:
            if job.tries >= _MOST_TRIES_OF_GITHUB:
                _log.error("answer abandoned", reason=str(problem))
                raise
            _log.warning("answer postponed", reason=str(problem), until=problem.retry_at.isoformat())
            at = max(problem.retry_at, services.clock() + _backoff(job.tries))
            await _defer_again(services, msgspec.structs.replace(job, tries=job.tries + 1), at)
        except Exception:
            _log.exception("answer failed", is_last_try=is_last_try)
            raise
        else:
            if needs_lock:
                await _defer_again(services, msgspec.structs.replace(job, is_changing=True))


async def _defer_again(services: JobServices, job: AnswerJob, at: datetime | None = None) -> None:
    async with services.database.unscoped() as connection:
        await services.jobs.defer(connection, job, at)


@tasks.job(ExpirePreviewJob, retry=RetryStrategy(max_attempts=2, wait=60))
async def expire_preview(services: JobServices, job: ExpirePreviewJob) -> None:
    """End a proposal whose box nobody ticked, and send the text that takes the place of its preview."""
    async with services.database.tenant(job.organization_id) as tenant:
        event_id = await expire(tenant, job.project_id, job.change_id, services.clock())
        if event_id is not None:
            answer_job = AnswerJob(organization_id=job.organization_id, event_id=event_id, thread=job.thread)
            await services.jobs.defer(tenant.connection, answer_job)


async def give_started_answer(services: JobServices, job_id: int, job: AnswerJob) -> None:
    """Give an answer whose job this worker has started itself (`Jobs.start`), and end that job.

    After a bug, and when the worker stops meanwhile, the job is put back into the queue.
    """
    queue = services.get(FairJobManager)
    try:
        with services.instruments.time_job(job.name):
            await answer(replace(services, attempts=0), job)
    except RepositoryBusyError as busy:
        await queue.retry_job_by_id_async(job_id, busy.retry_at)
    except Exception:  # noqa: BLE001 - `answer` has logged it
        await queue.retry_job_by_id_async(job_id, services.clock() + _WAIT_AFTER_BUG)
    except BaseException:
        await asyncio.shield(queue.retry_job_by_id_async(job_id, services.clock()))
        raise
    else:
        await queue.finish_job_by_id_async(job_id, Status.SUCCEEDED, delete_job=True)


def _backoff(tries: int) -> timedelta:
    """The pause after a number of failures to reach GitHub: seconds at first, an hour at most."""
    return timedelta(seconds=min(2.0 * 2**tries, 3600.0))
