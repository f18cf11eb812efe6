"""The projection of one item: what its own events say about its flow, before other items are considered.

It is stored for each item (storage/item_projections.py), so that an answer need not read the whole history.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sprints.blocked import Blocker, find_blocks, was_ever_blocked
from sprints.flow import Flow, Transition
from sprints.history import ItemState, SprintChange, trace_changes
from sprints.links import find_link_times
from sprints.model import ItemEvent, LabelEvent, State, sort_events
from sprints.numbering import Number, qualify_number, split_number
from sprints.pauses import find_pauses, select_commands
from sprints.people import is_person, same_login
from sprints.rules import Rules
from sprints.spans import TimeSpan, find_open_spans
from sprints.starts import StartSignals, find_signals

# Part of the digest of the rules: with another version, stored projections are computed anew.
PROJECTION_VERSION = 2

_NO_MILESTONE = -1  # An item's flow is the same in any milestone.
# A draft does not ask for a review yet.
_READY, _DRAFT = "ready_for_review", "converted_to_draft"


@dataclass(frozen=True, slots=True)
class ItemProjection:
    """What the events of one item say, up to the last one at `last_at`.

    `label_names` are all names that labels of the item ever had.

    `flow` is the item's flow as if there were no other items: nothing covers it, no pull request started it,
    and all blocking issues count as open. `signals` are the signs of its start, `links` since when it, as a
    pull request, was to close each issue. `was_open` are the spans in which it was open.
    """

    flow: Flow
    last_at: datetime
    signals: StartSignals
    was_open: tuple[TimeSpan, ...] = ()
    links: tuple[tuple[Number, datetime], ...] = ()
    parent: str | None = None
    is_gone: bool = False
    label_names: tuple[str, ...] = ()

    @property
    def blockers(self) -> set[str]:
        """The node ids of the issues that ever blocked the item."""
        return {block.by for block in self.flow.blocks if block.by}

    def as_blocker(self, *, is_here: bool) -> Blocker:
        """Describe the item as a blocker of others, with its number if it is of the same repository."""
        return Blocker(self.was_open, self.flow.number if is_here else None)

    def qualified(self, repository: str) -> "ItemProjection":
        """Name the item, and those it closes, as items of a repository; unchanged without one."""
        if not repository:
            return self

        def qualify(number: Number) -> Number:
            return qualify_number(repository, split_number(number)[1])

        flow = replace(
            self.flow, number=qualify(self.flow.number), closes=tuple(map(qualify, self.flow.closes))
        )
        return replace(self, flow=flow, links=tuple((qualify(number), at) for number, at in self.links))


def project_item(
    events: Iterable[ItemEvent],
    rules: Rules,
    labels: Iterable[LabelEvent] = (),
    earlier: Sequence[ItemEvent] = (),
) -> ItemProjection:
    """Compute an item's projection from all its events, of which there is at least one, in any order.

    `labels` are the events of the labels that it has had. `earlier` are its ordered events in the
    repositories from which it was transferred.
    """
    ordered, label_events = sort_events(events), list(labels)
    history = trace_changes(ordered, _NO_MILESTONE, rules.estimates, label_events)
    life = [*earlier, *ordered]
    created_at = min(event.snapshot.created_at for event in life)
    was_open, state = find_open_spans(created_at, history), last_state(history)
    return ItemProjection(
        _flow(ordered, history, created_at, was_open),
        max([event.at for event in life] + [label.at for label in label_events]).astimezone(UTC),
        find_signals(life, rules.started_labels),
        was_open,
        tuple(find_link_times(ordered).items()) if ordered[-1].snapshot.is_pull_request else (),
        state.parent,
        state.is_gone,
        tuple(sorted(_label_names(ordered, label_events))),
    )


def last_state(history: Sequence[SprintChange]) -> ItemState:
    """The state after all changes of an item."""
    return history[-1].after if history else ItemState()


def previous_id(events: Sequence[ItemEvent]) -> str | None:
    """The node id that an item had before its transfer, by its ordered events; None without a transfer."""
    first = events[0]
    return first.named if first.event == "opened" else None


def _label_names(events: Iterable[ItemEvent], labels: Iterable[LabelEvent]) -> set[str]:
    """The names of all labels that an item ever had, also those by which they were called later."""
    names = {name for event in events for name in (*event.snapshot.labels, event.label or "")}
    names |= {name for label in labels for name in (label.name, label.new_name or "")}
    return names - {""}


def _flow(
    events: Sequence[ItemEvent],
    history: Sequence[SprintChange],
    created_at: datetime,
    was_open: Sequence[TimeSpan],
) -> Flow:
    snapshot, state = events[-1].snapshot, last_state(history)
    closing = _closing(events, state.done_at) if state.done_at else None
    return Flow(
        item=events[-1].item,
        number=snapshot.number,
        title="" if any(event.event == "deleted" for event in events) else snapshot.title,
        created_at=created_at,
        done_at=state.done_at,
        dropped_at=_dropped_at(history) if state.state is State.DROPPED else None,
        points=state.points,
        reopen_count=sum(
            change.before.state is State.DONE and change.after.state is State.OPEN for change in history
        ),
        is_pull_request=snapshot.is_pull_request,
        author=snapshot.author,
        assignee_at_done=_first_assignee(events, state.done_at, closing) if state.done_at else None,
        closed_by=closing.actor if closing else None,
        assignees=snapshot.assignees,
        labels=snapshot.labels,
        pauses=find_pauses(select_commands(events), was_open),
        blocks=find_blocks(events, was_open) if was_ever_blocked(events) else (),
        transitions=tuple(_transitions(history)),
        closes=state.closes,
        reviewable_since=_reviewable_since(events, created_at) if snapshot.is_pull_request else None,
    )


def _transitions(history: Iterable[SprintChange]) -> Iterable[Transition]:
    for change in history:
        if change.after.state is not change.before.state:
            is_open = change.after.state is State.OPEN
            yield Transition(change.at if is_open else _left_at(change), change.after.state)


def _left_at(change: SprintChange) -> datetime:
    """When an item was closed, even if it was closed before its first recorded event."""
    if change.after.done_at:
        return change.after.done_at
    snapshot = (
        change.event.snapshot if isinstance(change.event, ItemEvent) and not change.after.is_gone else None
    )
    return (snapshot.closed_at if snapshot else None) or change.at


def _reviewable_since(events: Sequence[ItemEvent], created_at: datetime) -> datetime | None:
    """Since when a pull request can be reviewed; None for a draft."""
    draft_events = [event for event in events if event.event in {_READY, _DRAFT}]
    if not draft_events:
        return created_at
    return draft_events[-1].at if draft_events[-1].event == _READY else None


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
