"""Deliveries of many tenants, one of each: what recording costs where no two deliveries share a batch.

Run by `python -m benchmarks.events spread [tenants] [rounds]`.
"""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import procrastinate

from benchmarks import common
from bot.job_blueprint import JobServices, add_jobs
from bot.jobs import event_jobs
from bot.jobs.event_processor import EventProcessor
from bot.services import Services, open_services
from bot.settings import load
from storage.cipher import delivery_place
from storage.deliveries import ReceivedDelivery, receive_deliveries
from storage.embedded import EmbeddedServer
from storage.fair_jobs import FairJobManager
from storage.jobs import EVENTS, Jobs

_GOAL = 150
_CONCURRENCY, _POLL_SECONDS = 8, 0.3  # The product's own.
_WAITING = "github_events where processed_at is null and parked_at is null"
_FIRST_ACCOUNT = 5_000_000


async def measure(folder: Path, server: EmbeddedServer, tenants: int, rounds: int) -> None:
    """Print the rate, and the worker's CPU time for an event, after a round that meets the tenants."""
    settings = load(common.bot_environment(folder, common.free_port()), needs_github=True)
    rates, costs = list[float](), list[float]()
    async with open_services(settings) as base:
        for number in range(rounds + 1):
            await _store(base, server, _one_of_each(tenants, number))
            rate, cost = await _work_off(base, server, tenants)
            if number:  # The first round stores the tenants' repositories and people.
                rates.append(rate)
                costs.append(cost)
    rate = round(median(rates))
    figures = {
        "benchmark": "events-spread",
        "tenants": tenants,
        "rounds": rounds,
        "worker_per_s": rate,
        "worker_cpu_ms_per_event": round(median(costs), 2),
        "goal_per_s": _GOAL,
    }
    verdict = "reached" if rate >= _GOAL else "missed"
    common.report(
        figures,
        f"Spread over {tenants} tenants, a worker records {rate} events a second with "
        f"{median(costs):.1f} ms of CPU time each; the goal of {_GOAL} is {verdict}.",
    )


async def _store(base: Services, server: EmbeddedServer, deliveries: Iterator[ReceivedDelivery]) -> None:
    """Store the deliveries as the webhook endpoint does, and confirm their installations."""
    while batch := list(islice(deliveries, 16)):
        sealed = [
            base.cipher.seal(delivery.payload, delivery_place(delivery.account, delivery.delivery))
            for delivery in batch
        ]
        async with base.database.autocommit() as connection:
            await receive_deliveries(connection, batch, sealed)
    with common.superuser(server) as connection:
        connection.execute("update organizations set github_installation_id = github_account_id")
        connection.execute("delete from installation_claims")
        connection.execute("analyze")


async def _work_off(base: Services, server: EmbeddedServer, total: int) -> tuple[float, float]:
    """Events a second, and milliseconds of CPU time for an event, until nothing waits."""
    started, cpu_started = time.perf_counter(), time.process_time()
    async with _recording_worker(base):
        while common.rows(server, _WAITING):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return total / seconds, cpu_seconds / total * 1000


@asynccontextmanager
async def _recording_worker(base: Services) -> AsyncIterator[None]:
    """A worker that queues the jobs which follow from events, and does not run them."""
    app = procrastinate.App(connector=base.queue.connector)
    app.job_manager = FairJobManager(app.connector, _CONCURRENCY, base.clock)
    add_jobs(app, event_jobs.tasks)
    jobs = Jobs()
    processor = EventProcessor(base.database, base.cipher, jobs, base.clock)
    parts: dict[type, object] = {EventProcessor: processor}
    services = JobServices(base.database, jobs, base.clock, parts, base.instruments)
    running = asyncio.create_task(
        app.run_worker_async(
            queues=[EVENTS],
            concurrency=_CONCURRENCY,
            fetch_job_polling_interval=_POLL_SECONDS,
            install_signal_handlers=False,
            additional_context=services.context,
        )
    )
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _one_of_each(tenants: int, number: int) -> Iterator[ReceivedDelivery]:
    """The next recorded delivery of each tenant, each from a place of its own in the recording.

    The items are the tenant's own, and new.
    """
    recorded = common.RECORDED.read_bytes().splitlines()
    for tenant in range(tenants):
        line: dict[str, Any] = json.loads(recorded[(tenant + number) % len(recorded)])
        payload = line["payload"]
        account = _FIRST_ACCOUNT + tenant
        owner = payload["repository"]["owner"]
        owner |= {"id": account, "login": f"{owner['login']}-{tenant}"}
        payload["repository"] |= {
            "id": account,
            "node_id": f"R_{tenant}",
            "full_name": f"{owner['login']}/{payload['repository']['name']}",
        }
        payload["installation"]["id"] = account
        for kind in ("issue", "pull_request"):
            if kind in payload:
                payload[kind]["node_id"] += f"-{tenant}-{number}"
        yield ReceivedDelivery(
            delivery=str(uuid.uuid4()),
            event=line["event"],
            action=payload["action"],
            installation=account,
            account=account,
            login=owner["login"],
            account_type=owner["type"],
            repository=account,
            payload=json.dumps(payload, separators=(",", ":")).encode(),
        )
