"""The demo's sprints as events, without a stand-in for GitHub: what its webhooks are recorded as.

For scripts that need the demo's numbers within a second. Items and milestones have the numbers that they have
in the demo.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self

from demo.earlier_sprints import Earlier, Piece, earlier_sprints
from demo.scenario import Calendar
from demo.story import CARDS, GOAL, SPRINT, SPRINT_MADE, STEPS, Step
from sprints.model import ItemEvent, ItemSnapshot, MilestoneEvent, State

# GitHub's ids of milestones are others than their numbers.
FIRST_ID = 1000
# A sprint's leftovers leave it on the day after its last weekend, and are done a day later.
_LEFT_AFTER, _DONE_AFTER = timedelta(days=15), timedelta(days=16, hours=2)


@dataclass
class ItemLog:
    """One issue's events, each with the issue as it was shown then."""

    shown: ItemSnapshot
    events: list[ItemEvent] = field(default_factory=list)

    def opened(self, at: datetime, who: str) -> Self:
        return self._record("opened", at, who)

    def estimated(self, at: datetime, who: str, points: int) -> Self:
        """A label with the points comes; one with other points goes before."""
        for label in self._points:
            self.shown = replace(self.shown, labels=self._other_labels)
            self._record("unlabeled", at, who, label=label)
        label = f"points: {points}"
        self.shown = replace(self.shown, labels=(*self._other_labels, label))
        return self._record("labeled", at, who, label=label)

    def joined(self, at: datetime, who: str, milestone: int) -> Self:
        self.shown = replace(self.shown, milestone=milestone)
        return self._record("milestoned", at, who, milestone=milestone)

    def left(self, at: datetime, who: str, milestone: int) -> Self:
        self.shown = replace(self.shown, milestone=None)
        return self._record("demilestoned", at, who, milestone=milestone)

    def assigned(self, at: datetime, who: str) -> Self:
        self.shown = replace(self.shown, assignees=(who,))
        return self._record("assigned", at, who, named=who)

    def closed(self, at: datetime, who: str, state: State = State.DONE) -> Self:
        self.shown = replace(self.shown, state=state, closed_at=at)
        return self._record("closed", at, who)

    def reopened(self, at: datetime, who: str) -> Self:
        self.shown = replace(self.shown, state=State.OPEN, closed_at=None)
        return self._record("reopened", at, who)

    @property
    def _points(self) -> tuple[str, ...]:
        return tuple(label for label in self.shown.labels if label.startswith("points"))

    @property
    def _other_labels(self) -> tuple[str, ...]:
        return tuple(label for label in self.shown.labels if not label.startswith("points"))

    def _record(self, event: str, at: datetime, who: str, **named: Any) -> Self:
        item, delivery = f"I_{self.shown.number}", f"{self.shown.number}-{len(self.events):03}"
        self.events.append(ItemEvent(item, event, at, delivery, self.shown, actor=who, **named))
        return self


@dataclass
class DemoHistory:
    """All that happened in the demo's repository, by the milestone's id and by the item's number."""

    milestones: dict[int, list[MilestoneEvent]] = field(default_factory=dict)
    items: dict[int, ItemLog] = field(default_factory=dict)
    running: int = 0

    @property
    def events_by_item(self) -> dict[str, list[ItemEvent]]:
        """All events of items, by node id."""
        return {f"I_{number}": item.events for number, item in self.items.items()}

    def events_in(self, milestone: int) -> dict[str, list[ItemEvent]]:
        """All events of the items that ever were in a milestone."""
        return {
            name: events
            for name, events in self.events_by_item.items()
            if any(event.snapshot.milestone == milestone for event in events)
        }

    def add_item(self, title: str, at: datetime, *labels: str, assignees: Sequence[str] = ()) -> ItemLog:
        """An issue with the next number, of which nothing is recorded yet."""
        number = len(self.items) + 1
        shown = ItemSnapshot(number, title, at, labels=labels, assignees=tuple(assignees))
        self.items[number] = ItemLog(shown)
        return self.items[number]


def demo_history(now: datetime) -> DemoHistory:
    """The eight earlier sprints and the running one, so that `now` is on its seventh working day."""
    history, calendar = DemoHistory(), Calendar.around(now)
    for number, sprint in enumerate(earlier_sprints(calendar.first_day), 1):
        _add_earlier(history, FIRST_ID + number, sprint)
    _add_running(history, calendar)
    return history


def _add_earlier(history: DemoHistory, milestone: int, sprint: Earlier) -> None:
    made = MilestoneEvent(
        milestone=milestone,
        event="created",
        at=sprint.made_at,
        delivery=f"{milestone}-0",
        number=milestone - FIRST_ID,
        title=sprint.title,
        created_at=sprint.made_at,
        description=f"Start: {sprint.first_day}",
        due_on=datetime.combine(sprint.last_day, time(7), UTC),
    )
    ended = sprint.closed_at
    closed = replace(made, event="closed", at=ended, delivery=f"{milestone}-1", closed_at=ended)
    history.milestones[milestone] = [made, closed]
    for piece in sprint.pieces:
        item = history.add_item(piece.title, piece.opened_at, "feature")
        _add_piece(item, piece, milestone)


def _add_piece(item: ItemLog, piece: Piece, milestone: int) -> None:
    who = piece.who
    item.opened(piece.opened_at, who).estimated(piece.joined_at - timedelta(hours=1), who, piece.points)
    item.joined(piece.joined_at, who, milestone).assigned(piece.started_at, who)
    if piece.done_at is None:
        item.left(piece.joined_at + _LEFT_AFTER, who, milestone)
    item.closed(piece.done_at or piece.joined_at + _DONE_AFTER, who)


def _add_running(history: DemoHistory, calendar: Calendar) -> None:
    made_at = calendar.instant(SPRINT_MADE)
    milestone = history.running = FIRST_ID + len(history.milestones) + 1
    made = MilestoneEvent(
        milestone=milestone,
        event="created",
        at=made_at,
        delivery=f"{milestone}-0",
        number=milestone - FIRST_ID,
        title=SPRINT,
        created_at=made_at,
        description=f"Start: {calendar.first_day}\nGoal: {GOAL}",
        due_on=datetime.combine(calendar.last_day, time(7), UTC),
    )
    history.milestones[milestone] = [made]
    items = dict[str, ItemLog]()
    for at, step in _steps(calendar):
        if step.action == "opened":
            card = CARDS[step.card]
            items[step.card] = history.add_item(card.title, at, card.kind, assignees=[card.assignee])
        _follow(items[step.card], at, step, milestone)


def _steps(calendar: Calendar) -> Iterator[tuple[datetime, Step]]:
    yield from sorted(((calendar.instant(step.when), step) for step in STEPS), key=lambda pair: pair[0])


def _follow(item: ItemLog, at: datetime, step: Step, milestone: int) -> None:
    """What a step of the story does to its issue; a comment changes no number."""
    match step.action:
        case "opened":
            item.opened(at, step.who)
        case "estimated":
            item.estimated(at, step.who, int(step.value))
        case "joined":
            item.joined(at, step.who, milestone)
        case "left":
            item.left(at, step.who, milestone)
        case "closed":
            item.closed(at, step.who)
        case "dropped":
            item.closed(at, step.who, State.DROPPED)
        case "reopened":
            item.reopened(at, step.who)
