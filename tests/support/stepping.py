"""An event loop that calls what is ready in any order, for what must not depend on the order.

asyncio promises that callbacks run first in, first out, but which of two comes first is decided by sockets,
by the disk and by other requests. Drawing one at a time from all that are ready tries every such order.
"""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
_MOST_STEPS = 20_000


class StuckError(AssertionError):
    """A coroutine waits for something that will not happen."""


class DrawingLoop(asyncio.SelectorEventLoop):
    """Runs one callback at a time, drawn from all that are ready. Timers run at once: nothing else is ready."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        drawn = ready[self._random.randrange(len(ready))] if ready else None
        held_back = [handle for handle in ready if handle is not drawn]
        for handle in held_back:
            ready.remove(handle)
        super()._run_once()  # type: ignore[misc]
        ready.extendleft(reversed(held_back))


def run_in_any_order(main: Coroutine[Any, Any, T], random: Random) -> T:
    """Runs a coroutine with its callbacks in a drawn order. Raises StuckError if it never ends."""

    async def watched() -> T:
        task = asyncio.ensure_future(main)
        for _ in range(_MOST_STEPS):
            if task.done():
                return await task
            await asyncio.sleep(0)
        task.cancel()
        raise StuckError(f"still waiting after {_MOST_STEPS} steps")

    with asyncio.Runner(loop_factory=lambda: DrawingLoop(random)) as runner:
        return runner.run(watched())


async def dawdle(random: Random, most: int = 4) -> None:
    """Lets others run a few times, as a commit or a request does."""
    for _ in range(random.randint(0, most)):
        await asyncio.sleep(0)
