"""The demo's sprints as recorded events, without the stand-in for GitHub.

For scripts that need the demo's figures within a second. Items and milestones have the same numbers as in the
demo.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self

from demo.earlier_sprints import EarlierItem, EarlierSprint, earlier_sprints
from demo.scenario import Calendar
from demo.story import CARDS, GOAL, SPRINT, SPRINT_MADE, STEPS, Step
from sprints.model import ItemEvent, ItemSnapshot, MilestoneEvent, State

# A milestone's id on GitHub differs from its number.
FIRST_ID = 1000
# Unfinished items leave a sprint on the day after its last weekend, and are finished a day later.
_LEFT_AFTER, _DONE_AFTER = timedelta(days=15), timedelta(days=16, hours=2)


@dataclass
class ItemLog:
    """The events of an issue, each with a snapshot of the issue at that time."""

    snapshot: ItemSnapshot
    events: list[ItemEvent] = field(default_factory=list)

    def opened(self, at: datetime, who: str) -> Self:
        return self._record("opened", at, who)

    def estimated(self, at: datetime, who: str, points: int) -> Self:
        """Replace the label with the points, if there is one, by another."""
        for label in self._points:
            self.snapshot = replace(self.snapshot, labels=self._other_labels)
            self._record("unlabeled", at, who, label=label)
        label = f"points: {points}"
        self.snapshot = replace(self.snapshot, labels=(*self._other_labels, label))
        return self._record("labeled", at, who, label=label)

    def joined(self, at: datetime, who: str, milestone: int) -> Self:
        self.snapshot = replace(self.snapshot, milestone=milestone)
        return self._record("milestoned", at, who, milestone=milestone)

    def left(self, at: datetime, who: str, milestone: int) -> Self:
        self.snapshot = replace(self.snapshot, milestone=None)
        return self._record("demilestoned", at, who, milestone=milestone)

    def assigned(self, at: datetime, who: str) -> Self:
        self.snapshot = replace(self.snapshot, assignees=(who,))
        return self._record("assigned", at, who, named=who)

    def closed(self, at: datetime, who: str, state: State = State.DONE) -> Self:
        self.snapshot = replace(self.snapshot, state=state, closed_at=at)
        return self._record("closed", at, who)

    def reopened(self, at: datetime, who: str) -> Self:
        self.snapshot = replace(self.snapshot, state=State.OPEN, closed_at=None)
        return self._record("reopened", at, who)

    @property
    def _points(self) -> tuple[str, ...]:
        return tuple(label for label in self.snapshot.labels if label.startswith("points"))

    @property
    def _other_labels(self) -> tuple[str, ...]:
        return tuple(label for label in self.snapshot.labels if not label.startswith("points"))

    def _record(self, event: str, at: datetime, who: str, **named: Any) -> Self:
        item, delivery = f"I_{self.snapshot.number}", f"{self.snapshot.number}-{len(self.events):03}"
        self.events.append(ItemEvent(item, event, at, delivery, self.snapshot, actor=who, **named))
        return self


@dataclass
class DemoHistory:
    """All events in the demo's repository, by milestone id and item number; `running` is a milestone id."""

    milestones: dict[int, list[MilestoneEvent]] = field(default_factory=dict)
    items: dict[int, ItemLog] = field(default_factory=dict)
    running: int = 0

    @property
    def events_by_item(self) -> dict[str, list[ItemEvent]]:
        """All events of items, by node id."""
        return {f"I_{number}": item.events for number, item in self.items.items()}

    def events_in(self, milestone: int) -> dict[str, list[ItemEvent]]:
        """All events of the items that were ever in a milestone, by node id."""
        return {
            name: events
            for name, events in self.events_by_item.items()
            if any(event.snapshot.milestone == milestone for event in events)
        }

    def add_item(self, title: str, at: datetime, *labels: str, assignees: Sequence[str] = ()) -> ItemLog:
        """Add an issue with the next number, without events."""
        number = len(self.items) + 1
        snapshot = ItemSnapshot(number, title, at, labels=labels, assignees=tuple(assignees))
        self.items[number] = ItemLog(snapshot)
        return self.items[number]


def demo_history(now: datetime) -> DemoHistory:
    """Build the eight earlier sprints and the running one, whose seventh working day is that of `now`."""
    history, calendar = DemoHistory(), Calendar.around(now)
    for number, sprint in enumerate(earlier_sprints(calendar.first_day), 1):
        _add_earlier_sprint(history, FIRST_ID + number, sprint)
    _add_running_sprint(history, calendar)
    return history


def _add_earlier_sprint(history: DemoHistory, milestone: int, sprint: EarlierSprint) -> None:
    made = MilestoneEvent(
        milestone=milestone,
        event="created",
        at=sprint.created_at,
        delivery=f"{milestone}-0",
        number=milestone - FIRST_ID,
        title=sprint.title,
        created_at=sprint.created_at,
        description=f"Start: {sprint.first_day}",
        due_on=datetime.combine(sprint.last_day, time(7), UTC),
    )
    ended = sprint.closed_at
    closed = replace(made, event="closed", at=ended, delivery=f"{milestone}-1", closed_at=ended)
    history.milestones[milestone] = [made, closed]
    for item in sprint.items:
        log = history.add_item(item.title, item.opened_at, "feature")
        _add_earlier_item(log, item, milestone)


def _add_earlier_item(log: ItemLog, item: EarlierItem, milestone: int) -> None:
    who = item.assignee
    log.opened(item.opened_at, who).estimated(item.joined_at - timedelta(hours=1), who, item.points)
    log.joined(item.joined_at, who, milestone).assigned(item.started_at, who)
    if item.done_at is None:
        log.left(item.joined_at + _LEFT_AFTER, who, milestone)
    log.closed(item.done_at or item.joined_at + _DONE_AFTER, who)


def _add_running_sprint(history: DemoHistory, calendar: Calendar) -> None:
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
        _apply_step(items[step.card], at, step, milestone)


def _steps(calendar: Calendar) -> Iterator[tuple[datetime, Step]]:
    yield from sorted(((calendar.instant(step.when), step) for step in STEPS), key=lambda pair: pair[0])


def _apply_step(item: ItemLog, at: datetime, step: Step, milestone: int) -> None:
    """Add the events of a step of the story; comments are not recorded as events."""
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
