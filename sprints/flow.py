"""How the items of a repository flow: when each was created, started, blocked, and done or given up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from sprints.blocked import Block, Blocker, blockers_of, blocks_of, is_told
from sprints.estimates import Points
from sprints.history import ItemState, LabelBook, SprintChange, changes
from sprints.model import ItemEvent, LabelEvent, State, in_order
from sprints.numbering import Number, place
from sprints.pauses import Pause, pauses_of, statements
from sprints.people import is_person, same_login
from sprints.rules import Rules
from sprints.spans import open_spans
from sprints.starts import Start, StartSignal, links_of, start_of

_Events = Mapping[str, Sequence[ItemEvent]]
_NO_MILESTONE = -1  # Its flow is the same in any.
_NOTHING: _Events = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Flow:
    """One item's way as of a moment.

    `done_at` and `dropped_at` are None while it is open; of one that was re-opened `done_at` is the last
    time. `reopen_count` says how often it was done and opened again. `started_at` is the first start; unless
    that `is_start_dated`, work had begun at that time already, nobody knows since when. `points` is the
    estimate, frozen while it is done. `title` is empty when the item was deleted.

    One that `is_covered` is told by other items and counts nothing itself: a parent by its sub-issues, a
    pull request by the issues that it closes. `assignees` and `labels` are those that it has
    now, `pauses` and `blocks` the times at which it rested or waited (docs/metrics.md); the last of them may
    go on.
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
    blocks: tuple[Block, ...] = ()

    @property
    def is_open(self) -> bool:
        """Neither done nor given up."""
        return self.done_at is None and self.dropped_at is None

    @property
    def is_paused(self) -> bool:
        """Put aside until somebody says that work goes on."""
        return bool(self.pauses) and self.pauses[-1].span.until is None

    @property
    def open_blocks(self) -> tuple[Block, ...]:
        """What holds it up now, the longest first."""
        return tuple(block for block in self.blocks if block.is_open)

    @property
    def is_in_progress(self) -> bool:
        """Started and not finished, as the Kanban Guide defines work in progress, and not put aside."""
        return self.started_at is not None and self.is_open and not self.is_paused and not self.is_covered


def flows_of(
    events: _Events,
    as_of: datetime,
    rules: Rules,
    labels: Iterable[LabelEvent] = (),
    elsewhere: _Events = _NOTHING,
) -> tuple[Flow, ...]:
    """The flows of all items of one repository by number, from what happened before `as_of`.

    `events` are all its items' by node id, `labels` what happened to its labels. `elsewhere` are events of
    other repositories' items: those that were transferred from there go on here with their age and start,
    and sub-issues that live there make a parent here.

    Work in progress at an earlier moment is that of the flows as of that moment: what has been learned
    since must not change it.
    """
    as_of = as_of.astimezone(UTC)
    known, others = _known(events, as_of), _known(elsewhere, as_of)
    label_book = LabelBook(label for label in labels if label.at < as_of)
    histories = {
        item: changes(told, _NO_MILESTONE, rules.estimates, label_book.of(told))
        for item, told in known.items()
    }
    other_histories = {item: changes(told, _NO_MILESTONE) for item, told in others.items()}
    everywhere = _Everywhere(known | others, other_histories | histories, frozenset(known))
    parents = _parents({item: _state(history) for item, history in everywhere.histories.items()})
    issues = {
        told[-1].snapshot.number
        for item, told in known.items()
        if not _is_pull_request(told) and not _state(histories[item]).is_gone
    }
    links = links_of(told for told in known.values() if _is_pull_request(told))
    flows = []
    for item, told in known.items():
        history = histories[item]
        life = [*_earlier_life(told, others), *told]
        is_covered = item in parents or (
            _is_pull_request(told) and not issues.isdisjoint(_state(history).closes)
        )
        start = start_of(life, rules.started_labels, _linked_at(told, links))
        flow = _flow(life, told, history, start, is_covered=is_covered)
        flows.append(_with_rests(flow, told, history, everywhere))
    return tuple(sorted(flows, key=lambda flow: (place(flow.number), flow.item)))


def _known(events: _Events, as_of: datetime) -> dict[str, list[ItemEvent]]:
    """In order, without items that nothing has been heard of yet."""
    known = {item: in_order(event for event in told if event.at < as_of) for item, told in events.items()}
    return {item: told for item, told in known.items() if told}


def _parents(states: Mapping[str, ItemState]) -> set[str]:
    """The issues that have sub-issues. Those in a circle tell nothing of each other (see coverage.py)."""
    parent_of = {item: state.parent for item, state in states.items() if state.parent and not state.is_gone}
    return {parent for item, parent in parent_of.items() if not _is_its_own_ancestor(item, parent_of)}


def _is_its_own_ancestor(item: str, parent_of: Mapping[str, str]) -> bool:
    seen, ancestor = set[str](), parent_of.get(item)
    while ancestor and ancestor != item and ancestor not in seen:
        seen.add(ancestor)
        ancestor = parent_of.get(ancestor)
    return ancestor == item


def _state(history: Sequence[SprintChange]) -> ItemState:
    return history[-1].after if history else ItemState()


def _is_pull_request(told: Sequence[ItemEvent]) -> bool:
    return told[-1].snapshot.is_pull_request


def _earlier_life(told: Sequence[ItemEvent], others: Mapping[str, list[ItemEvent]]) -> list[ItemEvent]:
    """What happened to an item elsewhere, before it was transferred to here."""
    life, before, seen = list[ItemEvent](), _came_from(told), set[str]()
    while before in others and before not in seen:
        seen.add(before)
        life = [*others[before], *life]
        before = _came_from(others[before])
    return life


def _came_from(told: Sequence[ItemEvent]) -> str:
    """The node id that it had before a transfer, or nothing."""
    first = told[0]
    return (first.named or "") if first.event == "opened" else ""


def _linked_at(told: Sequence[ItemEvent], links: Mapping[Number, datetime]) -> datetime | None:
    """A pull request is itself the work that has begun, from its creation on."""
    shown = told[-1].snapshot
    return shown.created_at if shown.is_pull_request else links.get(shown.number)


def _flow(
    life: Sequence[ItemEvent],
    told: Sequence[ItemEvent],
    history: Sequence[SprintChange],
    start: Start | None,
    *,
    is_covered: bool,
) -> Flow:
    shown, state = told[-1].snapshot, _state(history)
    closing = _closing(told, state.done_at) if state.done_at else None
    return Flow(
        item=told[-1].item,
        number=shown.number,
        title="" if any(event.event == "deleted" for event in told) else shown.title,
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
        is_pull_request=shown.is_pull_request,
        is_covered=is_covered,
        author=shown.author,
        assignee_at_done=_first_assignee(told, state.done_at, closing) if state.done_at else None,
        closed_by=closing.actor if closing else None,
        assignees=shown.assignees,
        labels=shown.labels,
    )


@dataclass(frozen=True, slots=True)
class _Everywhere:
    """All items that are known, of this repository and of others; `here` are those of this one."""

    events: Mapping[str, list[ItemEvent]]
    histories: Mapping[str, Sequence[SprintChange]]
    here: frozenset[str]

    def blocker(self, item: str) -> Blocker:
        told = self.events[item]
        shown = told[-1].snapshot
        was_open = open_spans(shown.created_at, self.histories[item])
        return Blocker(was_open, shown.number if item in self.here else None)


def _with_rests(
    flow: Flow, told: Sequence[ItemEvent], history: Sequence[SprintChange], everywhere: _Everywhere
) -> Flow:
    """The flow with its pauses and blocks. Most items have neither."""
    said, is_blocked = statements(told), is_told(told)
    if not said and not is_blocked:
        return flow
    was_open = open_spans(flow.created_at, history)
    blockers = {item: everywhere.blocker(item) for item in blockers_of(told) if item in everywhere.events}
    return replace(
        flow,
        pauses=pauses_of(said, was_open),
        blocks=blocks_of(told, was_open, blockers) if is_blocked else (),
    )


def _closing(told: Sequence[ItemEvent], done_at: datetime) -> ItemEvent | None:
    """What made it done. Nothing, if a later event showed us first that it was: that is somebody else's."""
    closings = [event for event in told if event.event == "closed" and event.at == done_at]
    return closings[-1] if closings else None


def _dropped_at(history: Sequence[SprintChange]) -> datetime:
    """When it was given up; also of an item that was closed already when we first saw it."""
    drop = next(change for change in reversed(history) if change.before.state is not State.DROPPED)
    if isinstance(drop.event, ItemEvent) and not drop.after.is_gone:
        return drop.event.snapshot.closed_at or drop.at
    return drop.at


def _first_assignee(told: Sequence[ItemEvent], done_at: datetime, closing: ItemEvent | None) -> str | None:
    """Of those assigned when it was done, the one who was assigned first: a person before any bot."""
    people = _assignees_before(told[0])
    for event in told:
        if event is closing or event.at > done_at:
            break
        people = _assignees_after(people, event)
    if closing and not people:
        # Its picture helps out where we missed an assignment.
        people = list(closing.snapshot.assignees)
    return next(filter(is_person, people), people[0]) if people else None


def _assignees_before(first: ItemEvent) -> list[str]:
    """Those assigned before the first event that we know of, as its picture tells."""
    people = [login for login in first.snapshot.assignees if not same_login(login, first.named)]
    if first.event == "unassigned" and first.named:
        return [*people, first.named]
    return people if first.event == "assigned" else list(first.snapshot.assignees)


def _assignees_after(people: list[str], event: ItemEvent) -> list[str]:
    shown = event.snapshot.assignees
    match event.event:
        case "opened":
            return list(shown)
        case "assigned" if event.named and not any(same_login(event.named, login) for login in people):
            return [*people, event.named]
        case "unassigned":
            return [login for login in people if not same_login(login, event.named)]
        case "corrected":
            return [*(p for p in people if p in shown), *(p for p in shown if p not in people)]
        case _:
            return people
