"""A pool of processes for CPU-bound functions, so that the event loop never waits for them."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

T = TypeVar("T")


class Processes:
    """Runs functions in up to `count` processes; each process starts with the first call that needs it."""

    def __init__(self, count: int = 1) -> None:
        self._count = count
        self._pool = self._new_pool()

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call `function(*arguments)` in one of the processes; return its result, or raise its exception."""
        loop, pool = asyncio.get_running_loop(), self._pool
        try:
            return await loop.run_in_executor(pool, function, *arguments)
        except BrokenProcessPool:  # A process was killed, perhaps for lack of memory: retry with new ones.
            if self._pool is pool:  # Otherwise another call that failed with it has replaced the pool.
                self._pool = self._new_pool()
                pool.shutdown(wait=False)
            return await loop.run_in_executor(self._pool, function, *arguments)

    def close(self) -> None:
        """End the processes, and cancel the calls that have not started."""
        self._pool.shutdown(cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, mp_context=context, initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent process, which then ends the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
