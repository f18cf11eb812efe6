"""Fold the history of a sprint and its items into its facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sprints.completeness import assess_completeness
from sprints.coverage import ItemHistory, mark_covered_items
from sprints.estimates import DEFAULT_ESTIMATES, Estimates
from sprints.facts import (
    DONE_BEFORE_START,
    NOTHING,
    Amount,
    AmountStep,
    Day,
    Facts,
    Item,
    ScopeCause,
    ScopeChange,
    sum_amounts,
)
from sprints.gaps import EventGap
from sprints.history import ItemState, LabelHistory, SprintChange, state_at, trace_changes
from sprints.milestone import GRACE_AFTER_END, Sprint
from sprints.model import ItemEvent, ItemSnapshot, LabelEvent, State, event_sort_key
from sprints.numbering import split_number


@dataclass(slots=True)
class _Totals:
    """The lists that the items add up to, and the steps by which scope and done work change over time."""

    committed: list[Amount] = field(default_factory=list)
    kept: list[Amount] = field(default_factory=list)
    ledger: list[ScopeChange] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    committed_items: list[Item] = field(default_factory=list)
    done_items: list[Item] = field(default_factory=list)
    carried: list[Item] = field(default_factory=list)
    late: list[Item] = field(default_factory=list)
    steps: list[AmountStep] = field(default_factory=list)


def compute_facts(
    sprint: Sprint,
    events: Mapping[str, Sequence[ItemEvent]],
    as_of: datetime,
    estimates: Estimates = DEFAULT_ESTIMATES,
    labels: Iterable[LabelEvent] = (),
    gaps: Iterable[EventGap] = (),
) -> Facts:
    """Compute a sprint's numbers from all events, by node id, of all items that were ever in its milestone.

    `labels` are the label events of its repository, `gaps` the spans in which GitHub's events did not arrive.
    """
    as_of = as_of.astimezone(UTC)
    until = as_of if sprint.end is None else min(as_of, sprint.end)
    events_by_item = {item: [e for e in item_events if e.at < as_of] for item, item_events in events.items()}
    events_by_item = {item: item_events for item, item_events in events_by_item.items() if item_events}
    snapshots = {item: _latest_snapshot(item_events) for item, item_events in events_by_item.items()}
    label_history = LabelHistory(label for label in labels if label.at < as_of)
    totals = _Totals()
    for history in mark_covered_items(
        ItemHistory(
            item,
            snapshots[item].number,
            snapshots[item].is_pull_request,
            trace_changes(item_events, sprint.milestone, estimates, label_history.find_for(item_events)),
        )
        for item, item_events in events_by_item.items()
    ):
        _add_item(totals, sprint, history, snapshots[history.item], until, as_of)
    steps = sorted(totals.steps, key=lambda step: (step.at, split_number(step.number)))
    days, scope, done = _days(sprint, steps, until)
    return Facts(
        sprint=sprint,
        as_of=sprint.calendar.local(as_of),
        committed=sum_amounts(totals.committed),
        scope=scope,
        done=done,
        kept=sum_amounts(totals.kept),
        ledger=tuple(sorted(totals.ledger, key=lambda line: (line.at, split_number(line.number)))),
        days=days,
        items=_sort_by_number(totals.items),
        committed_items=_sort_by_number(totals.committed_items),
        done_items=_sort_by_number(totals.done_items),
        carried=_sort_by_number(totals.carried),
        late=_sort_by_number(totals.late),
        completeness=assess_completeness(events_by_item, snapshots, gaps, sprint.start, until),
        steps=tuple(steps),
    )


def _sort_by_number(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: (split_number(item.number), item.item)))


def _latest_snapshot(events: Sequence[ItemEvent]) -> ItemSnapshot:
    """Return the item's latest snapshot, without a title if the item was deleted."""
    latest = max(events, key=event_sort_key).snapshot
    return replace(latest, title="") if any(e.event == "deleted" for e in events) else latest


def _add_item(
    totals: _Totals,
    sprint: Sprint,
    history: ItemHistory,
    snapshot: ItemSnapshot,
    until: datetime,
    as_of: datetime,
) -> None:
    committed_at = min(sprint.committed_at, until)
    now, at_start, at_end = (state_at(history.changes, moment) for moment in (as_of, committed_at, until))
    committed, left, done = _scope(at_start, sprint), _scope(at_end, sprint), _done(at_end, sprint)
    totals.committed.append(committed)
    if committed.count and done.count:
        # The amount that was committed, even if the item was estimated again on the way.
        totals.kept.append(committed)
    is_carried = bool(left.count and not done.count and sprint.has_ended(as_of))
    for listed, state, is_listed in (
        (totals.items, now, now.is_member),
        (totals.committed_items, at_start, committed.count),
        (totals.done_items, at_end, done.count),
        (totals.carried, at_end, is_carried),
        (totals.late, at_end, is_carried and _was_done_late(history.changes, sprint, as_of)),
    ):
        if is_listed:
            listed.append(_to_item(history, snapshot, state, sprint, until))
    _add_steps(totals, sprint, history, snapshot, committed_at, until)


def _add_steps(
    totals: _Totals,
    sprint: Sprint,
    history: ItemHistory,
    snapshot: ItemSnapshot,
    committed_at: datetime,
    until: datetime,
) -> None:
    before = done_before = NOTHING
    for change in history.changes:
        if change.at >= until:
            break
        after, done_after = _scope(change.after, sprint), _done(change.after, sprint)
        if (before, done_before) != (after, done_after):
            steps = after - before, done_after - done_before
            totals.steps.append(AmountStep(change.at, snapshot.number, change.event, *steps))
        if before != after and change.at >= committed_at:
            totals.ledger.append(_ledger_line(change, snapshot, before, after))
        before, done_before = after, done_after


def _to_item(
    history: ItemHistory, snapshot: ItemSnapshot, state: ItemState, sprint: Sprint, until: datetime
) -> Item:
    return Item(
        number=snapshot.number,
        title=snapshot.title,
        state=_state_name(state, sprint),
        points=state.points,
        item=history.item,
        done_at=state.done_at,
        is_covered=state.is_covered,
        covered_by=history.covered_by if state.is_covered else (),
        reopened=sum(
            change.before.state is State.DONE and change.after.state is State.OPEN
            for change in history.changes
            if sprint.start <= change.at < until
        ),
        parent=None if state.is_gone else state.parent,
    )


def _ledger_line(change: SprintChange, snapshot: ItemSnapshot, before: Amount, after: Amount) -> ScopeChange:
    if not before.count:
        cause, amount = ScopeCause.ADDED, after
    elif after.count:
        cause, amount = ScopeCause.REESTIMATED, after - before
    else:
        is_dropped = change.after.is_member and change.after.state is State.DROPPED
        cause, amount = (ScopeCause.DROPPED if is_dropped else ScopeCause.REMOVED), before
    was_done = cause in {ScopeCause.REMOVED, ScopeCause.DROPPED} and change.before.state is State.DONE
    return ScopeChange(change.at, snapshot.number, snapshot.title, cause, amount, change.event, was_done)


def _scope(item: ItemState, sprint: Sprint) -> Amount:
    """Return an item's part of the scope: nothing if it was given up, or done before the sprint began."""
    if not item.is_member or item.state is State.DROPPED or item.is_covered or _was_done_before(item, sprint):
        return NOTHING
    return Amount(item.points or Decimal(0), 1)


def _done(item: ItemState, sprint: Sprint) -> Amount:
    return _scope(item, sprint) if item.state is State.DONE else NOTHING


def _was_done_before(item: ItemState, sprint: Sprint) -> bool:
    return item.done_at is not None and item.done_at < sprint.start


def _was_done_late(history: Sequence[SprintChange], sprint: Sprint, as_of: datetime) -> bool:
    """Return whether an item that was open at the end was done before the sprint's numbers were closed."""
    if sprint.end is None:
        return False
    closing = sprint.closed_at or sprint.end + GRACE_AFTER_END
    closing = min(closing, sprint.end + GRACE_AFTER_END, as_of)
    state = state_at(history, closing)
    return state.is_member and state.state is State.DONE and closing > sprint.end


def _state_name(item: ItemState, sprint: Sprint) -> str:
    return DONE_BEFORE_START if _was_done_before(item, sprint) else str(item.state)


def _days(
    sprint: Sprint, ordered: Sequence[AmountStep], until: datetime
) -> tuple[tuple[Day, ...], Amount, Amount]:
    """Return a row for each local date from the start, the last one so far, and the totals at `until`."""
    days, scope, done, position = list[Day](), NOTHING, NOTHING, 0

    def advance(moment: datetime) -> None:
        nonlocal scope, done, position
        first = position
        while position < len(ordered) and ordered[position].at < moment:
            position += 1
        passed_steps = ordered[first:position]
        scope, done = (
            scope + sum_amounts(step.scope for step in passed_steps),
            done + sum_amounts(step.done for step in passed_steps),
        )

    day = sprint.first_day
    while until > sprint.start and sprint.calendar.midnight(day) < until:
        at = min(sprint.calendar.midnight(day + timedelta(days=1)), until)
        advance(at)
        days.append(Day(day, at, scope, done))
        day += timedelta(days=1)
    advance(until)
    return tuple(days), scope, done
