"""Lets others have the event loop in the middle of long work."""

import asyncio
import time

# Long enough that giving way costs nothing, short enough that nobody notices it.
_MOST_SECONDS = 0.01


class CooperativePause:
    """Gives way once the work since the last time has used enough CPU time."""

    def __init__(self) -> None:
        self._since = time.thread_time()

    async def pause_if_long(self) -> None:
        """Lets whatever is ready run first, if it has waited for long."""
        if time.thread_time() - self._since >= _MOST_SECONDS:
            await asyncio.sleep(0)
            self._since = time.thread_time()
