"""Work in processes of its own, so that the event loop never waits for it."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

T = TypeVar("T")


class Processes:
    """Processes that run functions of ours, each of which begins with the first call that needs it."""

    def __init__(self, number: int = 1) -> None:
        self._number = number
        self._pool = self._new_pool()

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What the function returns, or raises, in one of the processes."""
        loop, pool = asyncio.get_running_loop(), self._pool
        try:
            return await loop.run_in_executor(pool, function, *arguments)
        except BrokenProcessPool:  # Killed, for want of memory perhaps: once more, with new processes.
            if self._pool is pool:  # Else another call that broke with this one has renewed them already.
                self._pool = self._new_pool()
                pool.shutdown(wait=False)
            return await loop.run_in_executor(self._pool, function, *arguments)

    def close(self) -> None:
        """Ends the processes. What has not begun is cancelled."""
        self._pool.shutdown(cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._number, mp_context=context, initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    """Ctrl-C is for the parent, which then ends its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
