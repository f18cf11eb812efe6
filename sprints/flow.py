"""The flow of a repository's items: when each was created, started, blocked, and done or given up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from sprints.blocked import BlockedSpan, Blocker, find_blockers, find_blocks, was_ever_blocked
from sprints.estimates import Points
from sprints.history import ItemState, LabelHistory, SprintChange, trace_changes
from sprints.model import ItemEvent, LabelEvent, State, sort_events
from sprints.numbering import Number, split_number
from sprints.pauses import Pause, find_pauses, select_commands
from sprints.people import is_person, same_login
from sprints.rules import Rules
from sprints.spans import find_open_spans
from sprints.starts import Start, StartSignal, find_first_links, find_start

_Events = Mapping[str, Sequence[ItemEvent]]
_NO_MILESTONE = -1  # An item's flow is the same in any milestone.
_NOTHING: _Events = MappingProxyType({})


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
    still be open.
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


def build_flows(
    events: _Events,
    as_of: datetime,
    rules: Rules,
    labels: Iterable[LabelEvent] = (),
    elsewhere: _Events = _NOTHING,
) -> tuple[Flow, ...]:
    """Build the flows of all items of one repository by number, from the events before `as_of`.

    `events` are those of all its items by node id, `labels` the events of its labels. `elsewhere` are events
    of other repositories' items: items transferred from there keep their age and start, and sub-issues that
    live there make a parent here.

    Work in progress at an earlier moment must be read from the flows as of that moment, so that later
    corrections do not change it.
    """
    as_of = as_of.astimezone(UTC)
    events_by_item, others = _events_before(events, as_of), _events_before(elsewhere, as_of)
    label_history = LabelHistory(label for label in labels if label.at < as_of)
    histories = {
        item: trace_changes(item_events, _NO_MILESTONE, rules.estimates, label_history.find_for(item_events))
        for item, item_events in events_by_item.items()
    }
    other_histories = {
        item: trace_changes(item_events, _NO_MILESTONE) for item, item_events in others.items()
    }
    everywhere = _Everywhere(events_by_item | others, other_histories | histories, frozenset(events_by_item))
    parents = _parents({item: _last_state(history) for item, history in everywhere.histories.items()})
    issues = {
        item_events[-1].snapshot.number
        for item, item_events in events_by_item.items()
        if not _is_pull_request(item_events) and not _last_state(histories[item]).is_gone
    }
    links = find_first_links(
        item_events for item_events in events_by_item.values() if _is_pull_request(item_events)
    )
    flows = []
    for item, item_events in events_by_item.items():
        history = histories[item]
        life = [*_earlier_life(item_events, others), *item_events]
        is_covered = item in parents or (
            _is_pull_request(item_events) and not issues.isdisjoint(_last_state(history).closes)
        )
        start = find_start(life, rules.started_labels, _linked_at(item_events, links))
        flow = _flow(life, item_events, history, start, is_covered=is_covered)
        flows.append(_with_pauses_and_blocks(flow, item_events, history, everywhere))
    return tuple(sorted(flows, key=lambda flow: (split_number(flow.number), flow.item)))


def _events_before(events: _Events, as_of: datetime) -> dict[str, list[ItemEvent]]:
    """Sort the events before a moment by item, without items that have none."""
    ordered = {
        item: sort_events(event for event in item_events if event.at < as_of)
        for item, item_events in events.items()
    }
    return {item: item_events for item, item_events in ordered.items() if item_events}


def _parents(states: Mapping[str, ItemState]) -> set[str]:
    """Return the issues that have sub-issues, except those in a circle of parents (see coverage.py)."""
    parent_of = {item: state.parent for item, state in states.items() if state.parent and not state.is_gone}
    return {parent for item, parent in parent_of.items() if not _is_its_own_ancestor(item, parent_of)}


def _is_its_own_ancestor(item: str, parent_of: Mapping[str, str]) -> bool:
    visited, ancestor = set[str](), parent_of.get(item)
    while ancestor and ancestor != item and ancestor not in visited:
        visited.add(ancestor)
        ancestor = parent_of.get(ancestor)
    return ancestor == item


def _last_state(history: Sequence[SprintChange]) -> ItemState:
    return history[-1].after if history else ItemState()


def _is_pull_request(events: Sequence[ItemEvent]) -> bool:
    return events[-1].snapshot.is_pull_request


def _earlier_life(events: Sequence[ItemEvent], others: Mapping[str, list[ItemEvent]]) -> list[ItemEvent]:
    """Return the events of an item in other repositories, before it was transferred to this one."""
    earlier, previous, visited = list[ItemEvent](), _previous_id(events), set[str]()
    while previous in others and previous not in visited:
        visited.add(previous)
        earlier = [*others[previous], *earlier]
        previous = _previous_id(others[previous])
    return earlier


def _previous_id(events: Sequence[ItemEvent]) -> str:
    """Return the node id that an item had before its transfer, or an empty string."""
    first = events[0]
    return (first.named or "") if first.event == "opened" else ""


def _linked_at(events: Sequence[ItemEvent], links: Mapping[Number, datetime]) -> datetime | None:
    """Return when the first pull request for an item appeared.

    A pull request is itself started work, so its creation counts.
    """
    snapshot = events[-1].snapshot
    return snapshot.created_at if snapshot.is_pull_request else links.get(snapshot.number)


def _flow(
    life: Sequence[ItemEvent],
    events: Sequence[ItemEvent],
    history: Sequence[SprintChange],
    start: Start | None,
    *,
    is_covered: bool,
) -> Flow:
    snapshot, state = events[-1].snapshot, _last_state(history)
    closing = _closing(events, state.done_at) if state.done_at else None
    return Flow(
        item=events[-1].item,
        number=snapshot.number,
        title="" if any(event.event == "deleted" for event in events) else snapshot.title,
        created_at=min(event.snapshot.created_at for event in life),
        started_at=start.at if start else None,
        start_signal=start.signal if start else None,
        is_start_dated=start.is_dated if start else True,
        done_at=state.done_at,
        dropped_at=_dropped_at(history) if state.state is State.DROPPED else None,
        points=state.points,
        reopen_count=sum(
            change.before.state is State.DONE and change.after.state is State.OPEN for change in history
        ),
        is_pull_request=snapshot.is_pull_request,
        is_covered=is_covered,
        author=snapshot.author,
        assignee_at_done=_first_assignee(events, state.done_at, closing) if state.done_at else None,
        closed_by=closing.actor if closing else None,
        assignees=snapshot.assignees,
        labels=snapshot.labels,
    )


@dataclass(frozen=True, slots=True)
class _Everywhere:
    """All recorded items, of this repository and of others; `here` are the node ids of this one's."""

    events: Mapping[str, list[ItemEvent]]
    histories: Mapping[str, Sequence[SprintChange]]
    here: frozenset[str]

    def blocker(self, item: str) -> Blocker:
        """Describe an item as a blocker of others."""
        snapshot = self.events[item][-1].snapshot
        was_open = find_open_spans(snapshot.created_at, self.histories[item])
        return Blocker(was_open, snapshot.number if item in self.here else None)


def _with_pauses_and_blocks(
    flow: Flow, events: Sequence[ItemEvent], history: Sequence[SprintChange], everywhere: _Everywhere
) -> Flow:
    """Add its pauses and blocks to a flow. Most items have neither."""
    pause_events, was_blocked = select_commands(events), was_ever_blocked(events)
    if not pause_events and not was_blocked:
        return flow
    was_open = find_open_spans(flow.created_at, history)
    blockers = {item: everywhere.blocker(item) for item in find_blockers(events) if item in everywhere.events}
    return replace(
        flow,
        pauses=find_pauses(pause_events, was_open),
        blocks=find_blocks(events, was_open, blockers) if was_blocked else (),
    )


def _closing(events: Sequence[ItemEvent], done_at: datetime) -> ItemEvent | None:
    """Return the event that made an item done; None if only a later snapshot showed that it was done."""
    closings = [event for event in events if event.event == "closed" and event.at == done_at]
    return closings[-1] if closings else None


def _dropped_at(history: Sequence[SprintChange]) -> datetime:
    """Return when an item was given up, even if it was closed before its first recorded event."""
    drop = next(change for change in reversed(history) if change.before.state is not State.DROPPED)
    if isinstance(drop.event, ItemEvent) and not drop.after.is_gone:
        return drop.event.snapshot.closed_at or drop.at
    return drop.at


def _first_assignee(events: Sequence[ItemEvent], done_at: datetime, closing: ItemEvent | None) -> str | None:
    """Return who was assigned first, of those assigned when the item was done: people before bots."""
    people = _assignees_before(events[0])
    for event in events:
        if event is closing or event.at > done_at:
            break
        people = _assignees_after(people, event)
    if closing and not people:
        # The snapshot of the closing stands in for assignments that were missed.
        people = list(closing.snapshot.assignees)
    return next(filter(is_person, people), people[0]) if people else None


def _assignees_before(first: ItemEvent) -> list[str]:
    """Return the assignees just before the first recorded event, as its snapshot shows."""
    people = [login for login in first.snapshot.assignees if not same_login(login, first.named)]
    if first.event == "unassigned" and first.named:
        return [*people, first.named]
    return people if first.event == "assigned" else list(first.snapshot.assignees)


def _assignees_after(people: list[str], event: ItemEvent) -> list[str]:
    assignees = event.snapshot.assignees
    match event.event:
        case "opened":
            return list(assignees)
        case "assigned" if event.named and not any(same_login(event.named, login) for login in people):
            return [*people, event.named]
        case "unassigned":
            return [login for login in people if not same_login(login, event.named)]
        case "corrected":
            return [*(p for p in people if p in assignees), *(p for p in assignees if p not in people)]
        case _:
            return people
