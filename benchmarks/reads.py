"""The read commands in a repository of very many items: time, the longest hold of the event loop, memory.

Run `python -m benchmarks.reads [items] [rounds]`. Each command runs in a process of its own, in a repository
of that many items and in one of a hundredth of them. Drawing and HTTP are left out.
"""

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import commands
from benchmarks import common
from benchmarks.big_repository import NOW, fill
from bot.cli.daemon import spare_startup_objects
from bot.jobs.daily_figures import DailyFigures
from bot.services import Services, open_services
from bot.settings import load
from commands.framework.argument_parser import parse_arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.input_settings import InputSettings
from commands.framework.registry import Command, load_commands
from commands.framework.request import Request
from storage.embedded import running_server
from storage.item_projections import ItemProjections
from storage.projects import Projects
from storage.timeline import Timeline

COMMANDS = (
    *("my", "aging", "standup", "team load", "team metrics", "cycletime", "throughput", "cfd", "cfd last:12"),
    *("eta", "velocity", "sprint status", "sprint scope", "sprint list", "sprint report", "sprint retro"),
    *("burndown", "burnup", "summary", "forecast", "risk", "whatif drop:#1", "explain cycle time"),
    *("explain wip", "explain added"),
)
_ITEMS, _ROUNDS = 50_000, 20


def main() -> None:
    if sys.argv[1:2] == ["--past"]:
        print(json.dumps(asyncio.run(_measure_past(Path(sys.argv[2]), sys.argv[3]))))
        return
    if sys.argv[1:2] == ["--one"]:
        folder, address, command, count = sys.argv[2:]
        print(json.dumps(asyncio.run(_measure_one(Path(folder), address, command, int(count)))))
        return
    if sys.argv[1:2] == ["--past"]:
        folder, address = sys.argv[2:]
        print(json.dumps(asyncio.run(_measure_past(Path(folder), address))))
        return
    items = int(sys.argv[1]) if len(sys.argv) > 1 else _ITEMS
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else _ROUNDS
    with common.scratch() as scratch, running_server(scratch) as server:
        addresses = {size: fill(server, f"items{size}", size) for size in (items, items // 100)}
        for size, address in addresses.items():
            past = _in_a_process("--past", str(scratch), address)
            common.report(
                {"benchmark": "reads", "items": size, "past": past},
                f"The past of {size:,} items: projected in {past['projected_s']} s, measured in "
                f"{past['measured_s']} s; it held the loop for {past['held_ms']} ms; {past['megabytes']} MB.",
            )
        for command in COMMANDS:
            large, small = (
                _in_a_process("--one", str(scratch), address, command, str(rounds))
                for address in addresses.values()
            )
            common.report(
                {"benchmark": "reads", "items": items, "command": command, "large": large, "small": small},
                f"`/{command}`: p50 {large['p50_ms']} ms, p99 {large['p99_ms']} ms, "
                f"{large['p50_ms'] / small['p50_ms']:.2f} × as long as among {items // 100:,} items; it held "
                f"the loop for {large['held_ms']} ms; {large['megabytes']} MB.",
            )


def _in_a_process(*arguments: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.reads", *arguments], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-3000:])
    results: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return results


async def _measure_past(folder: Path, address: str) -> dict[str, Any]:
    """Compute all projections and measure all sprints, as after a backfill."""
    async with open_services(_settings(folder, address)) as base:
        hold = _Hold()
        watching = asyncio.create_task(hold.watch())
        began, refreshed = time.perf_counter(), 1
        while refreshed:
            async with base.database.tenant(1, durable=False) as tenant:
                (project,) = await Projects(tenant).active()
                projections = ItemProjections(tenant, Timeline(tenant))
                refreshed = await projections.refresh_stale(project.id, project.rules, 200)
        projected = time.perf_counter()
        await DailyFigures(base.database, lambda: NOW).measure(1, project)
        watching.cancel()
        return {
            "projected_s": round(projected - began, 1),
            "measured_s": round(time.perf_counter() - projected, 1),
            "held_ms": round(hold.longest * 1000, 1),
            "megabytes": _megabytes(),
        }


def _settings(folder: Path, address: str) -> Any:
    return load(
        common.bot_environment(folder, common.free_port()) | {"DATABASE_URL": address}, needs_github=True
    )


async def _measure_one(folder: Path, address: str, line: str, rounds: int) -> dict[str, Any]:
    async with open_services(_settings(folder, address)) as base:
        took, hold = list[float](), _Hold()
        words = tuple(line.split())
        by_words = {command.words: command for command in load_commands(commands)}
        command = by_words.get(words[:2]) or by_words[words[:1]]
        for turn in range(rounds + 2):
            if turn == 2:  # The first two load modules and plans.
                spare_startup_objects()
                took.clear()
                hold.longest = 0.0
            began = time.perf_counter()
            watching = asyncio.create_task(hold.watch())
            await _run(base, command, line)
            took.append(time.perf_counter() - began)
            watching.cancel()
        took.sort()
        return {
            "p50_ms": round(took[len(took) // 2] * 1000, 1),
            "p99_ms": round(took[-1] * 1000, 1),
            "held_ms": round(hold.longest * 1000, 1),
            "megabytes": _megabytes(),
        }


class _Hold:
    """The most CPU time that the loop's thread used between two turns of a task, in seconds.

    CPU time, because on a busy machine a task also waits for others.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.thread_time() - began)


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def _run(base: Services, command: Command, line: str) -> None:
    text = f"/{line}"
    settings = InputSettings(NOW.date())
    arguments = parse_arguments(text, 1 + len(command.name), command.accepted, settings)
    request = Request("benchmark", 50, 1, "alice", None, ())
    async with base.database.tenant(1) as tenant:
        (project,) = await Projects(tenant).active()
        context: Any = Context(tenant, project, NOW, request=request, github=None)  # type: ignore[arg-type]
        with contextlib.suppress(UserError):
            await command.run(context, arguments)


if __name__ == "__main__":
    main()
