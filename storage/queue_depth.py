"""The depth of the job queue over all tenants: numbers and ages by priority, and nothing of any tenant."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A job that was queued for now is as old as the event of its queueing, which procrastinate dates by the
# database's own clock. A scheduled one has been ready since the time that the application gave it, which
# procrastinate notes as well: fetch_fair_job clears `scheduled_at` of a job whose time has come.
_DEPTHS = text("""
with moment (now) as materialized (select app_now()),
ready as (
    select
        priority, count(*) as jobs,
        min(id) filter (where scheduled_at is null) as oldest, min(scheduled_at) as scheduled_at
    from procrastinate_jobs
    where status = 'todo' and coalesce(scheduled_at <= (select now from moment), true)
    group by priority
)
select
    priority, jobs,
    greatest(
        extract(epoch from (select now from moment) - scheduled_at),
        (
            select extract(epoch from coalesce(
                (select now from moment) - max(at) filter (where type = 'scheduled'),
                now() - min(at) filter (where type = 'deferred')
            ))
            from procrastinate_events where job_id = oldest
        ),
        0
    )
from ready order by priority
""")


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The jobs of one priority that could run now, those that wait for a lock included.

    `oldest_seconds` is the time since the oldest of them has been ready.
    """

    priority: int
    ready_jobs: int
    oldest_seconds: float


async def read_queue_depths(connection: AsyncConnection) -> Sequence[QueueDepth]:
    """Return the depth for each priority of which a job is ready, in one query."""
    rows = await connection.execute(_DEPTHS)
    return [QueueDepth(priority, jobs, float(seconds)) for priority, jobs, seconds in rows]
