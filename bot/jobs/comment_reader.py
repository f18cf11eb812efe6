"""Reads what people typed: short texts on the event loop, long ones in a process of its own.

What is looked for are commands, and the issues that a pull request's description closes or names.

A Markdown parser can be kept busy for seconds by a text that was made for that. In its own process it stops
nobody else, and a limit of CPU time ends it. A tenant has one text read at a time, so that somebody who sends
many is waited for by nobody but themselves.
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

# A comment as long as GitHub takes, of ordinary prose, needs a tenth of it.
CPU_SECONDS = 1.0


class CommentReader:
    """Finds what the texts of deliveries say."""

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        """The process begins with the first long text."""
        self._cpu_seconds = cpu_seconds
        self._processes = Processes()
        self._turns = WeakValueDictionary[int, asyncio.Lock]()
        self._log = structlog.get_logger(__name__)

    async def read_request(self, organization_id: int, delivery: Delivery) -> Request:
        """What an event asks of us. If that takes too long to read, the request is unreadable.

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
        """What the handlers make of a delivery, and why some could make nothing of it.

        If its description takes too long to read, it refers to no issue. Raises UnusableError as they do.
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
    """What an event asks of us; None if it takes longer. Only for the main thread of a process."""
    return _within(cpu_seconds, lambda: read_request(delivery))


def handle_within(cpu_seconds: float, delivery: Delivery) -> tuple[list[Outcome], list[UnusableError]] | None:
    """What the handlers make of a delivery; None if it takes longer. Only for a process's main thread."""
    return _within(cpu_seconds, lambda: handle(delivery))


def _within(cpu_seconds: float, read: Callable[[], T]) -> T | None:
    try:
        with _limited(cpu_seconds):
            return read()
    except _TimeIsUpError:
        return None


class _TimeIsUpError(BaseException):
    """The limit of CPU time was reached. Nobody on the way may take it for an error of their own."""


@contextmanager
def _limited(cpu_seconds: float) -> Iterator[None]:
    """Raises _TimeIsUpError in what is done inside, once it has used so much CPU time."""
    before = signal.signal(signal.SIGVTALRM, _time_is_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _time_is_up(_signal: int, _frame: FrameType | None) -> None:
    raise _TimeIsUpError
