"""The order in which jobs begin. The queue itself forgets jobs that are done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.services import Services
from tests.support.running import query_as_administrator

_INSTALL = """
create table started_jobs (place bigserial, task text, tenant text);
create function note_started_job() returns trigger language plpgsql security definer as $$
begin
    insert into public.started_jobs (task, tenant) values (new.task_name, new.args ->> 'organization_id');
    return new;
end $$;
create trigger note_started_job after update of status on procrastinate_jobs for each row
when (new.status = 'doing') execute function note_started_job();
"""
_REMOVE = """
drop trigger note_started_job on procrastinate_jobs;
drop function note_started_job();
drop table started_jobs;
"""


@dataclass(frozen=True, slots=True)
class StartedJob:
    """A job that a worker has taken. `tenant` is None for a job that is no tenant's."""

    task: str
    tenant: str | None


@contextmanager
def started_jobs(base: Services) -> Iterator[Callable[[], list[StartedJob]]]:
    """Observe the queue: the function returns the jobs that have begun since, in their order."""
    query_as_administrator(base, _INSTALL)

    def started() -> list[StartedJob]:
        query = "select task, tenant from started_jobs order by place"
        return [StartedJob(*row) for row in query_as_administrator(base, query)]

    try:
        yield started
    finally:
        query_as_administrator(base, _REMOVE)
