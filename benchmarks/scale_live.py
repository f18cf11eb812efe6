"""The parts of `benchmarks.scale` about a service with many tenants: steady, turns, flood."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from statistics import median

from benchmarks import common
from benchmarks.live_service import LiveService, live_service, serving
from benchmarks.many_tenants import FIRST_ID, Deliveries, fill_tenants, project_items
from benchmarks.scale_rows import Row, Target, percentile
from benchmarks.sender import Answer, sending
from storage.database import Database
from storage.embedded import APPLICATION, running_server
from storage.job_types import MeasureJob
from storage.jobs import Jobs
from storage.schema import migrate

_DATABASE = "scale"
# Each tenant of the turns and of the rest has as many sprints.
_SPRINTS = 3
_RATE, _WARM_UP_SECONDS = 60, 15
# The flood is sent by one tenant while so many others send these events a second.
_NEIGHBOURS, _NEIGHBOURS_RATE, _NEIGHBOURS_BODIES = 100, 40, 2000
_LEAD_SECONDS = 3


async def steady(tenants: int, seconds: float) -> Row:
    """Age of events of many tenants at 60 a second, from receipt to processing, after a warm-up."""
    async with _service(tenants) as service:
        bodies = Deliveries(datetime.now(UTC)).spread(
            range(tenants), int(_RATE * (_WARM_UP_SECONDS + seconds))
        )
        async with sending(service.folder, service.url, bodies, _RATE) as sender:
            await sender.wait_for(1)
            await asyncio.sleep(_WARM_UP_SECONDS)
            before = service.cpu_time()
            answers = await sender.wait()
            cores = service.cpu_time().cores_since(before)
        since = min(answer.sent_at for answer in answers) + _WARM_UP_SECONDS
        await service.wait_until_processed()
        ages = service.event_ages(range(tenants), since, time.time())
    return Row(
        "steady",
        f"Event age, {tenants:,} tenants, {_RATE} events a second",
        (Target("p99_s", round(percentile(ages, 0.99), 3), 2),),
        {
            "p50_s": round(median(ages), 3),
            "events": len(ages),
            "endpoint_slowest_ms": _slowest_ms(answers, since),
            "cores": cores,
        },
    )


async def turns(tenants: int, questions: int) -> Row:
    """`/sprint status` while so many tenants wait for their nightly measurement.

    The queue is filled up to that number before each question.
    """
    async with _service(tenants) as service:
        database = Database(service.server.address(APPLICATION, service.database))
        await service.play_demo()
        prepared = await service.prepare("/sprint status", questions + 1)
        await service.ask(prepared[0])  # Loads fonts and fetches a token.
        seconds, waiting = list[float](), list[int]()
        for question in prepared[1:]:
            await _queue_turns(database, tenants)
            waiting.append(service.count_jobs(MeasureJob.name))
            seconds.append(await service.ask(question))
        await database.close()
    return Row(
        "turns",
        f"/sprint status while {tenants:,} periodic turns wait",
        (Target("p50_s", round(median(seconds), 3), 0.3),),
        {"worst_s": round(max(seconds), 3), "answers": len(seconds), "fewest_waiting": min(waiting)},
    )


async def flood(tenants: int, events: int, rounds: int) -> Row:
    """Age of others' events while a tenant sends many at once, until all of those are processed.

    Meanwhile a team asks `/sprint status`, again and again. Each round is another tenant's flood.
    """
    ages, seconds, flood_seconds = list[float](), list[float](), list[float]()
    async with _service(tenants) as service:
        await service.play_demo()
        spare = await service.prepare("/sprint status", 1 + rounds)
        await service.ask(spare.pop())
        deliveries = Deliveries(datetime.now(UTC))
        others = range(rounds, min(tenants, rounds + _NEIGHBOURS))
        for number in range(rounds):
            noise = [deliveries.make(number) for _ in range(events)]
            small = deliveries.spread(others, _NEIGHBOURS_BODIES)
            async with sending(
                service.folder, service.url, small, _NEIGHBOURS_RATE, endless=True
            ) as neighbours:
                await asyncio.sleep(_LEAD_SECONDS)
                async with sending(service.folder, service.url, noise, 0) as sender:
                    await sender.wait_for(1)
                    since = sender.answers()[0].sent_at
                    seconds.append(await service.ask(spare.pop()))
                    await sender.wait()
                    await service.wait_until_processed(range(number, number + 1))
                    until = time.time()
                await neighbours.stop()
            await service.wait_until_processed()
            ages += service.event_ages(others, since, until)
            flood_seconds.append(until - since)
    return Row(
        "flood",
        f"Events of other tenants while one sends {events:,} at once",
        (Target("p99_s", round(percentile(ages, 0.99), 3), 0.5),),
        {
            "p50_s": round(median(ages), 3),
            "events": len(ages),
            "answers_s": [round(value, 3) for value in seconds],
            "flood_s": [round(value, 1) for value in flood_seconds],
        },
    )


@asynccontextmanager
async def _service(tenants: int) -> AsyncIterator[LiveService]:
    """A running service with so many tenants, whose projections are computed."""
    with common.scratch() as folder, running_server(folder) as server:
        server.create_database(_DATABASE)
        migrate(server.address("agile_owner", _DATABASE), APPLICATION)
        fill_tenants(server, _DATABASE, tenants, datetime.now(UTC), sprints=_SPRINTS)
        database = Database(server.address(APPLICATION, _DATABASE))
        for tenant in range(tenants):
            await project_items(database, FIRST_ID + tenant)
        await database.close()
        async with live_service(server, _DATABASE, folder) as service, serving(service):
            yield service


async def _queue_turns(database: Database, tenants: int) -> None:
    """Queue the nightly measurement of each of so many tenants for whom it does not wait already."""
    jobs = [(MeasureJob(organization_id=FIRST_ID + tenant), None) for tenant in range(tenants)]
    async with database.unscoped() as connection:
        await Jobs().defer_all(connection, jobs)


def _slowest_ms(answers: list[Answer], since: float) -> float:
    """The webhook endpoint's slowest answer to deliveries sent since a moment, in milliseconds."""
    return round(max(answer.seconds for answer in answers if answer.sent_at >= since) * 1000, 1)
