"""The queue with many jobs, and periodic work with many tenants.

Run `python -m benchmarks.queue [scale]`. It fills scratch databases by SQL, and measures: taking a job among
30,000 ready ones; the sweep with 1,000,000 ended jobs that an older version left; what a worker takes first
while 300 turns wait; what periodic tasks ask among 1,000 and 10,000 tenants, one in a hundred of which has
work of each kind. `scale` (1 by default) multiplies the numbers of jobs.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import psycopg

from benchmarks import common
from storage.database import Database
from storage.embedded import APPLICATION, EmbeddedServer, running_server
from storage.fair_jobs import FairJobManager
from storage.job_priority import Priority
from storage.job_types import AnswerJob, MeasureJob, ProcessEventsJob
from storage.jobs import Jobs, delete_ended_jobs, queue
from storage.schema import migrate
from storage.work_lookups import (
    LookUp,
    tenants_due,
    tenants_to_clean_up,
    tenants_with_billing,
    tenants_with_due_posts,
    tenants_with_usage,
    tenants_with_work,
    wake_waiting_tenants,
)

_PLACES = 8
_FETCHES = 200
_READY, _ENDED, _TURNS = 30_000, 1_000_000, 300
_SWEEP_GOAL_MS = 50
# Priority, lock and tenant of the ready job `n` of `_READY`.
_SHAPES = {
    "a tenant each": ("8", "null", "n"),
    "1,000 tenants": ("4", "'lock ' || n", "n % 1000"),
    "one tenant": ("10", "'lock ' || n", "1"),
    "one tenant, one lock": ("10", "'lock'", "1"),
    "1,000 tenants behind one": (
        "4",
        "'lock ' || n",
        "case when n % 30 < 29 and n < 29000 then 1 else n end",
    ),
}
_FILL_READY = """
insert into procrastinate_jobs (queue_name, task_name, priority, lock, args)
select 'default', 'check', {priority}, {lock}, jsonb_build_object('organization_id', {tenant})
from generate_series(1, {count}) as n
"""
# Each tenant of many has something that waits for its time, such as a redraw in the morning.
_FILL_LATER = """
insert into procrastinate_jobs (queue_name, task_name, priority, args, scheduled_at)
select 'default', 'run_later', 4, jsonb_build_object('organization_id', n), now() + interval '1 day'
from generate_series(1, 20000) as n
"""
_FILL_ENDED = """
set session_replication_role = replica;
insert into procrastinate_jobs (queue_name, task_name, status)
select 'default', 'check', 'succeeded' from generate_series(1, {count});
insert into procrastinate_events (job_id, type, at)
select id, type::procrastinate_job_event_type, now() - interval '2 days'
from procrastinate_jobs cross join unnest(array['deferred', 'started', 'succeeded']) as type;
set session_replication_role = origin;
"""
# One tenant in a hundred has each kind of work; all have a history.
_FILL_TENANTS = """
insert into organizations (id, github_account_id, name, slug, github_installation_id, created_at, plan,
    next_measure_at, next_reconcile_at, next_visibility_check_at)
select n, n, 'account ' || n, 'account-' || n, n, now() - interval '1 year',
    case when n % 100 = 1 then 'team' else 'free' end,
    now() + case when n % 100 = 2 then -interval '1 hour' else interval '1 hour' end,
    now() + case when n % 100 = 3 then -interval '1 hour' else interval '1 hour' end,
    now() + case when n % 100 = 4 then -interval '1 hour' else interval '10 minutes' end
from generate_series(1, {count}) as n;
insert into projects (organization_id, id, github_repo, repository_node_id, name, named_at, created_at)
select id, id, 'acme/' || id, 'R_' || id, 'repository', created_at, created_at from organizations;
insert into github_events
    (organization_id, delivery_id, event_type, payload, created_at, due_at, processed_at)
select n, i || '-' || n, 'issues', decode('00', 'hex'),
    now() - (case when n % 100 = 5 then 40 else 3 end + i) * interval '1 day', now(),
    case when n % 100 <> 6 or i > 1 then now() end
from generate_series(1, {count}) as n cross join generate_series(1, 20) as i;
insert into outbox (organization_id, project_id, event_id, position, kind, thread, body, created_at, sent_at)
select organization_id, organization_id, id, 0, 'reply', 1, '',
    now() - case when organization_id % 100 = 7 then interval '1 day' else interval '30 days' end, now()
from github_events;
insert into posts (organization_id, project_id, key, kind, body, wanted_at, sent_at)
select n, n, 'living:' || i, 'comment', '', now(), case when n % 100 <> 8 then now() end
from generate_series(1, {count}) as n cross join generate_series(1, 20) as i;
analyze;
"""


@contextmanager
def _database(server: EmbeddedServer, fill: str) -> Iterator[str]:
    """A migrated database with rows; yields its name."""
    server.create_database("scratch")
    migrate(server.address("agile_owner", "scratch"), APPLICATION)
    with common.superuser(server, "scratch") as connection:
        connection.execute(fill)
    try:
        yield "scratch"
    finally:
        with common.superuser(server, "postgres") as connection:
            connection.execute("drop database scratch with (force)")


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with common.scratch() as folder, running_server(folder) as server:
        for shape in _SHAPES:
            _report_fetches(server, shape, int(_READY * scale))
        asyncio.run(_report_sweep(server, int(_ENDED * scale)))
        asyncio.run(_report_order(server))
        for count in (1_000, 10_000):
            asyncio.run(_report_look_ups(server, count))


def _report_fetches(server: EmbeddedServer, shape: str, count: int) -> None:
    """Take jobs until all places are busy, and then one for each that ends, as a worker does."""
    priority, lock, tenant = _SHAPES[shape]
    fill = _FILL_READY.format(priority=priority, lock=lock, tenant=tenant, count=count) + ";" + _FILL_LATER
    milliseconds, running = list[float](), list[int]()
    with _database(server, fill) as name, common.superuser(server, name) as connection:
        # As on the queue's own connections.
        connection.execute("set synchronous_commit = off")
        worker = _new_worker(connection)
        for _ in range(_FETCHES):
            started = time.perf_counter()
            row = connection.execute(
                "select id from fetch_fair_job('{events,default}', %s, %s, %s, now())",
                (worker, _PLACES, int(Priority.POSTS)),
            ).fetchone()
            milliseconds.append((time.perf_counter() - started) * 1000)
            job = row[0] if row else None
            running += [job] if job is not None else []
            if job is None or len(running) == _PLACES - 1:
                connection.execute("select finish_running_job(%s, 'succeeded', true)", (running.pop(0),))
    figures = {
        "benchmark": "queue",
        "measured": "fetch",
        "ready": count,
        "shape": shape,
        "p50_ms": round(median(milliseconds), 2),
        "p99_ms": round(sorted(milliseconds)[int(_FETCHES * 0.99)], 2),
    }
    common.report(figures, f"Among {count:,} ready jobs ({shape}), taking one takes {figures['p50_ms']} ms.")


def _new_worker(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    row = connection.execute("insert into procrastinate_workers default values returning id").fetchone()
    return int(row[0]) if row else 0


async def _report_sweep(server: EmbeddedServer, count: int) -> None:
    """What the sweep does to the queue, with ended jobs that an older version left."""
    with _database(server, _FILL_ENDED.format(count=count)) as name:
        database = Database(server.address(APPLICATION, name))
        try:
            milliseconds = [await _time(partial(_sweep, database)) for _ in range(20)]
        finally:
            await database.close()
    worst = max(milliseconds[1:])
    figures = {
        "benchmark": "queue",
        "measured": "sweep",
        "ended": count,
        "p50_ms": round(median(milliseconds), 2),
        "worst_ms": round(worst, 2),
        "goal_ms": _SWEEP_GOAL_MS,
    }
    common.report(figures, f"With {count:,} ended jobs, the sweep takes {median(milliseconds):.0f} ms.")


async def _sweep(database: Database) -> None:
    async with database.unscoped() as connection:
        await wake_waiting_tenants(connection, datetime.now(UTC), 500)
    async with database.unscoped() as connection:
        await delete_ended_jobs(connection, timedelta(days=7), 200)


async def _report_order(server: EmbeddedServer) -> None:
    """How many jobs begin before an answer that is queued behind many turns, with its recording."""
    with _database(server, "select 1") as name:
        address = server.address(APPLICATION, name)
        database, app = Database(address), queue(address)
        manager = FairJobManager(app.connector, _PLACES, lambda: datetime.now(UTC))
        async with app.open_async():
            async with database.unscoped() as connection:
                for tenant in range(2, _TURNS + 2):
                    await Jobs().defer(connection, MeasureJob(organization_id=tenant))
                await Jobs().defer(connection, ProcessEventsJob(organization_id=1))
            worker = await manager.register_worker()
            recording = await manager.fetch_job(None, worker)
            async with database.unscoped() as connection:
                await Jobs().defer(connection, AnswerJob(organization_id=1, event_id=1, thread="thread:1:1"))
            answer = await manager.fetch_job(None, worker)
        await database.close()
    tasks = [job.task_name if job else None for job in (recording, answer)]
    figures = {"benchmark": "queue", "measured": "order", "turns": _TURNS, "first": tasks}
    common.report(figures, f"With {_TURNS} turns waiting, a worker takes {tasks[0]}, then {tasks[1]}.")


async def _report_look_ups(server: EmbeddedServer, count: int) -> None:
    with _database(server, _FILL_TENANTS.format(count=count)) as name:
        database = Database(server.address(APPLICATION, name))
        try:
            for task, look_up in _look_ups(database).items():
                milliseconds = [await _time(look_up) for _ in range(10)]
                figures = {
                    "benchmark": "queue",
                    "measured": task,
                    "tenants": count,
                    "p50_ms": round(median(milliseconds), 2),
                    "worst_ms": round(max(milliseconds), 2),
                }
                common.report(figures, f"{task} of {count:,} tenants: {median(milliseconds):.1f} ms.")
        finally:
            await database.close()


def _look_ups(database: Database) -> dict[str, Callable[[], Awaitable[object]]]:
    """What each periodic task asks, over all pages."""
    now = datetime.now(UTC)
    month_ago = now - timedelta(days=30)
    usage = partial(tenants_with_usage, since=now - timedelta(days=3), until=now, reported=True)
    old_data = partial(
        tenants_to_clean_up,
        payloads_before=month_ago,
        pictures_before=month_ago,
        claims_before=month_ago,
    )

    async def tick() -> None:
        async with database.unscoped() as connection:
            for kind in ("measure", "reconcile", "visibility"):
                await tenants_due(connection, kind, now, 100)

    async def wake_deliveries() -> None:
        async with database.unscoped() as connection:
            await wake_waiting_tenants(connection, now, 500)

    async def visit(look_up: LookUp) -> None:
        async for _ in tenants_with_work(database, look_up):
            pass

    return {
        "tick": tick,
        "wake_deliveries": wake_deliveries,
        "wake_posts": partial(visit, partial(tenants_with_due_posts, moment=now)),
        "usage": partial(visit, usage),
        "retention": partial(visit, old_data),
        "billing": partial(visit, tenants_with_billing),
    }


async def _time(work: Callable[[], Awaitable[object]]) -> float:
    """How long it takes, in milliseconds."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
