"""Retries of refused writes once the reason may be over: permissions, a suspension, a lock."""

from datetime import datetime

from storage.database import Tenant
from storage.job_types import AnswerJob, SendPostsJob
from storage.jobs import JobMessage
from storage.outbox import ANSWERS_LAST, Outbox
from storage.posts import Posts


async def retry_refused(
    tenant: Tenant, now: datetime, project_id: int | None = None, thread: int | None = None
) -> list[JobMessage]:
    """Make refused posts and answers due again, in one repository or all and in one thread or all.

    Returns the jobs that send them, to be deferred by the caller.
    """
    jobs, where = list[JobMessage](), tenant.organization_id
    if await Posts(tenant).retry_refused(project_id, thread):
        jobs.append(SendPostsJob(organization_id=where))
    for answer in await Outbox(tenant).retry_refused(now - ANSWERS_LAST, project_id, thread):
        lock = f"thread:{answer.project_id}:{answer.thread}"
        jobs.append(AnswerJob(organization_id=where, event_id=answer.event_id, thread=lock))
    return jobs
