"""GitHub's payloads, as far as we read them. What else they carry is passed over.

Reading is lenient where a missing value has an obvious meaning, because payloads of all ages and of GitHub
Enterprise come through the same door.
"""

from datetime import datetime

import msgspec

from sprints.model import ItemSnapshot, MilestoneEvent, State

_DROPPING_REASONS = {"not_planned", "duplicate"}


class Account(msgspec.Struct):
    id: int
    login: str = ""
    type: str = "User"


class Repository(msgspec.Struct):
    id: int
    full_name: str
    node_id: str = ""
    private: bool = True
    description: str | None = None
    owner: Account | None = None

    @property
    def key(self) -> str:
        """How we know the repository: by node id, which survives renames and transfers."""
        return self.node_id or f"repository:{self.id}"


class Label(msgspec.Struct):
    name: str


class Milestone(msgspec.Struct):
    id: int
    number: int
    title: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    description: str | None = None
    due_on: datetime | None = None
    closed_at: datetime | None = None

    def told(self, event: str, at: datetime, delivery: str) -> MilestoneEvent:
        """What an event says of this milestone."""
        return MilestoneEvent(
            milestone=self.id,
            event=event,
            at=at,
            delivery=delivery,
            number=self.number,
            title=clean(self.title),
            created_at=self.created_at or at,
            description=clean(self.description) if self.description else None,
            due_on=self.due_on,
            closed_at=self.closed_at,
        )


class PullRequestLink(msgspec.Struct):
    """What an issue's picture tells of the pull request that it is."""

    merged_at: datetime | None = None


class Item(msgspec.Struct):
    """What issues and pull requests have in common."""

    number: int
    title: str
    created_at: datetime
    updated_at: datetime
    id: int = 0
    node_id: str = ""
    state: str = "open"
    closed_at: datetime | None = None
    milestone: Milestone | None = None
    labels: list[Label] = []

    @property
    def key(self) -> str:
        """How we know the item: by node id, which survives renames and transfers of its repository."""
        return self.node_id or f"{type(self).__name__}:{self.id}"

    def picture(self, state: State, *, is_pull_request: bool) -> ItemSnapshot:
        return ItemSnapshot(
            number=self.number,
            title=clean(self.title),
            created_at=self.created_at,
            state=state,
            closed_at=self.closed_at,
            milestone=self.milestone.id if self.milestone else None,
            labels=tuple(clean(label.name) for label in self.labels),
            is_pull_request=is_pull_request,
        )


class Issue(Item):
    """An issue or, in a comment's payload, a pull request seen as one."""

    state_reason: str | None = None
    pull_request: PullRequestLink | None = None

    def snapshot(self) -> ItemSnapshot:
        state = State.OPEN
        if self.state == "closed":
            is_dropped = self.state_reason in _DROPPING_REASONS
            if self.pull_request is not None:
                is_dropped = self.pull_request.merged_at is None
            state = State.DROPPED if is_dropped else State.DONE
        return self.picture(state, is_pull_request=self.pull_request is not None)


class PullRequest(Item):
    merged: bool | None = None
    merged_at: datetime | None = None

    def snapshot(self) -> ItemSnapshot:
        state = State.OPEN
        if self.state == "closed":
            state = State.DONE if self.merged or self.merged_at else State.DROPPED
        return self.picture(state, is_pull_request=True)


class Comment(msgspec.Struct):
    id: int
    body: str | None = None
    user: Account | None = None


class _From(msgspec.Struct):
    from_: str | None = msgspec.field(name="from", default=None)


class Changes(msgspec.Struct):
    body: _From | None = None


def clean(text: str) -> str:
    """Text that PostgreSQL can store: it knows no NUL character."""
    return text.replace("\x00", "")
