"""Cumulative flow: how many items had arrived, had been started and had left, at the end of each local day.

None of the lines ever falls, as the Kanban Guide's practice requires: the vertical distance between two of
them is the work between, the horizontal distance its usual duration. A reopened item has left before and
arrives again.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from sprints.calendar import Calendar, days_between
from sprints.facts import DONE_BEFORE_START, Facts, ScopeCause
from sprints.flow import Flow
from sprints.model import State
from sprints.numbering import Number


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
    """The days of a window, at least one.

    `returned` counts the items done that were reopened afterwards: they have arrived again.
    """

    days: tuple[FlowDay, ...]
    returned: int = 0


@dataclass(frozen=True, slots=True)
class _Stay:
    """A stay of an item from its arrival until it left; times are None if that has not happened."""

    arrived: datetime
    started: datetime | None
    left: datetime | None = None
    is_done: bool = False


def count_cumulative_flow(
    flows: Iterable[Flow], calendar: Calendar, first: date, last: date
) -> CumulativeFlow:
    """Count the cumulative flow on the local days from `first` to `last`, both included.

    `flows` are those as of a moment: at least of all items that were open on one of the days. Items that
    others cover do not count.
    """
    begin = calendar.midnight(first)
    stays_by_flow = [
        [stay for stay in _stays(flow) if stay.left is None or stay.left >= begin]
        for flow in flows
        if not flow.is_covered
    ]
    stays = [stay for flow_stays in stays_by_flow for stay in flow_stays]
    lines = (
        sorted(stay.arrived for stay in stays),
        sorted(stay.started for stay in stays if stay.started),
        sorted(stay.left for stay in stays if stay.left and stay.is_done),
        sorted(stay.left for stay in stays if stay.left and not stay.is_done),
    )
    days, end = list[FlowDay](), begin
    for day in days_between(first, last):
        end = calendar.midnight(day + timedelta(days=1))
        days.append(FlowDay(day, *(bisect_left(moments, end) for moments in lines)))
    return CumulativeFlow(tuple(days), _count_returned(stays_by_flow, end))


def _count_returned(stays_by_flow: Iterable[Sequence[_Stay]], end: datetime) -> int:
    """Count the times that an item was done, and arrived again before `end`."""
    return sum(
        stay.is_done and following.arrived < end
        for stays in stays_by_flow
        for stay, following in pairwise(stays)
    )


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


def _stays(flow: Flow) -> list[_Stay]:
    """List the times during which an item was open, the first from its creation on."""
    stays = list[_Stay]()
    arrived: datetime | None = flow.created_at
    for change in flow.transitions:
        is_done = change.state is State.DONE
        if change.state is State.OPEN:
            arrived = arrived or change.at
        elif arrived:
            left = max(arrived, change.at)
            # An item that leaves without a start counts as started when it leaves.
            started = max(arrived, min(flow.started_at or left, left))
            stays.append(_Stay(arrived, started, left, is_done))
            arrived = None
        else:
            # A closed item changed between done and given up: the last state counts.
            stays[-1] = replace(stays[-1], left=max(stays[-1].arrived, change.at), is_done=is_done)
    if arrived:
        stays.append(_Stay(arrived, max(arrived, flow.started_at) if flow.started_at else None))
    return stays
