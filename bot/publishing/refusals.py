"""What GitHub refused is tried again once the reason may be gone: permissions, a suspension, a lock."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from storage.database import Tenant
from storage.jobs import ANSWER, SEND_POSTS, Jobs
from storage.outbox import Outbox
from storage.posts import Posts

# An answer that comes later helps nobody.
_ANSWERS_LAST = timedelta(days=1)


async def forgive(
    jobs: Jobs, tenant: Tenant, now: datetime, project_id: int | None = None, thread: int | None = None
) -> list[tuple[str, tuple[int | str, ...], Callable[[], Awaitable[None]]]]:
    """Makes what was refused due again, in one repository or all and in one thread or all.

    Returns the jobs that bring it to GitHub: the task, what orders it among others, and how it is deferred.
    """
    deferrals = list[tuple[str, tuple[int | str, ...], Callable[[], Awaitable[None]]]]()
    where = tenant.organization_id
    if await Posts(tenant).retry_refused(project_id, thread):
        deferrals.append((SEND_POSTS, (), partial(jobs.send_posts, tenant.connection, organization_id=where)))
    answers = await Outbox(tenant).retry_refused(now - _ANSWERS_LAST, project_id, thread)
    for answer in answers:
        lock = f"thread:{answer.project_id}:{answer.thread}"
        give = partial(
            jobs.answer, tenant.connection, organization_id=where, event_id=answer.event_id, thread=lock
        )
        deferrals.append((ANSWER, (), give))
    return deferrals
