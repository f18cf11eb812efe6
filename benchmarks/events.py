"""One job that wakes a worker for a batch, against a job for each event: at the door and at the worker.

Run `python -m benchmarks.events [copies] [rounds]`. Stores recorded deliveries (../shared/data) in copies
that are new to the timeline, and lets one worker work them off. The variant with a job for each event lives
in this file alone: its SQL function takes the place of the product's in a scratch database, by turns.

Run `python -m benchmarks.events spread [tenants] [rounds]` to measure deliveries of many tenants: each round
stores one delivery of each tenant, so that no two share a job.
"""

import asyncio
import json
import re
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import procrastinate
import uvloop

from benchmarks import common, spread
from benchmarks.load import Load, issue_payloads
from bot.jobs.event_processor import EventProcessor
from bot.jobs.worker import worker
from bot.services import Services, open_services
from bot.settings import load
from storage.cipher import delivery_place
from storage.deliveries import Deliveries, ReceivedDelivery, receive_deliveries
from storage.embedded import EmbeddedServer, running_server
from storage.fair_jobs import FairJobManager
from storage.jobs import Jobs

_GOAL = 300
_SECONDS = 5.0
_CONCURRENCY, _POLL_SECONDS = 8, 0.3  # The product's own.
_FUNCTION = "select pg_get_functiondef('receive_deliveries'::regproc)"
_WAKE = re.compile(r"for woken in.*?end loop;", re.DOTALL)
_A_JOB_EACH = """
    perform public.procrastinate_defer_jobs_v1(array_agg(row(
        'events', 'one_event', 0, null, null,
        jsonb_build_object('organization_id', organization_id, 'event_id', id), null
    )::public.procrastinate_job_to_defer_v1))
    from public.github_events
    where (organization_id, delivery_id) in (select batch[n].tenant, batch[n].delivery
        from generate_subscripts(outcomes, 1) as n where outcomes[n] = 'stored')
    having count(*) > 0;
"""


class OneByOne(EventProcessor):
    """Works off the single event that a job names."""

    async def one_event(self, organization_id: int, event_id: int) -> None:
        async with self._database.tenant(organization_id) as tenant:
            await self._process(
                tenant, (await Deliveries(tenant).claim(1, self._clock(), only=event_id)).events
            )


def main() -> None:
    if sys.argv[1:2] == ["spread"]:
        numbers = [int(number) for number in sys.argv[2:]]
        tenants, rounds = [*numbers, *(1000, 3)[len(numbers) :]]
        with common.scratch() as folder, running_server(folder) as server:
            uvloop.run(spread.measure(folder, server, tenants, rounds))
        return
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with common.scratch() as folder, running_server(folder) as server:
        results = uvloop.run(_compare(folder, server, copies, rounds))
    rates = {name: round(median(values)) for name, values in results.items()}
    each = [ours / other for ours, other in zip(results["worker_batch"], results["worker_each"], strict=True)]
    at_door = [ours / other for ours, other in zip(results["door_batch"], results["door_each"], strict=True)]
    figures = {
        "benchmark": "events",
        "rounds": rounds,
        **{f"{name}_per_s": rate for name, rate in rates.items()},
        "worker_ratio": round(median(each), 2),
        "door_ratio": round(median(at_door), 2),
        "goal_per_s": _GOAL,
    }
    verdict = "reached" if rates["worker_batch"] >= _GOAL else "missed"
    common.report(
        figures,
        f"A worker works off {rates['worker_batch']} events a second, {median(each):.1f} × what it does with "
        f"a job for each; the goal of {_GOAL} is {verdict}. The door takes {median(at_door):.2f} × as many.",
    )


async def _compare(folder: Path, server: EmbeddedServer, copies: int, rounds: int) -> dict[str, list[float]]:
    port = common.free_port()
    environment = common.bot_environment(folder, port)
    settings = load(environment, needs_github=True)
    results: dict[str, list[float]] = {
        name: [] for name in ("worker_batch", "worker_each", "door_batch", "door_each")
    }
    async with open_services(settings) as base:
        with common.superuser(server) as connection:
            row = connection.execute(_FUNCTION).fetchone()
        functions = {"batch": row[0], "each": _WAKE.sub(_A_JOB_EACH, row[0])} if row else {}
        if functions["each"] == functions["batch"]:
            raise RuntimeError("receive_deliveries has changed; the variant no longer fits")
        for _ in range(rounds):
            for name, function in functions.items():
                _install(server, function)
                results[f"worker_{name}"].append(await _work_off(base, server, copies, each=name == "each"))
        load_on_door = Load(folder, issue_payloads())
        url = f"http://{common.HOST}:{port}{common.PATH}"
        with common.bot(["serve", "--no-worker"], environment, folder / "bot.log"):
            load_on_door.run(url, 2)
            for _ in range(rounds):
                for name, function in functions.items():
                    _install(server, function)
                    done = await asyncio.to_thread(load_on_door.run, url, _SECONDS)
                    results[f"door_{name}"].append(done["requests"] / done["seconds"])
    return results


def _install(server: EmbeddedServer, function: str) -> None:
    """Puts the function in place, and begins without jobs of the other kind."""
    with common.superuser(server) as connection:
        connection.execute(function.encode())
        connection.execute("delete from procrastinate_jobs")
        connection.execute("update github_events set processed_at = now() where processed_at is null")


async def _work_off(base: Services, server: EmbeddedServer, copies: int, *, each: bool) -> float:
    """Events a second, from the worker's start until nothing waits."""
    total = await _store(base, copies)
    started = time.perf_counter()
    async with _each_by_itself(base) if each else worker(base, talks=False):
        while common.rows(server, "github_events where processed_at is null and parked_at is null"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return total / (time.perf_counter() - started)


@asynccontextmanager
async def _each_by_itself(base: Services) -> AsyncIterator[None]:
    recording = OneByOne(base.database, base.cipher, Jobs(), base.clock)
    app = procrastinate.App(connector=base.queue.connector)
    app.job_manager = FairJobManager(app.connector, _CONCURRENCY, base.clock)
    app.task(name="one_event", queue="events")(recording.one_event)
    running = asyncio.create_task(
        app.run_worker_async(
            concurrency=_CONCURRENCY,
            fetch_job_polling_interval=_POLL_SECONDS,
            install_signal_handlers=False,
        )
    )
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _store(base: Services, copies: int) -> int:
    """Through the door's own function, in the door's own batches."""
    deliveries = [delivery for _ in range(copies) for delivery in _new_copy()]
    for first in range(0, len(deliveries), 32):
        async with base.database.autocommit() as connection:
            batch = deliveries[first : first + 32]
            sealed = [
                base.cipher.seal(delivery.payload, delivery_place(delivery.account, delivery.delivery))
                for delivery in batch
            ]
            await receive_deliveries(connection, batch, sealed)
    return len(deliveries)


def _new_copy() -> Iterator[ReceivedDelivery]:
    """The recorded deliveries, about items that nobody has heard of."""
    mark = uuid.uuid4().hex[:8]
    for line in common.RECORDED.read_bytes().splitlines():
        recorded: dict[str, Any] = json.loads(line)
        payload = recorded["payload"]
        for kind in ("issue", "pull_request"):
            if kind in payload:
                payload[kind]["node_id"] += mark
        owner = payload["repository"]["owner"]
        yield ReceivedDelivery(
            delivery=str(uuid.uuid4()),
            event=recorded["event"],
            action=payload["action"],
            installation=payload["installation"]["id"],
            account=owner["id"],
            login=owner["login"],
            account_type=owner["type"],
            repository=payload["repository"]["id"],
            payload=json.dumps(payload, separators=(",", ":")).encode(),
        )


if __name__ == "__main__":
    main()
