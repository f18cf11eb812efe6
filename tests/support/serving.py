"""`python -m bot serve` as a process, and the processes that it starts."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from bot.settings import Settings
from github_standin.github import StandInGitHub
from tests.support.cli import ROOT
from tests.support.running import SECRET, wait_until


class Serving:
    """A running `serve`."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def log_text(self) -> str:
        """What both processes have logged."""
        return self._log.read_text()

    def log_lines(self, event: str) -> list[dict[str, Any]]:
        """List the log lines of an event."""
        lines = [json.loads(line) for line in self.log_text.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def worker(self) -> psutil.Process:
        """Find the worker's process."""
        (worker,) = [
            child for child in psutil.Process(self.process.pid).children() if "work" in child.cmdline()
        ]
        return worker

    async def wait_for_log(self, event: str, count: int = 1) -> None:
        """Wait until an event has been logged `count` times. Raises AssertionError if `serve` ends before."""

        async def is_logged() -> bool:
            assert self.process.returncode is None, self.log_text
            return len(self.log_lines(event)) >= count

        await wait_until(is_logged)

    async def interrupt(self) -> int:
        """Press Ctrl-C: a terminal sends the signal to the whole group. Returns the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return await self.process.wait()


@asynccontextmanager
async def running_serve(
    folder: Path, environment: Mapping[str, str], *, ready: str = "working"
) -> AsyncIterator[Serving]:
    """Run the real command until the block ends, with its log in `folder`. Waits until it logs `ready`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "bot", "serve"),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "PORT": str(port), **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    serving = Serving(process, port, log)
    try:
        await serving.wait_for_log(ready)
        yield serving
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def serve_environment(settings: Settings, github: StandInGitHub) -> dict[str, str]:
    """Make the environment of a `serve` on the tests' database and stand-in for GitHub."""
    assert settings.database_url is not None
    return {
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url.reveal(),
        **github_environment(github),
    }


def github_environment(github: StandInGitHub) -> dict[str, str]:
    """Make the part of the environment that names the stand-in for GitHub."""
    return {
        "GITHUB_API_URL": github.url,
        "GITHUB_APP_ID": str(github.app_id),
        "GITHUB_APP_PRIVATE_KEY": github.private_key,
        "GITHUB_WEBHOOK_SECRET": SECRET,
    }


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process runs no longer; one that its parent has not asked about counts as ended."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
