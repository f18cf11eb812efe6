"""The part `night` of `benchmarks.scale`: what the periodic tasks take in a night with very many tenants."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from statistics import median
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import procrastinate
from procrastinate.periodic import PeriodicTask

from benchmarks import common
from benchmarks.many_tenants import fill_tenants
from benchmarks.scale_rows import Row, Target
from bot.job_blueprint import JobServices
from bot.jobs import worker as worker_module
from bot.services import open_services
from bot.settings import load
from github_standin.github import StandInGitHub
from storage.embedded import APPLICATION, running_server
from storage.schema import migrate

_DATABASE = "scale"
_LIMIT_SECONDS = 300
# A night is from midnight to eight: each daily task falls into it.
_MIDNIGHT, _SECONDS = datetime(2026, 11, 2, tzinfo=UTC).timestamp(), 8 * 3600
_MOST_RUNS, _MOST_SECONDS = 10, 30.0
# Each tenant has a history of twenty events with replies and posts. One in a hundred has work of each kind:
# a turn that is due, an event that waits, payloads and usage to count, a post to send.
_WORK = """
update organizations set
    next_measure_at = case when id % 100 = 2 then now() - interval '1 hour' else next_measure_at end,
    next_reconcile_at = case when id % 100 = 3 then now() - interval '1 hour' else next_reconcile_at end,
    next_visibility_check_at =
        case when id % 100 = 4 then now() - interval '1 hour' else next_visibility_check_at end;
insert into github_events
    (organization_id, delivery_id, event_type, payload, created_at, due_at, processed_at)
    select id, i || '-' || id, 'issues', decode('00', 'hex'),
        now() - (case when id % 100 = 5 then 100 else 10 end + i) * interval '1 day', now(),
        case when id % 100 <> 6 or i > 1 then now() end
    from organizations cross join generate_series(1, 20) as i;
insert into outbox (organization_id, project_id, event_id, position, kind, thread, body, created_at, sent_at)
    select organization_id, organization_id, id, 0, 'reply', 1, '',
        now() - case when organization_id % 100 = 7 then interval '1 day' else interval '30 days' end, now()
    from github_events;
insert into posts (organization_id, project_id, key, kind, body, wanted_at, sent_at)
    select id, id, 'living:' || i, 'comment', '', now(), case when id % 100 <> 8 then now() end
    from organizations cross join generate_series(1, 20) as i;
analyze;
"""


async def night(tenants: int) -> Row:
    """Seconds that all periodic tasks take from midnight to eight, by a few runs of each.

    The first run does what is due; for the others counts the median. The jobs that the tasks queue for
    tenants are not run.
    """
    with common.scratch() as folder, running_server(folder) as server:
        server.create_database(_DATABASE)
        migrate(server.address("agile_owner", _DATABASE), APPLICATION)
        fill_tenants(server, _DATABASE, tenants, datetime.now(UTC), sprints=1)
        with common.superuser(server, _DATABASE) as connection:
            connection.execute(_WORK)
        async with StandInGitHub() as github:
            environment = common.bot_environment(folder, common.free_port()) | {
                "DATABASE_URL": server.address(APPLICATION, _DATABASE),
                "GITHUB_APP_ID": str(github.app_id),
                "GITHUB_APP_PRIVATE_KEY": github.private_key,
                "GITHUB_API_URL": github.url,
            }
            async with _periodic_tasks(environment) as tasks:
                timed = [(task, *await _time(task.run)) for task in tasks]
    total = sum(first + (task.runs - 1) * later for task, first, later in timed)
    return Row(
        "night",
        f"Periodic tasks of {tenants:,} tenants from midnight to eight",
        (Target("seconds", round(total, 1), _LIMIT_SECONDS),),
        {
            "runs": {task.name: task.runs for task, _, _ in timed},
            "first_ms": {task.name: round(first * 1000, 1) for task, first, _ in timed},
            "later_ms": {task.name: round(later * 1000, 1) for task, _, later in timed},
        },
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """A periodic task, how often it runs from midnight to eight, and a function that runs it once."""

    name: str
    runs: int
    run: Callable[[], Awaitable[object]]


@asynccontextmanager
async def _periodic_tasks(environment: dict[str, str]) -> AsyncIterator[list[_Task]]:
    """All periodic tasks of a worker, which run as the worker runs them.

    The worker itself takes no jobs: it hands over what it would run them with.
    """
    handed_over = asyncio.Queue[tuple[procrastinate.App, JobServices]]()

    async def hand_over(app: procrastinate.App, services: JobServices, *_: object) -> None:
        handed_over.put_nowait((app, services))

    settings = load(environment, needs_github=True)
    with patch.object(worker_module, "_run_forever", hand_over):
        async with open_services(settings) as base, worker_module.worker(base):
            app, services = await handed_over.get()
            yield [
                _Task(periodic.task.name, _count_runs(periodic), _bind(periodic, services))
                for periodic in app.periodic_registry.periodic_tasks.values()
            ]


def _bind(periodic: PeriodicTask[Any, Any, Any], services: JobServices) -> Callable[[], Awaitable[object]]:
    context = SimpleNamespace(additional_context=services.context)
    return partial(periodic.task.func, context, timestamp=0)


async def _time(run: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """The duration of the first run, and the median of a few more, in seconds."""
    seconds = list[float]()
    while len(seconds) < _MOST_RUNS and sum(seconds) < _MOST_SECONDS:
        started = time.perf_counter()
        await run()
        seconds.append(time.perf_counter() - started)
    return seconds[0], median(seconds[1:] or seconds)


def _count_runs(periodic: PeriodicTask[Any, Any, Any]) -> int:
    """How often a task runs from midnight to eight."""
    moment, runs = _MIDNIGHT - 1, 0
    while (moment := periodic.croniter.get_next(float, start_time=moment)) < _MIDNIGHT + _SECONDS:
        runs += 1
    return runs
