"""The flow of an item: when it was created, started, blocked, and done or given up."""

from dataclasses import dataclass
from datetime import datetime

from sprints.blocked import BlockedSpan
from sprints.estimates import Points
from sprints.model import State
from sprints.numbering import Number
from sprints.pauses import Pause
from sprints.starts import StartSignal


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an item's state at `at`; for a closed item, when it was closed."""

    at: datetime
    state: State


@dataclass(frozen=True, slots=True)
class Flow:
    """An item's way through the work as of a moment.

    `done_at` and `dropped_at` are None while it is open; after a reopening `done_at` is the last time.
    `reopen_count` is how often it was done and reopened. `started_at` is the first start; unless it
    `is_start_dated`, work started by then at an unknown time. `points` is the estimate, frozen while it is
    done. `title` is empty when the item was deleted.

    An item that `is_covered` is represented by other items and does not count itself: a parent by its
    sub-issues, a pull request by the issues that it closes. `assignees` and `labels` are the current ones,
    `pauses` and `blocks` the times at which it was paused or blocked (docs/metrics.md); the last one may
    still be open. `transitions` are its changes of state, oldest first, the first from its creation on.

    `closes` are the issues that a pull request will close, and `reviewable_since` is since when it can be
    reviewed: None for a draft and for an issue.
    """

    item: str
    number: Number
    title: str
    created_at: datetime
    started_at: datetime | None = None
    start_signal: StartSignal | None = None
    is_start_dated: bool = True
    done_at: datetime | None = None
    dropped_at: datetime | None = None
    points: Points | None = None
    reopen_count: int = 0
    is_pull_request: bool = False
    is_covered: bool = False
    author: str | None = None
    assignee_at_done: str | None = None
    closed_by: str | None = None
    assignees: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    pauses: tuple[Pause, ...] = ()
    blocks: tuple[BlockedSpan, ...] = ()
    transitions: tuple[Transition, ...] = ()
    closes: tuple[Number, ...] = ()
    reviewable_since: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the item is neither done nor given up."""
        return self.done_at is None and self.dropped_at is None

    @property
    def is_paused(self) -> bool:
        """Whether the item is set aside until a person resumes it."""
        return bool(self.pauses) and self.pauses[-1].span.until is None

    @property
    def open_blocks(self) -> tuple[BlockedSpan, ...]:
        """The blocks that still last, the longest first."""
        return tuple(block for block in self.blocks if block.is_open)

    @property
    def is_in_progress(self) -> bool:
        """Whether the item is work in progress as the Kanban Guide defines it, and not paused."""
        return self.started_at is not None and self.is_open and not self.is_paused and not self.is_covered
