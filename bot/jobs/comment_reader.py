"""Reads people's texts: short ones on the event loop, long ones in a separate process.

It looks for commands, and for the issues that a pull request's description closes or names.

A text can be made to keep a Markdown parser busy for seconds. In a separate process it delays no other work,
and a limit of CPU time ends it. Only one text of a tenant is read at a time, so that a person who sends many
texts delays only their own tenant.
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
from commands.framework.parser import skim_long_texts
from commands.framework.request import Request
from handlers import handle
from handlers.comment_commands import read_request
from handlers.delivery import Delivery, Outcome, UnusableError

T = TypeVar("T")

# Ordinary prose of the greatest length that GitHub takes needs a tenth of it.
CPU_SECONDS = 1.0


class CommentReader:
    """Finds commands and references in the texts of deliveries."""

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        """The separate process starts with the first long text."""
        self._cpu_seconds = cpu_seconds
        self._processes = Processes()
        self._locks = WeakValueDictionary[int, asyncio.Lock]()
        self._log = structlog.get_logger(__name__)

    async def read_request(self, organization_id: int, delivery: Delivery) -> Request:
        """Read the commands of an event. If that takes too long, the request is marked as unreadable.

        Raises UnusableError as the handlers do.
        """
        with skim_long_texts() as skim:
            request = read_request(delivery)
        if not skim.is_inexact:
            return request
        async with self._turn_of(organization_id):
            exact = await self._processes.run(read_request_within, self._cpu_seconds, delivery)
        if exact is None:
            self._log.warning("comment takes too long to read", delivery=delivery.id)
            return replace(request, is_unreadable=True)
        return exact

    async def read_outcomes(
        self, organization_id: int, delivery: Delivery
    ) -> tuple[list[Outcome], list[UnusableError]]:
        """Run the handlers on a delivery. Returns their outcomes, and the problems of the failed handlers.

        If its description takes too long to read, it refers to no issue. Raises UnusableError as the handlers
        do.
        """
        with skim_long_texts() as skim:
            quick = handle(delivery)
        if not skim.has_unread_references:
            return quick
        async with self._turn_of(organization_id):
            exact = await self._processes.run(read_outcomes_within, self._cpu_seconds, delivery)
        if exact is None:
            self._log.warning("description takes too long to read", delivery=delivery.id)
            return quick
        return exact

    def close(self) -> None:
        """End the separate process."""
        self._processes.close()

    def _turn_of(self, organization_id: int) -> asyncio.Lock:
        return self._locks.setdefault(organization_id, asyncio.Lock())


def read_request_within(cpu_seconds: float, delivery: Delivery) -> Request | None:
    """Read the commands of an event; None if it takes longer. Only for the main thread of a process."""
    return _within(cpu_seconds, lambda: read_request(delivery))


def read_outcomes_within(
    cpu_seconds: float, delivery: Delivery
) -> tuple[list[Outcome], list[UnusableError]] | None:
    """Run the handlers on a delivery; None if it takes longer. Only for the main thread of a process."""
    return _within(cpu_seconds, lambda: handle(delivery))


def _within(cpu_seconds: float, read: Callable[[], T]) -> T | None:
    try:
        with _limited(cpu_seconds):
            return read()
    except _TimeIsUpError:
        return None


class _TimeIsUpError(BaseException):
    """The limit of CPU time was reached. A BaseException, so that no parser catches it as its own error."""


@contextmanager
def _limited(cpu_seconds: float) -> Iterator[None]:
    """Raise _TimeIsUpError inside the block once it has used `cpu_seconds` of CPU time."""
    before = signal.signal(signal.SIGVTALRM, _time_is_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _time_is_up(_signal: int, _frame: FrameType | None) -> None:
    raise _TimeIsUpError
