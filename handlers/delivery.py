"""A webhook delivery as the handlers see it, and what they make of it."""

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
    """One stored delivery. `id` is GitHub's GUID, `body` the JSON as it came, `received_at` when it did."""

    id: str
    event: str
    action: str | None
    body: bytes = field(repr=False)
    received_at: datetime

    def read(self, shape: msgspec.json.Decoder[T]) -> T:
        """The payload in the shape that a handler needs, without its odd values.

        Raises UnusableError if something is odd or missing that the shape has no default for.
        """
        try:
            return decode_leniently(shape, strip_nul(self.body))
        except MalformedError as problem:
            raise UnusableError(str(problem)) from None

    @property
    def frame(self) -> "Frame":
        """Where it happened and who did it.

        Raises UnusableError if it names a repository that cannot be read: it would go to none.
        """
        parts = self.read(_FRAME)
        try:
            repository = decode_leniently(_REPOSITORY, parts.repository)
        except MalformedError as problem:
            raise UnusableError(f"{problem} of the repository") from None
        installation = parts.installation.id if parts.installation else None
        return Frame(repository, parts.sender, installation)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all deliveries have in common. Those about an account or its projects name no repository.

    `installation` is GitHub's id of the installation that was sent the event.
    """

    repository: RepositoryPayload | None
    sender: AccountPayload | None
    installation: int | None = None


class _Installation(msgspec.Struct):
    id: Id


class _FrameParts(msgspec.Struct):
    repository: msgspec.Raw = msgspec.Raw(b"null")
    sender: AccountPayload | None = None
    installation: _Installation | None = None


_FRAME = msgspec.json.Decoder(_FrameParts)
_REPOSITORY = msgspec.json.Decoder(RepositoryPayload | None)


class UnusableError(Exception):
    """The payload lacks what its event should carry. It is kept in the log, and nothing comes of it."""


def key_of(node_id: str, number: int) -> str:
    """What something is known by: its node id, or else its number. Raises UnusableError without both."""
    if not node_id and not number:
        raise UnusableError("it has no id")
    return node_id or str(number)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact for the timeline, and the accounts that it tells of beside the sender."""

    fact: Event
    accounts: tuple[AccountPayload, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandsFound:
    """Somebody gave us commands in the thread of issue or pull request `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class InstallationChanged:
    """An account's installation of the App was created, deleted, suspended or unsuspended, or may do more.

    `at` is when we heard of it, `stated_at` when it happened by GitHub's clock, as far as it says so.
    `permissions` are those that it has since then.
    """

    installation: int
    change: str
    at: datetime
    stated_at: datetime | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RepositoriesChanged:
    """From now on we look after `added`, whose past is to be asked for, and no longer after `removed`.

    `archived` ones get no more work by the clock either, but can be seen as before. `installation` is set
    where an installation says what it can see. `stated_at` is the newest time of GitHub's in the event, which
    may be that of an earlier change.
    """

    added: Sequence[RepositoryPayload] = ()
    removed: Sequence[RepositoryPayload] = ()
    archived: Sequence[RepositoryPayload] = ()
    installation: int | None = None
    stated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepositoryTransferred:
    """A repository has passed from one account to another: it is new there, and gone elsewhere.

    `owner` and `former_owner` are the accounts' ids, as far as GitHub tells them; `stated_at` is as in
    `RepositoriesChanged`.
    """

    repository: RepositoryPayload
    owner: int | None
    former_owner: int | None = None
    stated_at: datetime | None = None

    def has_left(self, account: int) -> bool | None:
        """Whether the account has lost the repository, or got it (False); None if GitHub does not tell."""
        if self.owner is not None:
            return self.owner != account
        return None if self.former_owner is None else self.former_owner == account


@dataclass(frozen=True, slots=True)
class AccountRenamed:
    """The account has another login."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """A push may have changed the team's settings file, or what says which other bots are there."""


@dataclass(frozen=True, slots=True)
class CheckWanted:
    """The check of a pull request, named by number or by head SHA, is to be worked out anew."""

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
class Pressed:
    """Somebody pressed a button of a check of ours."""


@dataclass(frozen=True, slots=True)
class WritingAllowed:
    """What GitHub refused to take may be taken now: in one thread, or (None) wherever the event is about."""

    thread: int | None = None


@dataclass(frozen=True, slots=True)
class VisibilityChanged:
    """A repository became public or private at a moment of GitHub's clock."""

    is_private: bool
    at: datetime


Outcome = (
    Recorded
    | CommandsFound
    | InstallationChanged
    | RepositoriesChanged
    | RepositoryTransferred
    | AccountRenamed
    | SettingsChanged
    | CheckWanted
    | MergeGroupQueued
    | Pressed
    | WritingAllowed
    | VisibilityChanged
)
Handler = Callable[[Delivery], Iterable[Outcome]]
