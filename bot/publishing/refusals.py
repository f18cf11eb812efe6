"""Retries of refused writes once the reason may be over: permissions, a suspension, a lock."""

from datetime import datetime, timedelta

from storage.database import Tenant
from storage.job_types import AnswerJob, SendPostsJob
from storage.jobs import JobMessage
from storage.outbox import Outbox
from storage.posts import Posts

# A later answer is of no use.
_ANSWERS_LAST = timedelta(days=1)


async def retry_refused(
    tenant: Tenant, now: datetime, project_id: int | None = None, thread: int | None = None
) -> list[JobMessage]:
    """Make refused posts and answers due again, in one repository or all and in one thread or all.

    Returns the jobs that send them, to be deferred by the caller.
    """
    jobs, where = list[JobMessage](), tenant.organization_id
    if await Posts(tenant).retry_refused(project_id, thread):
        jobs.append(SendPostsJob(organization_id=where))
    for answer in await Outbox(tenant).retry_refused(now - _ANSWERS_LAST, project_id, thread):
        lock = f"thread:{answer.project_id}:{answer.thread}"
        jobs.append(AnswerJob(organization_id=where, event_id=answer.event_id, thread=lock))
    return jobs
