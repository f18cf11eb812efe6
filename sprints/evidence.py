"""Which events a number rests on: how an item came in, got its estimate, was started and done."""

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


def membership(history: Sequence[SprintChange], before: datetime) -> list[Event]:
    """What brought an item into its milestone, and what gave it the estimate that it had `before` a moment.

    Oldest first, each once. Both may be the item's opening.
    """
    joined = _latest(history, before, lambda c: c.after.is_member and not c.before.is_member)
    estimated = _latest(
        history, before, lambda c: c.after.points is not None and c.after.points != c.before.points
    )
    found = sorted((change for change in (joined, estimated) if change), key=lambda change: change.at)
    return list({id(change): change.event for change in found}.values())


def done(history: Sequence[SprintChange], before: datetime) -> list[Event]:
    """What made an item done the last time `before` a moment; if it joined later, that as well."""
    finished = _latest(
        history, before, lambda c: c.after.state is State.DONE and c.before.state is not State.DONE
    )
    joined = _latest(history, before, lambda c: c.after.is_member and not c.before.is_member)
    found = [finished] if finished else []
    if joined and finished and joined.at > finished.at:
        found.append(joined)
    return [change.event for change in found]


def done_of(flow: Flow, events: Iterable[ItemEvent]) -> ItemEvent | None:
    """What closed a done item, of all its events. None if only a later picture showed that it was."""
    closings = [event for event in events if event.event == "closed" and event.at == flow.done_at]
    return closings[-1] if closings else None


def opened_of(events: Iterable[ItemEvent]) -> ItemEvent | None:
    """An item's opening, if it was seen."""
    return next((event for event in events if event.event == "opened"), None)


def start_of(flow: Flow, events: Mapping[str, Sequence[ItemEvent]]) -> ItemEvent | None:
    """What told that work on an item had begun, of the events of all items.

    A pull request tells it of the issues that it closes. Where no event says just that, it is what the item
    looked like in one of its own.
    """
    if flow.started_at is None or flow.start_signal is None:
        return None
    own = [event for event in events.get(flow.item, ()) if event.at == flow.started_at]
    if flow.start_signal is StartSignal.PULL_REQUEST and not flow.is_pull_request:
        closing = [
            event
            for told in events.values()
            for event in told
            if flow.number in (event.snapshot.closes or ())
        ]
        # What its first picture shows held since its creation.
        own = [e for e in closing if flow.started_at in (e.at, e.snapshot.created_at)]
    wanted = _START_EVENTS.get(flow.start_signal)
    exact = [event for event in own if event.event == wanted]
    return next(iter(exact or own), None)


def _latest(history: Sequence[SprintChange], before: datetime, is_it: _Test) -> SprintChange | None:
    return next((change for change in reversed(history) if change.at < before and is_it(change)), None)
