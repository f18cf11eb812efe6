"""The targets of cost at scale, in one run: how the service fares with long histories and many tenants.

Run `python -m benchmarks.scale [--size FACTOR] [part …]`, by default all parts at full size. Each row of the
table of targets is printed as a JSON line and a sentence. A row's JSON has the measured figures by name with
their unit, `limits` with the limit of each figure, `reached`, figures that help to read them, and the load
average of the last minute and the number of CPUs, because other work on the machine makes figures worse.
`--size 0.01` is a quick trial; its figures say nothing.

Parts that run other benchmarks:

reads     `benchmarks.reads`: 50,000 and 500 items. The dearest read command (p99), the largest ratio of both
          sizes (p50), and the time to compute projections and measure sprints after a backfill.
events    `benchmarks.events`: events that one worker processes in a second, of one tenant's burst, and spread
          over 1,000 tenants.
answer    `benchmarks.answer`: `/sprint status` under 50 events a second, from webhook to reply.
queue     `benchmarks.queue`: the sweep with 1,000,000 ended jobs.

Parts that measure `python -m bot serve`, web server and one worker, with the stand-in for GitHub on loopback:

endpoint  The slowest answer to a delivery while each read command in turn is answered among 50,000 items.
          20 deliveries of other tenants a second are sent meanwhile, by a process of their own.
steady    1,000 tenants, 60 events a second for 60 s after a warm-up. An event's age is the time from its
          receipt to its processing, as the database notes both. `cores`: the share of a core that the web
          server, the worker and PostgreSQL use meanwhile.
turns     `/sprint status`, from webhook to reply, while the nightly measurements of 300 tenants wait.
flood     One tenant sends 2,000 events over 32 connections; the age of the events of 100 others (40 a second)
          until all 2,000 are processed, in three rounds, and an answer in each.
night     Periodic tasks of 10,000 tenants, one in a hundred of which has work of each kind: the time of all
          runs from midnight to eight, by a few runs of each task. The jobs that they queue are not run.

The part `projections` replays recorded deliveries (../shared/data) and compares every stored projection of an
item with the fold of its events.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterable

from benchmarks.common import ROOT
from benchmarks.scale_endpoint import endpoint
from benchmarks.scale_live import flood, steady, turns
from benchmarks.scale_night import night
from benchmarks.scale_projections import projections
from benchmarks.scale_rows import (
    Json,
    Row,
    report,
    rows_of_answer,
    rows_of_events,
    rows_of_queue,
    rows_of_reads,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--size", type=float, default=1.0, help="factor of all sizes")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(_PARTS))
    options = parser.parse_args()
    unknown = set(options.parts) - set(_PARTS)
    if unknown:
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}")
    for part in options.parts or _PARTS:
        for row in _PARTS[part](options.size):
            report(row)


def _reads(size: float) -> list[Row]:
    lines = _run("reads", _scaled(50_000, size, least=500), _scaled(20, size, least=2))
    return rows_of_reads(lines)


def _events(size: float) -> list[Row]:
    rounds = _scaled(3, size, least=1)
    burst = _run("events", _scaled(2, size, least=1), rounds)
    spread = _run("events", "spread", _scaled(1000, size, least=20), rounds)
    return rows_of_events([*burst, *spread])


def _answer(size: float) -> list[Row]:
    return rows_of_answer(_run("answer", _scaled(120, size, least=3)))


def _queue(size: float) -> list[Row]:
    return rows_of_queue(_run("queue", size))


def _run(benchmark: str, *arguments: object) -> list[Json]:
    """Run another benchmark, and return the JSON lines that it printed. Raises RuntimeError if it failed."""
    command = [sys.executable, "-m", f"benchmarks.{benchmark}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _scaled(number: int, size: float, *, least: int) -> int:
    return max(round(number * size), least)


_PARTS: dict[str, Callable[[float], Iterable[Row]]] = {
    "reads": _reads,
    "endpoint": lambda size: [asyncio.run(endpoint(_scaled(50_000, size, least=500)))],
    "steady": lambda size: [asyncio.run(steady(_scaled(1000, size, least=10), max(60 * size, 5)))],
    "answer": _answer,
    "turns": lambda size: [asyncio.run(turns(_scaled(300, size, least=10), _scaled(40, size, least=3)))],
    "flood": lambda size: [
        asyncio.run(
            flood(_scaled(1000, size, least=20), _scaled(2000, size, least=50), _scaled(3, size, least=1))
        )
    ],
    "events": _events,
    "queue": _queue,
    "night": lambda size: [asyncio.run(night(_scaled(10_000, size, least=100)))],
    "projections": lambda _: [asyncio.run(projections())],
}


if __name__ == "__main__":
    main()
