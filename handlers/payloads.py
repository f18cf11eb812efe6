"""GitHub's payloads, as far as the App reads them. Other fields are ignored.

Values whose absence has an obvious meaning have defaults, because the same endpoint receives payloads of all
ages, and of GitHub Enterprise.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec

from handlers.references import References, find_references
from sprints.milestone import parse_github_time
from sprints.model import ItemSnapshot, MilestoneEvent, State
from sprints.people import account_login

_DROPPING_REASONS = {"not_planned", "duplicate"}


T = TypeVar("T")

# The range of the database's columns. GitHub's ids are far smaller; a larger one is not GitHub's.
Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
# PostgreSQL's indexes take no longer keys. GitHub's names have at most 100 characters.
Name = Annotated[str, msgspec.Meta(max_length=255)]
Kind = Annotated[str, msgspec.Meta(max_length=100, pattern=r"\A[^\x00-\x1f]*\Z")]

# Most of GitHub's times are text; a few are seconds since 1970.
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
Moment = datetime | _Seconds | None

# An escaped NUL after any number of escaped backslashes, which are kept.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
# An escape in JSON; the two escapes of a surrogate pair are matched together.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class MalformedError(ValueError):
    """A body is not JSON of the expected shape; the message names the place."""


def decode(shape: msgspec.json.Decoder[T], body: bytes | bytearray) -> T:
    """Decode a body. Raises MalformedError, whatever is wrong with it."""
    try:
        return shape.decode(body)
    except msgspec.DecodeError as problem:
        raise MalformedError(str(problem)) from None
    except UnicodeDecodeError:
        raise MalformedError("JSON is malformed: it is not UTF-8") from None
    except RecursionError:
        raise MalformedError("JSON is nested too deeply") from None


def strip_nul(body: bytes) -> bytes:
    """Remove NUL characters from the texts in JSON, because PostgreSQL cannot store them."""
    return _NUL.sub(rb"\1", body) if b"\\u0000" in body else body


def replace_half_pairs(body: bytes) -> bytes:
    """Replace each lone surrogate, which is not a character, by U+FFFD."""
    return _ESCAPE.sub(_without_half, body) if _HALF.search(body) else body


def _without_half(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["half"] else escape[0]


def to_datetime(moment: Moment) -> datetime | None:
    """Convert either of GitHub's two forms of a time."""
    return datetime.fromtimestamp(moment, UTC) if isinstance(moment, int) else moment


class AccountPayload(msgspec.Struct):
    id: Id
    login: Name = ""
    type: Kind = "User"

    @property
    def canonical_login(self) -> str:
        """The login as the timeline stores it: that of a bot ends in `[bot]`."""
        return account_login(clean(self.login), self.type)


def get_login(account: AccountPayload | None) -> str | None:
    """The login of an account as the timeline stores it; None if a payload names no account."""
    return account.canonical_login if account else None


class RepositoryPayload(msgspec.Struct):
    id: Id
    full_name: Name
    node_id: Name = ""
    html_url: str | None = None
    private: bool = True
    description: str | None = None
    owner: AccountPayload | None = None
    archived: bool = False
    default_branch: str | None = None
    updated_at: datetime | None = None
    pushed_at: Moment = None

    @property
    def key(self) -> str:
        """The repository's key in the database: its node id, which survives renames and transfers."""
        return self.node_id or f"repository:{self.id}"


class LabelPayload(msgspec.Struct):
    name: str


class IssueReference(msgspec.Struct):
    """An issue that an event on another one names."""

    id: Id = 0
    node_id: Name = ""

    @property
    def key(self) -> str:
        """The key, as `ItemPayload.key`."""
        return self.node_id or f"Issue:{self.id}"


class RepositoryReference(msgspec.Struct):
    """The repository of an issue that an event names."""

    id: Id = 0
    node_id: Name = ""

    @property
    def key(self) -> str:
        """The key, as `RepositoryPayload.key`."""
        return self.node_id or f"repository:{self.id}"


class MilestonePayload(msgspec.Struct):
    id: Id
    number: Id
    title: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    description: str | None = None
    # Text, because people type it: an invalid date must not make the whole event unreadable.
    due_on: str | None = None
    closed_at: datetime | None = None

    def to_event(
        self,
        event: str,
        at: datetime,
        delivery: str,
        actor: str | None = None,
        before: dict[str, object] | None = None,
    ) -> MilestoneEvent:
        """Build the milestone's event for the timeline. `before` holds the values that the event replaced."""
        return MilestoneEvent(
            milestone=self.id,
            event=event,
            at=at,
            delivery=delivery,
            number=self.number,
            title=clean(self.title),
            created_at=self.created_at or at,
            description=clean(self.description) if self.description else None,
            due_on=parse_github_time(self.due_on),
            closed_at=self.closed_at,
            before=before,
            actor=actor,
        )


class PullRequestLink(msgspec.Struct):
    """The part of an issue's payload that describes the pull request, if the issue is one."""

    merged_at: datetime | None = None


class ItemPayload(msgspec.Struct):
    """The fields that issues and pull requests have in common. `kind` is GitHub's name of the type."""

    kind: ClassVar[str]

    number: Number
    created_at: datetime
    updated_at: datetime
    title: str = ""
    id: Id = 0
    node_id: Name = ""
    state: str = "open"
    closed_at: datetime | None = None
    milestone: MilestonePayload | None = None
    # GitHub's description allows a label to be its name alone.
    labels: list[LabelPayload | str] = []
    user: AccountPayload | None = None
    assignees: list[AccountPayload] = []
    body: str | None = None

    @property
    def key(self) -> str:
        """The item's identity: its node id, which survives renames and transfers of its repository."""
        return self.node_id or f"{self.kind}:{self.id}"

    def build_snapshot(
        self,
        state: State,
        *,
        is_pull_request: bool,
        closes: tuple[int, ...] | None = None,
        status: str | None = None,
    ) -> ItemSnapshot:
        return ItemSnapshot(
            number=self.number,
            title=clean(self.title),
            created_at=self.created_at,
            state=state,
            closed_at=self.closed_at,
            milestone=self.milestone.id if self.milestone else None,
            labels=tuple(clean(label if isinstance(label, str) else label.name) for label in self.labels),
            is_pull_request=is_pull_request,
            author=self.user.canonical_login if self.user else None,
            assignees=tuple(assignee.canonical_login for assignee in self.assignees),
            closes=closes,
            status=status,
        )


class IssueStatus(msgspec.Struct):
    """An issue's status, where its organization uses them (a preview of GitHub's)."""

    category: str | None = None


class IssuePayload(ItemPayload):
    """An issue or, in a comment's payload, a pull request in the shape of an issue."""

    kind: ClassVar[str] = "Issue"

    state_reason: str | None = None
    pull_request: PullRequestLink | None = None
    status: IssueStatus | None = None

    def snapshot(self) -> ItemSnapshot:
        state = State.OPEN
        if self.state == "closed":
            is_dropped = self.state_reason in _DROPPING_REASONS
            if self.pull_request is not None:
                is_dropped = self.pull_request.merged_at is None
            state = State.DROPPED if is_dropped else State.DONE
        status = self.status.category if self.status else None
        return self.build_snapshot(state, is_pull_request=self.pull_request is not None, status=status)


class BranchPayload(msgspec.Struct):
    """One side of a pull request. `repo` is null once a fork was deleted."""

    ref: str = ""
    sha: str = ""
    repo: RepositoryPayload | None = None


class PullRequestPayload(ItemPayload):
    """A pull request. Lists and reviews show neither its size nor whether it was merged."""

    kind: ClassVar[str] = "PullRequest"

    merged: bool | None = None
    merged_at: datetime | None = None
    base: BranchPayload | None = None
    head: BranchPayload | None = None
    draft: bool = False
    additions: Number | None = None
    deletions: Number | None = None
    changed_files: Number | None = None

    def snapshot(self) -> ItemSnapshot:
        state = State.OPEN
        if self.state == "closed":
            state = State.DONE if self.merged or self.merged_at else State.DROPPED
        return self.build_snapshot(state, is_pull_request=True, closes=self._closes())

    def _closes(self) -> tuple[int, ...]:
        """The issues of this repository that GitHub closes when this is merged.

        GitHub follows closing keywords only in a pull request to the default branch.
        """
        if not self.is_to_default_branch:
            return ()
        return self.references.closes

    @property
    def references(self) -> References:
        """The issues that the description closes or names, whatever its base branch."""
        repository = self.base.repo if self.base else None
        if repository is None:
            return find_references(self.body or "", None)
        return find_references(self.body or "", repository.full_name, repository.html_url)

    @property
    def is_to_default_branch(self) -> bool:
        base = self.base
        return not (base and base.repo and base.repo.default_branch not in {None, base.ref})

    @property
    def is_from_fork(self) -> bool:
        """Whether the head branch is in another repository, or in a deleted one."""
        base, head = (side.repo.key if side and side.repo else None for side in (self.base, self.head))
        return base != head


class _From(msgspec.Struct):
    from_: str | None = msgspec.field(name="from", default=None)


class _Owner(msgspec.Struct):
    user: AccountPayload | None = None
    organization: AccountPayload | None = None


class OwnerChangePayload(msgspec.Struct):
    """The change of a repository's owner by a transfer."""

    from_: _Owner | None = msgspec.field(name="from", default=None)

    @property
    def former_owner(self) -> AccountPayload | None:
        """The owner before the transfer: an organization or a person."""
        return (self.from_.organization or self.from_.user) if self.from_ else None


class ChangesPayload(msgspec.Struct):
    """The values that an edit replaced. A date may be null on either side."""

    body: _From | None = None
    title: _From | None = None
    description: _From | None = None
    due_on: _From | None = None
    name: _From | None = None

    def before(self, *names: str) -> dict[str, object] | None:
        """The old values of those of the named fields that were changed; None if none was."""
        changes = {name: getattr(self, name) for name in names}
        old_values: dict[str, object] = {
            name: clean(change.from_) if change.from_ else None
            for name, change in changes.items()
            if change is not None
        }
        return old_values or None


def to_details(details: dict[str, Any]) -> dict[str, object]:
    """Convert values for the timeline: drop missing ones, and make texts storable in PostgreSQL."""
    return {
        name: clean(value) if isinstance(value, str) else value
        for name, value in details.items()
        if value is not None
    }


def clean(text: str) -> str:
    """Remove NUL characters from a text, because PostgreSQL cannot store them."""
    return text.replace("\x00", "")
