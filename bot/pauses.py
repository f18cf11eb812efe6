"""Cooperative pauses: long computations let other tasks run in between."""

import asyncio
import time

# Long enough that pausing costs next to nothing, short enough that no request notices the delay.
_MAX_CPU_SECONDS = 0.01


class CooperativePause:
    """Yields to the event loop once the work since the last pause has used 10 ms of CPU time."""

    def __init__(self) -> None:
        self._resumed_at = time.thread_time()

    async def pause_if_long(self) -> None:
        """Let other tasks run, if the work since the last pause was long."""
        if time.thread_time() - self._resumed_at >= _MAX_CPU_SECONDS:
            await asyncio.sleep(0)
            self._resumed_at = time.thread_time()
