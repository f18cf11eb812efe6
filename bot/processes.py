"""A pool of processes for CPU-bound functions, so that the event loop never waits for them."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

T = TypeVar("T")


class Processes:
    """Runs functions in up to `count` processes; each process starts with the first call that needs it."""

    def __init__(self, count: int = 1) -> None:
        self._count = count
        # Made with the first call: a pool without calls would already cost a process, 12 MB.
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call `function(*arguments)` in one of the processes; return its result, or raise its exception."""
        loop, pool = asyncio.get_running_loop(), self._pool or self._new_pool()
        self._pool = pool
        try:
            return await loop.run_in_executor(pool, function, *arguments)
        except BrokenProcessPool:  # A process was killed, perhaps for lack of memory: retry with new ones.
            if self._pool is pool:  # Otherwise another call that failed with it has replaced the pool.
                self._pool = self._new_pool()
                pool.shutdown(wait=False)
            return await loop.run_in_executor(self._pool, function, *arguments)

    def close(self) -> None:
        """End the processes, and cancel the calls that have not started."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, mp_context=context, initializer=_initialize)


def _initialize() -> None:
    """Leave Ctrl-C to the parent process, which then ends the pool, and end with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is gone, even killed: the pool's own queue would wait forever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
