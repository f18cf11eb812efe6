"""An item's history in one milestone: its state after each of its events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sprints.estimates import DEFAULT_ESTIMATES, Estimates, Points
from sprints.links import PullRequestLinks
from sprints.model import ItemEvent, ItemSnapshot, LabelEvent, State, sort_events
from sprints.numbering import Number, split_number

_NO_MILESTONE = 0  # No milestone has this id.
# Events that remove an item from its repository permanently.
GONE_EVENTS = {"deleted", "transferred", "converted_to_discussion"}
# Events of people and comments, which change no state here and are by far the most frequent.
_QUIET = {"commented", "assigned", "unassigned", "blocked", "unblocked", "typed", "untyped", "status_changed"}


@dataclass(frozen=True, slots=True)
class ItemState:
    """The state of an item at a moment, seen from one milestone.

    `points` is its estimate; while it is done, the estimate that it had when it became done. `done_at` is set
    exactly while `state` is done. `parent` is the node id of its parent issue, `closes` the numbers of the
    issues that it will close as a pull request. An item that `is_gone` was deleted, transferred, or converted
    to a discussion. An item that `is_covered` is represented by other items of the milestone (see
    coverage.py).
    """

    is_member: bool = False
    state: State = State.OPEN
    points: Points | None = None
    done_at: datetime | None = None
    parent: str | None = None
    closes: tuple[Number, ...] = ()
    is_gone: bool = False
    is_covered: bool = False


@dataclass(frozen=True, slots=True)
class SprintChange:
    """A change of an item's state at `at`, from `before` to `after`, caused by `event`.

    All events within one second make one change.
    """

    at: datetime
    before: ItemState
    after: ItemState
    event: ItemEvent | LabelEvent


def trace_changes(
    events: Sequence[ItemEvent],
    milestone: int,
    estimates: Estimates = DEFAULT_ESTIMATES,
    labels: Iterable[LabelEvent] = (),
) -> list[SprintChange]:
    """List how one item changed, oldest first, without events that change nothing here.

    `labels` are the label events of its repository.
    """
    history = list[SprintChange]()
    state = ItemState()
    for event, at, after in _trace_states(_with_labels(events, labels), milestone, estimates):
        if after == state:
            continue
        before, state = state, after
        if history and history[-1].at == at:
            before = history.pop().before
        if after != before:
            history.append(SprintChange(at, before, after, event))
    return history


def state_at(history: Sequence[SprintChange], moment: datetime) -> ItemState:
    """Return the state after everything that happened before `moment`."""
    current = ItemState()
    for change in history:
        if change.at >= moment:
            break
        current = change.after
    return current


class LabelHistory:
    """The label events of repositories, indexed by label name."""

    def __init__(self, labels: Iterable[LabelEvent]) -> None:
        self._by_name: dict[tuple[str, str], list[LabelEvent]] = {}
        for label in labels:
            self._by_name.setdefault((label.repository, label.name), []).append(label)

    def find_for(self, events: Sequence[ItemEvent]) -> list[LabelEvent]:
        """Return the events of all labels that an item has had, under each name of these labels."""
        if not self._by_name or not events:
            return []
        collected, visited = list[LabelEvent](), set[str]()
        repository, _ = split_number(events[0].snapshot.number)
        names = {name for event in events for name in event.snapshot.labels}
        names |= {event.label for event in events if event.label}
        while names := names - visited:
            visited |= names
            label_events = [label for name in names for label in self._by_name.get((repository, name), ())]
            collected += label_events
            names = {label.new_name for label in label_events if label.new_name}
        return collected


def _with_labels(
    events: Sequence[ItemEvent], labels: Iterable[LabelEvent]
) -> list[ItemEvent] | list[ItemEvent | LabelEvent]:
    """Merge item and label events in order, from the item's first event on.

    Earlier label events are left out, because the item's first snapshot includes their effect.
    """
    ordered = sort_events(events)
    later = [label for label in labels if ordered and label.at >= ordered[0].at]
    if not later:
        return ordered
    mixed: list[ItemEvent | LabelEvent] = [*ordered[1:], *later]
    return [ordered[0], *sort_events(mixed)]


@dataclass(slots=True)
class _Fold:
    """The running values of an item; `labels` oldest first, because the last estimate wins.

    `reported_state` is the state on GitHub, `state` the one by the team's rule.
    """

    estimates: Estimates
    milestone: int = _NO_MILESTONE
    labels: tuple[str, ...] = ()
    reported_state: State = State.OPEN
    state: State = State.OPEN
    done_at: datetime | None = None
    points_when_done: Points | None = None
    parent: str | None = None
    links: PullRequestLinks = field(default_factory=PullRequestLinks)
    is_gone: bool = False

    def set_reported_state(self, reported_state: State, at: datetime) -> None:
        self.reported_state = reported_state
        self._update_state(at)

    def set_labels(self, labels: tuple[str, ...], at: datetime) -> None:
        self.labels = labels
        self._update_state(at)

    def _update_state(self, at: datetime) -> None:
        state = self.estimates.state_of(self.reported_state, self.labels)
        if state is State.DONE and self.state is not State.DONE:
            self.done_at, self.points_when_done = at, self.estimates.of(self.labels)
        if state is not State.DONE:
            self.done_at = self.points_when_done = None
        self.state = state

    def to_item_state(self, milestone: int) -> ItemState:
        points = self.points_when_done if self.state is State.DONE else self.estimates.of(self.labels)
        return ItemState(
            self.milestone == milestone,
            self.state,
            points,
            self.done_at,
            self.parent,
            self.links.closes,
            self.is_gone,
        )


def _trace_states(
    ordered: Sequence[ItemEvent | LabelEvent], milestone: int, estimates: Estimates
) -> Iterator[tuple[ItemEvent | LabelEvent, datetime, ItemState]]:
    if not ordered:
        return
    first = ordered[0]
    assert isinstance(first, ItemEvent)  # noqa: S101 - see _with_labels
    fold = _fold_before(first, estimates)
    if first.event != "opened":
        # The history begins after the item's opening: the first snapshot is assumed to hold since then.
        yield first, min(first.snapshot.created_at, first.at), fold.to_item_state(milestone)
    for event in ordered:
        if fold.is_gone:
            return
        if isinstance(event, LabelEvent):
            _apply_label_event(fold, event)
        elif event.event in _QUIET and event.snapshot.closes is None:
            continue
        else:
            _apply(fold, event)
        yield event, event.at, fold.to_item_state(milestone)


def _fold_before(first: ItemEvent, estimates: Estimates) -> _Fold:
    """Return the item's values just before its first recorded event, as its snapshot shows them."""
    snapshot = first.snapshot
    if first.event == "opened":
        return _Fold(estimates)
    fold = _Fold(estimates, milestone=snapshot.milestone or _NO_MILESTONE, labels=snapshot.labels)
    fold.links.take(first)
    match first.event:
        case "milestoned":
            fold.milestone = _NO_MILESTONE
        case "demilestoned":
            fold.milestone = first.milestone or _NO_MILESTONE
        case "labeled":
            fold.labels = _without(snapshot.labels, first.label)
        case "unlabeled" if first.label:
            fold.labels = (*_without(snapshot.labels, first.label), first.label)
        case "parent_removed":
            fold.parent = first.named
        case _:
            pass
    match first.event:
        case "closed":
            fold.set_reported_state(State.OPEN, snapshot.created_at)
        case "reopened":
            # When it was closed is not known; long ago is the guess that changes no running sprint.
            fold.set_reported_state(State.DONE, snapshot.created_at)
        case _:
            fold.set_reported_state(snapshot.state, snapshot.closed_at or snapshot.created_at)
    return fold


def _apply(fold: _Fold, event: ItemEvent) -> None:
    snapshot = event.snapshot
    fold.links.take(event)
    match event.event:
        case "opened":
            fold.milestone = snapshot.milestone or _NO_MILESTONE
            fold.set_labels(snapshot.labels, event.at)
        case "milestoned":
            fold.milestone = event.milestone or _NO_MILESTONE
        case "demilestoned" if _has_left(fold, event):
            fold.milestone = _NO_MILESTONE
        case "labeled" | "unlabeled":
            fold.set_labels(_labels_after(fold.labels, event), event.at)
        case "closed" | "reopened":
            fold.set_reported_state(_state_after(event), event.at)
        case "parent_added" | "parent_removed":
            fold.parent = _parent_after(fold.parent, event)
        case "corrected":
            fold.milestone = snapshot.milestone or _NO_MILESTONE
            fold.labels = _merge_labels(fold.labels, snapshot, may_add=True)
            # When it was really closed decides whether that was before a sprint.
            fold.set_reported_state(snapshot.state, min(snapshot.closed_at or event.at, event.at))
        case event_name if event_name in GONE_EVENTS:
            fold.set_reported_state(State.DROPPED, event.at)
            fold.is_gone = True
        case _:
            pass


def _state_after(event: ItemEvent) -> State:
    if event.event == "reopened":
        return State.OPEN
    return State.DROPPED if event.snapshot.state is State.DROPPED else State.DONE


def _labels_after(labels: tuple[str, ...], event: ItemEvent) -> tuple[str, ...]:
    if event.label is None:
        # GitHub does not name a deleted label, but shows the labels that are left.
        return _merge_labels(labels, event.snapshot, may_add=event.event == "labeled")
    rest = _without(labels, event.label)
    return (*rest, event.label) if event.event == "labeled" else rest


def _has_left(fold: _Fold, event: ItemEvent) -> bool:
    """Return whether the item leaves its milestone; GitHub names none if the milestone was deleted."""
    if event.milestone is None:
        return event.snapshot.milestone is None
    return fold.milestone == event.milestone


def _parent_after(parent: str | None, event: ItemEvent) -> str | None:
    if event.event == "parent_added":
        return event.named
    return None if parent == event.named else parent


def _apply_label_event(fold: _Fold, event: LabelEvent) -> None:
    if event.event == "deleted":
        fold.set_labels(_without(fold.labels, event.name), event.at)
    elif event.new_name:
        renamed = tuple(event.new_name if name == event.name else name for name in fold.labels)
        fold.set_labels(renamed, event.at)


def _merge_labels(labels: tuple[str, ...], snapshot: ItemSnapshot, *, may_add: bool) -> tuple[str, ...]:
    """Return the labels of a snapshot: the earlier labels first, in their order, then the new ones."""
    remaining = tuple(name for name in labels if name in snapshot.labels)
    return (*remaining, *(name for name in snapshot.labels if name not in labels)) if may_add else remaining


def _without(labels: tuple[str, ...], label: str | None) -> tuple[str, ...]:
    return tuple(name for name in labels if name != label)
