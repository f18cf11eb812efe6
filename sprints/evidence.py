"""The events behind a number: how an item joined, got its estimate, was started and done."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sprints.flow import Flow
from sprints.history import SprintChange
from sprints.model import ItemEvent, LabelEvent, State
from sprints.starts import StartSignal

Event = ItemEvent | LabelEvent
_Test = Callable[[SprintChange], bool]
_START_EVENTS = {
    StartSignal.COMMAND: "started",
    StartSignal.STATUS: "status_changed",
    StartSignal.LABEL: "labeled",
    StartSignal.ASSIGNED: "assigned",
}


def find_joining_events(history: Sequence[SprintChange], before: datetime) -> list[Event]:
    """Find the events that brought an item into its milestone and gave it its estimate, both before `before`.

    Oldest first, each once. Both may be the item's opening.
    """
    joined = _latest(history, before, lambda c: c.after.is_member and not c.before.is_member)
    estimated = _latest(
        history, before, lambda c: c.after.points is not None and c.after.points != c.before.points
    )
    changes = sorted((change for change in (joined, estimated) if change), key=lambda change: change.at)
    return list({id(change): change.event for change in changes}.values())


def find_done_events(history: Sequence[SprintChange], before: datetime) -> list[Event]:
    """Find the latest event before `before` that finished the item, and its joining if that was later."""
    finished = _latest(
        history, before, lambda c: c.after.state is State.DONE and c.before.state is not State.DONE
    )
    joined = _latest(history, before, lambda c: c.after.is_member and not c.before.is_member)
    changes = [finished] if finished else []
    if joined and finished and joined.at > finished.at:
        changes.append(joined)
    return [change.event for change in changes]


def find_closing_event(flow: Flow, events: Iterable[ItemEvent]) -> ItemEvent | None:
    """Find the event that closed a done item. None if only a later snapshot showed that it was closed."""
    closings = [event for event in events if event.event == "closed" and event.at == flow.done_at]
    return closings[-1] if closings else None


def find_opening_event(events: Iterable[ItemEvent]) -> ItemEvent | None:
    """Find the item's opening, if it was recorded."""
    return next((event for event in events if event.event == "opened"), None)


def find_start_event(flow: Flow, events: Mapping[str, Sequence[ItemEvent]]) -> ItemEvent | None:
    """Find the event that started an item's work, among the events of all items.

    For an issue it may be an event of the pull request that closes it. Where no event is the start itself, it
    is one of the item's own whose snapshot shows the start.
    """
    if flow.started_at is None or flow.start_signal is None:
        return None
    start_candidates = [event for event in events.get(flow.item, ()) if event.at == flow.started_at]
    if flow.start_signal is StartSignal.PULL_REQUEST and not flow.is_pull_request:
        closing = [
            event
            for item_events in events.values()
            for event in item_events
            if flow.number in (event.snapshot.closes or ())
        ]
        # A link in a pull request's first snapshot is assumed to exist since the pull request's creation.
        start_candidates = [e for e in closing if flow.started_at in (e.at, e.snapshot.created_at)]
    start_event = _START_EVENTS.get(flow.start_signal)
    exact = [event for event in start_candidates if event.event == start_event]
    return next(iter(exact or start_candidates), None)


def _latest(history: Sequence[SprintChange], before: datetime, matches: _Test) -> SprintChange | None:
    return next((change for change in reversed(history) if change.at < before and matches(change)), None)
