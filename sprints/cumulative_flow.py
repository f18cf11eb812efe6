"""Cumulative flow: how many items had arrived, had been started and had left, at the end of each local day.

None of the lines ever falls, as the Kanban Guide's practice requires: the vertical distance between two of
them is the work between, the horizontal distance its usual duration. A reopened item has left before and
arrives again.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sprints.calendar import Calendar, days_between
from sprints.estimates import DEFAULT_ESTIMATES, Estimates
from sprints.facts import DONE_BEFORE_START, Facts, ScopeCause
from sprints.flow import Flow
from sprints.history import SprintChange, trace_changes
from sprints.model import ItemEvent, State
from sprints.numbering import Number

_NO_MILESTONE = -1  # The flow of an item is the same in any milestone.


@dataclass(frozen=True, slots=True)
class FlowDay:
    """The end of one local day: how many items had arrived, were started, done, or dropped by then.

    Items that are done or dropped count as started. Items that had left before the first day are not counted.
    """

    date: date
    arrived: int
    started: int
    done: int
    dropped: int

    @property
    def waiting(self) -> int:
        return self.arrived - self.started

    @property
    def in_progress(self) -> int:
        return self.started - self.done - self.dropped


@dataclass(frozen=True, slots=True)
class CumulativeFlow:
    """The days of a window, at least one."""

    days: tuple[FlowDay, ...]


@dataclass(frozen=True, slots=True)
class _Stay:
    """A stay of an item from its arrival until it left; times are None if that has not happened."""

    arrived: datetime
    started: datetime | None
    left: datetime | None = None
    is_done: bool = False


def count_cumulative_flow(
    flows: Iterable[Flow],
    events: Mapping[str, Sequence[ItemEvent]],
    as_of: datetime,
    calendar: Calendar,
    first: date,
    last: date,
    estimates: Estimates = DEFAULT_ESTIMATES,
) -> CumulativeFlow:
    """Count the cumulative flow on the local days from `first` to `last`, both included.

    `flows` are those as of a moment, `events` the item events behind them by node id. Items that others cover
    do not count.
    """
    begin = calendar.midnight(first)
    stays = [
        stay
        for flow in flows
        if not flow.is_covered
        for stay in _stays(flow, [event for event in events[flow.item] if event.at < as_of], estimates)
        if stay.left is None or stay.left >= begin
    ]
    lines = (
        sorted(stay.arrived for stay in stays),
        sorted(stay.started for stay in stays if stay.started),
        sorted(stay.left for stay in stays if stay.left and stay.is_done),
        sorted(stay.left for stay in stays if stay.left and not stay.is_done),
    )
    days = []
    for day in days_between(first, last):
        end = calendar.midnight(day + timedelta(days=1))
        days.append(FlowDay(day, *(bisect_left(moments, end) for moments in lines)))
    return CumulativeFlow(tuple(days))


def select_sprint_flows(facts: Facts, flows: Iterable[Flow]) -> list[Flow]:
    """Select the flows that a sprint's numbers count, as of the same moment.

    An item of the commitment arrived when it was created, any other when it first joined the sprint.
    """
    counted = {item.item for item in facts.items if not item.is_covered and item.state != DONE_BEFORE_START}
    committed = {item.item for item in facts.committed_items}
    joined = {line.number: line.at for line in reversed(facts.ledger) if line.cause is ScopeCause.ADDED}
    return [
        # The facts already decided which items are covered within the sprint.
        replace(flow, is_covered=False, created_at=_arrival(flow, None if flow.item in committed else joined))
        for flow in flows
        if flow.item in counted
    ]


def _arrival(flow: Flow, joined: Mapping[Number, datetime] | None) -> datetime:
    return max(flow.created_at, joined.get(flow.number, flow.created_at)) if joined else flow.created_at


def _stays(flow: Flow, events: Sequence[ItemEvent], estimates: Estimates) -> list[_Stay]:
    """List the times during which an item was open, the first from its creation on."""
    stays = list[_Stay]()
    arrived: datetime | None = flow.created_at
    for change in trace_changes(events, _NO_MILESTONE, estimates):
        if change.after.state is State.OPEN:
            arrived = arrived or change.at
        elif arrived:
            left = max(arrived, _left_at(change))
            # An item that leaves without a start counts as started when it leaves.
            started = max(arrived, min(flow.started_at or left, left))
            stays.append(_Stay(arrived, started, left, change.after.state is State.DONE))
            arrived = None
        elif change.before.state is not change.after.state:
            # A closed item changed between done and given up: the last state counts.
            is_done, left = change.after.state is State.DONE, max(stays[-1].arrived, _left_at(change))
            stays[-1] = replace(stays[-1], left=left, is_done=is_done)
    if arrived:
        stays.append(_Stay(arrived, max(arrived, flow.started_at) if flow.started_at else None))
    return stays


def _left_at(change: SprintChange) -> datetime:
    """Return when an item was closed, even if it was closed before its first recorded event."""
    if change.after.done_at:
        return change.after.done_at
    snapshot = (
        change.event.snapshot if isinstance(change.event, ItemEvent) and not change.after.is_gone else None
    )
    return (snapshot.closed_at if snapshot else None) or change.at
