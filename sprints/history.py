"""One item's way through one milestone: its state after each of its events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sprints.estimates import USUAL, Estimates, Points
from sprints.links import Links
from sprints.model import ItemEvent, ItemSnapshot, LabelEvent, State, in_order
from sprints.numbering import Number, place

_NOWHERE = 0  # No milestone has this id.
# What takes an item away from its repository for good.
_GONE = {"deleted", "transferred", "converted_to_discussion"}
# What tells of people and words, and is by far the most.
_QUIET = {"commented", "assigned", "unassigned", "blocked", "unblocked", "typed", "untyped", "status_changed"}


@dataclass(frozen=True, slots=True)
class ItemState:
    """What an item is at a moment, seen from one milestone.

    `points` is its estimate; while it is done, the estimate that it had when it became done.
    `done_at` is set exactly while `state` is done. `parent` is the node id of its parent issue, `closes` the
    numbers of the issues that it will close as a pull request. One that `is_gone` was deleted, transferred,
    or made a discussion. One that `is_covered` is told by other items of the milestone (see coverage.py).
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
    """From `at` on, the item is in `after`; just before it was in `before`. `event` made the difference.

    What happens within one second is one change.
    """

    at: datetime
    before: ItemState
    after: ItemState
    event: ItemEvent | LabelEvent


def changes(
    events: Sequence[ItemEvent],
    milestone: int,
    estimates: Estimates = USUAL,
    labels: Iterable[LabelEvent] = (),
) -> list[SprintChange]:
    """How one item changed, oldest first. Events that change nothing here are left out.

    `labels` is what happened to the labels of its repository.
    """
    found = list[SprintChange]()
    now = ItemState()
    for event, at, after in _states(_with_labels(events, labels), milestone, estimates):
        if after == now:
            continue
        before, now = now, after
        if found and found[-1].at == at:
            before = found.pop().before
        if after != before:
            found.append(SprintChange(at, before, after, event))
    return found


def state_at(history: Sequence[SprintChange], moment: datetime) -> ItemState:
    """The state after everything that happened before `moment`."""
    current = ItemState()
    for change in history:
        if change.at >= moment:
            break
        current = change.after
    return current


class LabelBook:
    """What happened to the labels of repositories, to be looked up by name."""

    def __init__(self, labels: Iterable[LabelEvent]) -> None:
        self._by_name: dict[tuple[str, str], list[LabelEvent]] = {}
        for label in labels:
            self._by_name.setdefault((label.repository, label.name), []).append(label)

    def of(self, events: Sequence[ItemEvent]) -> list[LabelEvent]:
        """All that may concern an item: what happened to its labels, under each name that these had."""
        if not self._by_name or not events:
            return []
        found, seen = list[LabelEvent](), set[str]()
        repository, _ = place(events[0].snapshot.number)
        names = {name for event in events for name in event.snapshot.labels}
        names |= {event.label for event in events if event.label}
        while names := names - seen:
            seen |= names
            told = [label for name in names for label in self._by_name.get((repository, name), ())]
            found += told
            names = {label.new_name for label in told if label.new_name}
        return found


def _with_labels(
    events: Sequence[ItemEvent], labels: Iterable[LabelEvent]
) -> list[ItemEvent] | list[ItemEvent | LabelEvent]:
    """Both in order, from the item's first event on: its first picture knows what came before."""
    ordered = in_order(events)
    later = [label for label in labels if ordered and label.at >= ordered[0].at]
    if not later:
        return ordered
    mixed: list[ItemEvent | LabelEvent] = [*ordered[1:], *later]
    return [ordered[0], *in_order(mixed)]


@dataclass(slots=True)
class _Fold:
    """The running values of an item; `labels` oldest first, because the last estimate wins.

    `told` is the state that GitHub tells, `state` what it is by the team's rule.
    """

    estimates: Estimates
    milestone: int = _NOWHERE
    labels: tuple[str, ...] = ()
    told: State = State.OPEN
    state: State = State.OPEN
    done_at: datetime | None = None
    points_when_done: Points | None = None
    parent: str | None = None
    links: Links = field(default_factory=Links)
    is_gone: bool = False

    def become(self, told: State, at: datetime) -> None:
        self.told = told
        self._settle(at)

    def bear(self, labels: tuple[str, ...], at: datetime) -> None:
        self.labels = labels
        self._settle(at)

    def _settle(self, at: datetime) -> None:
        state = self.estimates.state_of(self.told, self.labels)
        if state is State.DONE and self.state is not State.DONE:
            self.done_at, self.points_when_done = at, self.estimates.of(self.labels)
        if state is not State.DONE:
            self.done_at = self.points_when_done = None
        self.state = state

    def seen_from(self, milestone: int) -> ItemState:
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


def _states(
    ordered: Sequence[ItemEvent | LabelEvent], milestone: int, estimates: Estimates
) -> Iterator[tuple[ItemEvent | LabelEvent, datetime, ItemState]]:
    if not ordered:
        return
    first = ordered[0]
    assert isinstance(first, ItemEvent)  # noqa: S101 - see _with_labels
    fold = _before(first, estimates)
    if first.event != "opened":
        # The item is older than our knowledge of it: what its first picture implies held from the beginning.
        yield first, min(first.snapshot.created_at, first.at), fold.seen_from(milestone)
    for event in ordered:
        if fold.is_gone:
            return
        if isinstance(event, LabelEvent):
            _follow_label(fold, event)
        elif event.event in _QUIET and event.snapshot.closes is None:
            continue
        else:
            _apply(fold, event)
        yield event, event.at, fold.seen_from(milestone)


def _before(first: ItemEvent, estimates: Estimates) -> _Fold:
    """The item just before the first event that we know of, as far as that event's picture tells."""
    shown = first.snapshot
    if first.event == "opened":
        return _Fold(estimates)
    fold = _Fold(estimates, milestone=shown.milestone or _NOWHERE, labels=shown.labels)
    fold.links.take(first)
    match first.event:
        case "milestoned":
            fold.milestone = _NOWHERE
        case "demilestoned":
            fold.milestone = first.milestone or _NOWHERE
        case "labeled":
            fold.labels = _without(shown.labels, first.label)
        case "unlabeled" if first.label:
            fold.labels = (*_without(shown.labels, first.label), first.label)
        case "parent_removed":
            fold.parent = first.named
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
    fold.links.take(event)
    match event.event:
        case "opened":
            fold.milestone = shown.milestone or _NOWHERE
            fold.bear(shown.labels, event.at)
        case "milestoned":
            fold.milestone = event.milestone or _NOWHERE
        case "demilestoned" if _has_left(fold, event):
            fold.milestone = _NOWHERE
        case "labeled" | "unlabeled":
            fold.bear(_labels_after(fold.labels, event), event.at)
        case "closed" | "reopened":
            fold.become(_state_after(event), event.at)
        case "parent_added" | "parent_removed":
            fold.parent = _parent_after(fold.parent, event)
        case "corrected":
            fold.milestone = shown.milestone or _NOWHERE
            fold.labels = _in_known_order(fold.labels, shown, may_add=True)
            # When it was really closed decides whether that was before a sprint.
            fold.become(shown.state, min(shown.closed_at or event.at, event.at))
        case gone if gone in _GONE:
            fold.become(State.DROPPED, event.at)
            fold.is_gone = True
        case _:
            pass


def _state_after(event: ItemEvent) -> State:
    if event.event == "reopened":
        return State.OPEN
    return State.DROPPED if event.snapshot.state is State.DROPPED else State.DONE


def _labels_after(labels: tuple[str, ...], event: ItemEvent) -> tuple[str, ...]:
    if event.label is None:
        # GitHub names no label when it was deleted, but shows those that are left.
        return _in_known_order(labels, event.snapshot, may_add=event.event == "labeled")
    rest = _without(labels, event.label)
    return (*rest, event.label) if event.event == "labeled" else rest


def _has_left(fold: _Fold, event: ItemEvent) -> bool:
    """Whether it leaves where it is. If its milestone was deleted, GitHub names none; the picture says."""
    if event.milestone is None:
        return event.snapshot.milestone is None
    return fold.milestone == event.milestone


def _parent_after(parent: str | None, event: ItemEvent) -> str | None:
    if event.event == "parent_added":
        return event.named
    return None if parent == event.named else parent


def _follow_label(fold: _Fold, event: LabelEvent) -> None:
    if event.event == "deleted":
        fold.bear(_without(fold.labels, event.name), event.at)
    elif event.new_name:
        renamed = tuple(event.new_name if name == event.name else name for name in fold.labels)
        fold.bear(renamed, event.at)


def _in_known_order(labels: tuple[str, ...], shown: ItemSnapshot, *, may_add: bool) -> tuple[str, ...]:
    """The labels that are shown, those that we know in the order in which they came."""
    kept = tuple(name for name in labels if name in shown.labels)
    return (*kept, *(name for name in shown.labels if name not in labels)) if may_add else kept


def _without(labels: tuple[str, ...], label: str | None) -> tuple[str, ...]:
    return tuple(name for name in labels if name != label)
