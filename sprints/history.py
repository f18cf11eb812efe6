"""One item's way through one milestone: its state after each of its events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.estimates import Points, estimate
from sprints.model import ItemEvent, State, in_order

_NOWHERE = 0  # No milestone has this id.


@dataclass(frozen=True, slots=True)
class ItemState:
    """What an item is at a moment, seen from one milestone.

    `points` is its estimate; while it is done, the estimate that it had when it became done.
    `done_at` is set exactly while `state` is done.
    """

    is_member: bool = False
    state: State = State.OPEN
    points: Points | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on, the item is in `after`; just before it was in `before`."""

    at: datetime
    before: ItemState
    after: ItemState


def changes(events: Sequence[ItemEvent], milestone: int) -> list[Change]:
    """How one item changed, oldest first. Events that change nothing here are left out."""
    found = list[Change]()
    before = ItemState()
    for at, after in _states(in_order(events), milestone):
        if after != before:
            found.append(Change(at, before, after))
            before = after
    return found


def state_at(history: Sequence[Change], moment: datetime) -> ItemState:
    """The state after everything that happened before `moment`."""
    current = ItemState()
    for change in history:
        if change.at >= moment:
            break
        current = change.after
    return current


@dataclass(slots=True)
class _Fold:
    """The running values of an item; `labels` oldest first, because the last estimate wins."""

    milestone: int = _NOWHERE
    labels: tuple[str, ...] = ()
    state: State = State.OPEN
    done_at: datetime | None = None
    points_when_done: Points | None = None

    def become(self, state: State, at: datetime) -> None:
        if state is State.DONE and self.state is not State.DONE:
            self.done_at, self.points_when_done = at, estimate(self.labels)
        if state is not State.DONE:
            self.done_at = self.points_when_done = None
        self.state = state

    def seen_from(self, milestone: int) -> ItemState:
        points = self.points_when_done if self.state is State.DONE else estimate(self.labels)
        return ItemState(self.milestone == milestone, self.state, points, self.done_at)


def _states(ordered: Sequence[ItemEvent], milestone: int) -> Iterator[tuple[datetime, ItemState]]:
    if not ordered:
        return
    first = ordered[0]
    fold = _before(first)
    if first.event != "opened":
        # The item is older than our knowledge of it: what its first picture implies held from the beginning.
        yield min(first.snapshot.created_at, first.at), fold.seen_from(milestone)
    for event in ordered:
        _apply(fold, event)
        yield event.at, fold.seen_from(milestone)


def _before(first: ItemEvent) -> _Fold:
    """The item just before the first event that we know of, as far as that event's picture tells."""
    shown = first.snapshot
    fold = _Fold(milestone=shown.milestone or _NOWHERE, labels=shown.labels)
    match first.event:
        case "opened":
            return _Fold()
        case "milestoned":
            fold.milestone = _NOWHERE
        case "demilestoned":
            fold.milestone = first.milestone or _NOWHERE
        case "labeled":
            fold.labels = _without(shown.labels, first.label)
        case "unlabeled" if first.label:
            fold.labels = (*_without(shown.labels, first.label), first.label)
        case _:
            pass
    match first.event:
        case "closed":
            fold.become(State.OPEN, shown.created_at)
        case "reopened":
            # When it was closed is not known; long ago is the guess that changes no running sprint.
            fold.become(State.DONE, shown.created_at)
        case _:
            fold.become(shown.state, shown.closed_at or shown.created_at)
    return fold


def _apply(fold: _Fold, event: ItemEvent) -> None:
    shown = event.snapshot
    match event.event:
        case "opened":
            fold.milestone, fold.labels = shown.milestone or _NOWHERE, shown.labels
        case "milestoned":
            fold.milestone = event.milestone or _NOWHERE
        case "demilestoned" if fold.milestone == event.milestone:
            fold.milestone = _NOWHERE
        case "labeled" if event.label:
            fold.labels = (*_without(fold.labels, event.label), event.label)
        case "unlabeled":
            fold.labels = _without(fold.labels, event.label)
        case "closed":
            fold.become(State.DROPPED if shown.state is State.DROPPED else State.DONE, event.at)
        case "reopened":
            fold.become(State.OPEN, event.at)
        case _:
            pass


def _without(labels: tuple[str, ...], label: str | None) -> tuple[str, ...]:
    return tuple(name for name in labels if name != label)
