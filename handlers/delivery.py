"""A webhook delivery as the handlers see it, and what they make of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

from handlers.payloads import Repository
from sprints.model import Event

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One stored delivery. `id` is GitHub's GUID, `body` the JSON as it came, `received_at` when it did."""

    id: str
    event: str
    action: str | None
    body: bytes
    received_at: datetime

    def read(self, shape: msgspec.json.Decoder[T]) -> T:
        """The payload in the shape that a handler needs. Raises UnusableError if it has another one."""
        try:
            return shape.decode(self.body)
        except msgspec.DecodeError as problem:
            raise UnusableError(str(problem)) from None

    @property
    def repository(self) -> Repository | None:
        """The repository that it is about, if it is about one."""
        return self.read(_OF_REPOSITORY).repository


class _OfRepository(msgspec.Struct):
    repository: Repository | None = None


_OF_REPOSITORY = msgspec.json.Decoder(_OfRepository)


class UnusableError(Exception):
    """The payload lacks what its event should carry. It is kept in the log, and nothing comes of it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact for the timeline."""

    fact: Event


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody gave us commands in the thread of issue or pull request `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class InstallationChanged:
    """An account's installation of the App was created, deleted, suspended or unsuspended."""

    installation: int
    change: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RepositoriesChanged:
    """From now on we look after `added`, whose past is to be asked for, and no longer after `removed`."""

    added: Sequence[Repository] = ()
    removed: Sequence[Repository] = ()


Outcome = Recorded | Asked | InstallationChanged | RepositoriesChanged
Handler = Callable[[Delivery], Iterable[Outcome]]
