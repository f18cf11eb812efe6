"""Reads people's texts: short ones on the event loop, long ones in a separate process.

It finds commands, and the issues that a pull request's description closes or mentions.

A malicious text can keep a Markdown parser busy for seconds. In a separate process it blocks nobody else, and
a limit of CPU time ends it. Each tenant has one text read at a time, so that somebody who sends many delays
only their own tenant.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog

from bot.processes import Processes
from commands.framework.parser import skimming
from commands.framework.request import Request
from handlers import handle
from handlers.comment_commands import read_request
from handlers.delivery import Delivery, Outcome, UnusableError

T = TypeVar("T")

# The longest comment that GitHub takes, of ordinary prose, needs a tenth of this.
CPU_SECONDS = 1.0


class CommentReader:
    """Reads the texts of deliveries."""

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        """The process is started with the first long text."""
        self._cpu_seconds = cpu_seconds
        self._processes = Processes()
        self._turns = WeakValueDictionary[int, asyncio.Lock]()
        self._log = structlog.get_logger(__name__)

    async def read_request(self, organization_id: int, delivery: Delivery) -> Request:
        """Read the commands of an event. If that takes too long, the request is marked as unreadable.

        Raises UnusableError as the handlers do.
        """
        with skimming() as skim:
            request = read_request(delivery)
        if not skim.is_inexact:
            return request
        async with self._turn_of(organization_id):
            exact = await self._processes.run(read_within, self._cpu_seconds, delivery)
        if exact is None:
            self._log.warning("comment takes too long to read", delivery=delivery.id)
            return replace(request, is_unreadable=True)
        return exact

    async def handle(
        self, organization_id: int, delivery: Delivery
    ) -> tuple[list[Outcome], list[UnusableError]]:
        """Run the handlers of a delivery. Returns their outcomes, and why some of them had none.

        If its description takes too long to read, it has no references. Raises UnusableError as they do.
        """
        with skimming() as skim:
            quick = handle(delivery)
        if not skim.has_unread_references:
            return quick
        async with self._turn_of(organization_id):
            exact = await self._processes.run(handle_within, self._cpu_seconds, delivery)
        if exact is None:
            self._log.warning("description takes too long to read", delivery=delivery.id)
            return quick
        return exact

    def close(self) -> None:
        self._processes.close()

    def _turn_of(self, organization_id: int) -> asyncio.Lock:
        return self._turns.setdefault(organization_id, asyncio.Lock())


def read_within(cpu_seconds: float, delivery: Delivery) -> Request | None:
    """Read an event's commands; None if it takes longer. Only for the main thread of a process."""
    return _within(cpu_seconds, lambda: read_request(delivery))


def handle_within(cpu_seconds: float, delivery: Delivery) -> tuple[list[Outcome], list[UnusableError]] | None:
    """Run a delivery's handlers; None if it takes longer. Only for the main thread of a process."""
    return _within(cpu_seconds, lambda: handle(delivery))


def _within(cpu_seconds: float, read: Callable[[], T]) -> T | None:
    try:
        with _limited(cpu_seconds):
            return read()
    except _TimeIsUpError:
        return None


class _TimeIsUpError(BaseException):
    """The limit of CPU time was reached. A BaseException, so that no code in between catches it."""


@contextmanager
def _limited(cpu_seconds: float) -> Iterator[None]:
    """Raise _TimeIsUpError inside of the context, once it has used so much CPU time."""
    before = signal.signal(signal.SIGVTALRM, _time_is_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _time_is_up(_signal: int, _frame: FrameType | None) -> None:
    raise _TimeIsUpError
