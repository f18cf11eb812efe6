"""A webhook delivery as the handlers see it, and what they make of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from handlers.payloads import Repository
from sprints.model import ItemEvent, MilestoneEvent

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One stored delivery. `id` is GitHub's GUID, `body` the JSON as it came."""

    id: str
    event: str
    action: str | None
    body: bytes

    def read(self, shape: msgspec.json.Decoder[T]) -> T:
        """The payload in the shape that a handler needs. Raises UnusableError if it has another one."""
        try:
            return shape.decode(self.body)
        except msgspec.DecodeError as problem:
            raise UnusableError(str(problem)) from None

    @property
    def repository(self) -> Repository:
        """The repository that it is about. Raises UnusableError without one."""
        return self.read(_OF_REPOSITORY).repository


class _OfRepository(msgspec.Struct):
    repository: Repository


_OF_REPOSITORY = msgspec.json.Decoder(_OfRepository)


class UnusableError(Exception):
    """The payload lacks what its event should carry. It is kept in the log, and nothing comes of it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact for the timeline, and the login of who did it."""

    fact: ItemEvent | MilestoneEvent
    actor: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody gave us commands in the thread of issue or pull request `number`."""

    number: int


Handler = Callable[[Delivery], Iterable[Recorded | Asked]]
