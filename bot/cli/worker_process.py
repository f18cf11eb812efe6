"""The worker that `serve` runs beside the web server, as a process of its own.

However long a job holds the worker's event loop, webhooks are answered meanwhile.

The two processes share a pipe, the worker's standard input. When its other end closes, the worker stops: it
must not outlive `serve`, which may be killed without a chance to stop it. A pipe works on every system.
"""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

# Not `multiprocessing`: it would send the settings with their secrets through a pipe of its own, and a worker
# would not be what `work` starts.
_COMMAND = ("-m", "bot", "work", "--until-stdin-closes")
# A worker gives its jobs 10 seconds to end, then it closes what it opened.
_STOP_SECONDS = 20
# The pause before a worker is started again. It doubles with each worker that did not last.
_SHORTEST_PAUSE_SECONDS = 1
_LONGEST_PAUSE_SECONDS = 60
_LASTING_SECONDS = 60


@asynccontextmanager
async def worker_process(environment: Mapping[str, str]) -> AsyncIterator[None]:
    """Run a worker with these environment variables; when it dies, it is started again after a pause."""
    running = asyncio.create_task(_keep_running(environment))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _keep_running(environment: Mapping[str, str]) -> None:
    loop, log = asyncio.get_running_loop(), structlog.get_logger(__name__)
    status: int | None
    pause = 0
    while True:
        started_at, status = loop.time(), None
        try:
            status = await _run_once(environment)
        except Exception:  # Such as a lack of memory. The web server goes on.
            log.exception("the worker could not be started")
        lasted = loop.time() - started_at >= _LASTING_SECONDS
        pause = _SHORTEST_PAUSE_SECONDS if lasted or not pause else min(2 * pause, _LONGEST_PAUSE_SECONDS)
        log.error("the worker ended and will be restarted", status=status, pause_seconds=pause)
        await asyncio.sleep(pause)


async def _run_once(environment: Mapping[str, str]) -> int:
    """Run a worker until it ends. Returns its exit status. Raises OSError if it cannot be started."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *_COMMAND,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        # Ctrl-C reaches the parent alone, which then ends the worker.
        start_new_session=True,
    )
    try:
        return await process.wait()
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask a worker to end by closing its standard input; kill it if it does not end in time."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def stop_with_parent(stopped: asyncio.Event) -> None:
    """Set `stopped` once standard input closes. A process that then does not end in time is ended."""
    arguments = (asyncio.get_running_loop(), stopped)
    threading.Thread(target=_wait_for_parent, args=arguments, daemon=True).start()


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    # A thread, because jobs may hold the event loop. `os.read` holds no lock that the interpreter needs when
    # it ends, unlike `sys.stdin`.
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    with contextlib.suppress(RuntimeError):  # The loop is closed: the process is ending already.
        loop.call_soon_threadsafe(stopped.set)
    time.sleep(_STOP_SECONDS)
    os._exit(1)
