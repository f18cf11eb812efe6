"""Runs functions in separate processes, so that they never block the event loop."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

T = TypeVar("T")


class Processes:
    """A pool of processes, each of which is started by the first call that needs it."""

    def __init__(self, number: int = 1) -> None:
        self._number = number
        self._pool = self._new_pool()

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function in one of the processes. Returns what it returns, or raises what it raises."""
        loop, pool = asyncio.get_running_loop(), self._pool
        try:
            return await loop.run_in_executor(pool, function, *arguments)
        except BrokenProcessPool:  # A process was killed, perhaps for lack of memory: retry once in new ones.
            if self._pool is pool:  # Otherwise another failed call has renewed the pool already.
                self._pool = self._new_pool()
                pool.shutdown(wait=False)
            return await loop.run_in_executor(self._pool, function, *arguments)

    def close(self) -> None:
        """Stop the processes. Calls that have not started are cancelled."""
        self._pool.shutdown(cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._number, mp_context=context, initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    """Ignore Ctrl-C: the parent handles it and stops its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
