"""What the commands share that run until a signal to stop."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine

import structlog

from bot.settings import Settings


def run_until_stopped(main: Coroutine[None, None, None]) -> None:
    """Run on uvloop, which halves the cost of a request, if it is installed: not on Windows."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


async def wait_for_stop_signal(stopped: asyncio.Event | None = None) -> None:
    """Wait for Ctrl-C or SIGTERM, or until `stopped` is set."""
    stopped = stopped or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no such handlers; Ctrl-C still works.
            loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def spare_startup_objects() -> None:
    """Leave all objects of the start-up out of later garbage collections.

    They live as long as the process, and a collection of all of them holds the event loop for 0.1 s.
    """
    gc.collect()
    gc.freeze()


def warn_of_unknown_names(settings: Settings) -> None:
    """Log settings with unknown names: a misspelt one would otherwise be ignored silently."""
    for sentence in settings.billing.unknown_names:
        structlog.get_logger(__name__).warning("unknown setting", problem=sentence)
