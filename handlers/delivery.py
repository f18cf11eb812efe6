"""A webhook delivery as the handlers see it, and the outcomes that they return."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec

from handlers.lenient import decode_leniently
from handlers.payloads import AccountPayload, Id, MalformedError, RepositoryPayload, strip_nul
from sprints.model import Event

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One stored delivery. `id` is GitHub's GUID, `body` the JSON as received at `received_at`."""

    id: str
    event: str
    action: str | None
    body: bytes = field(repr=False)
    received_at: datetime

    def read(self, shape: msgspec.json.Decoder[T]) -> T:
        """Decode the payload in the shape that a handler needs; malformed values fall back to defaults.

        Raises UnusableError if a value is malformed or missing that has no default.
        """
        try:
            return decode_leniently(shape, strip_nul(self.body))
        except MalformedError as problem:
            raise UnusableError(str(problem)) from None

    @property
    def envelope(self) -> "Envelope":
        """Decode the repository, the sender and the installation.

        Raises UnusableError if the payload's repository is malformed: the event would belong to none.
        """
        parts = self.read(_ENVELOPE)
        try:
            repository = decode_leniently(_REPOSITORY, parts.repository)
        except MalformedError as problem:
            raise UnusableError(f"{problem} of the repository") from None
        installation = parts.installation.id if parts.installation else None
        return Envelope(repository, parts.sender, installation)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields that all deliveries share. `repository` is None for events of an account or a project.

    `installation` is GitHub's id of the installation that was sent the event.
    """

    repository: RepositoryPayload | None
    sender: AccountPayload | None
    installation: int | None = None


class _Installation(msgspec.Struct):
    id: Id


class _EnvelopeParts(msgspec.Struct):
    repository: msgspec.Raw = msgspec.Raw(b"null")
    sender: AccountPayload | None = None
    installation: _Installation | None = None


_ENVELOPE = msgspec.json.Decoder(_EnvelopeParts)
_REPOSITORY = msgspec.json.Decoder(RepositoryPayload | None)


class UnusableError(Exception):
    """The payload lacks data that its event needs. The delivery is stored, and has no outcomes."""


def require_key(node_id: str, number: int) -> str:
    """Choose an object's key: its node id, or else its number. Raises UnusableError without both."""
    if not node_id and not number:
        raise UnusableError("it has no id")
    return node_id or str(number)


@dataclass(frozen=True, slots=True)
class FactRecorded:
    """A fact for the timeline, and the accounts that it names besides the sender."""

    fact: Event
    accounts: tuple[AccountPayload, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandsFound:
    """Commands were written in the thread of issue or pull request `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class InstallationChanged:
    """An installation of the App was created, deleted, suspended or unsuspended, or got permissions.

    `at` is when the event was received, `stated_at` when the change happened by GitHub's clock if the payload
    says so. `permissions` are the levels by name from then on.
    """

    installation: int
    change: str
    at: datetime
    stated_at: datetime | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RepositoriesChanged:
    """Repositories to track from now on (`added`, to be backfilled), or not any more (`removed`).

    `archived` repositories get no more periodic work, but can be seen as before. `installation` is set if the
    event is about an installation's repositories. `stated_at` is the newest of GitHub's times in the event,
    which may be that of an earlier change.
    """

    added: Sequence[RepositoryPayload] = ()
    removed: Sequence[RepositoryPayload] = ()
    archived: Sequence[RepositoryPayload] = ()
    installation: int | None = None
    stated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepositoryTransferred:
    """A repository was transferred from one account to another; both may have the App installed.

    `owner` and `former_owner` are the accounts' ids, if the payload names them; `stated_at` is as in
    `RepositoriesChanged`.
    """

    repository: RepositoryPayload
    owner: int | None
    former_owner: int | None = None
    stated_at: datetime | None = None

    def has_left(self, account: int) -> bool | None:
        """Whether the account has lost the repository (True) or got it (False); None if that is unknown."""
        if self.owner is not None:
            return self.owner != account
        return None if self.former_owner is None else self.former_owner == account


@dataclass(frozen=True, slots=True)
class AccountRenamed:
    """The account was renamed: its login before and after."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """A push may have changed the team's settings file, or the files by which other bots are detected."""


@dataclass(frozen=True, slots=True)
class CheckRequested:
    """The check of a pull request, named by number or by head SHA, is to be updated."""

    number: int | None = None
    head: str | None = None
    is_rerun: bool = False


@dataclass(frozen=True, slots=True)
class MergeGroupQueued:
    """A merge queue waits for the check of commit `head`.

    `number` is the pull request that the group was made for, if GitHub names it. A re-run is reported even
    if the commit has a report.
    """

    head: str
    number: int | None = None
    is_rerun: bool = False


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """A person pressed a button of one of the App's checks."""


@dataclass(frozen=True, slots=True)
class WritingAllowed:
    """Writes that GitHub refused may succeed now: in one thread, or (None) in all that the event is about."""

    thread: int | None = None


@dataclass(frozen=True, slots=True)
class VisibilityChanged:
    """A repository became public or private at a moment of GitHub's clock."""

    is_private: bool
    at: datetime


Outcome = (
    FactRecorded
    | CommandsFound
    | InstallationChanged
    | RepositoriesChanged
    | RepositoryTransferred
    | AccountRenamed
    | SettingsChanged
    | CheckRequested
    | MergeGroupQueued
    | ButtonPressed
    | WritingAllowed
    | VisibilityChanged
)
Handler = Callable[[Delivery], Iterable[Outcome]]
