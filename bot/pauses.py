"""Cooperative pauses in long work, so that it does not block the event loop."""

import asyncio
import time

# Long enough that the pauses cost little, short enough that nobody notices a delay.
_MOST_SECONDS = 0.01


class CooperativePause:
    """Yields to the event loop once the work since the last pause has used enough CPU time."""

    def __init__(self) -> None:
        self._since = time.thread_time()

    async def pause_if_long(self) -> None:
        """Let other tasks run if the work since the last pause has taken long."""
        if time.thread_time() - self._since >= _MOST_SECONDS:
            await asyncio.sleep(0)
            self._since = time.thread_time()
