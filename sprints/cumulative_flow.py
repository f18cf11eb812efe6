"""Cumulative flow: how many items had arrived, had been started and had left, at the end of each local day.

In the strict way of the Kanban Guide's practice: none of the lines ever falls, so that the distance between
two of them is the work between, upwards, and the usual time that it takes, to the right. An item that is
opened again has left before and arrives anew.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sprints.calendar import Calendar, days_between
from sprints.estimates import USUAL, Estimates
from sprints.facts import DONE_BEFORE_START, Cause, Facts
from sprints.flow import Flow
from sprints.history import SprintChange, changes
from sprints.model import ItemEvent, State
from sprints.numbering import Number

_NO_MILESTONE = -1  # The flow of an item is the same in any.


@dataclass(frozen=True, slots=True)
class FlowDay:
    """The end of one local day: items that had arrived by then, that of them were started, done, or dropped.

    What is done or dropped counts as started. Items that had left before the first day are not counted.
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
    """An item from its arrival until it left; moments are None if that has not happened."""

    arrived: datetime
    started: datetime | None
    left: datetime | None = None
    is_done: bool = False


def cumulative_flow(
    flows: Iterable[Flow],
    events: Mapping[str, Sequence[ItemEvent]],
    as_of: datetime,
    calendar: Calendar,
    first: date,
    last: date,
    estimates: Estimates = USUAL,
) -> CumulativeFlow:
    """The local days from `first` to `last`, both included.

    `flows` are those as of a moment, `events` by node id what they are made of. Items that are covered are
    told by others and count nothing.
    """
    begin = calendar.midnight(first)
    stays = [
        stay
        for flow in flows
        if not flow.is_covered
        for stay in _stays(flow, [one for one in events[flow.item] if one.at < as_of], estimates)
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


def in_sprint(facts: Facts, flows: Iterable[Flow]) -> list[Flow]:
    """Of the flows of a repository those that a sprint's numbers count, as of the same moment.

    One of the commitment arrived when it was created, another when it first came into the sprint.
    """
    counted = {item.item for item in facts.items if not item.is_covered and item.state != DONE_BEFORE_START}
    committed = {item.item for item in facts.committed_items}
    came = {line.number: line.at for line in reversed(facts.ledger) if line.cause is Cause.ADDED}
    return [
        # Who tells whose work is another question within a sprint than within the repository.
        replace(flow, is_covered=False, created_at=_came(flow, None if flow.item in committed else came))
        for flow in flows
        if flow.item in counted
    ]


def _came(flow: Flow, came: Mapping[Number, datetime] | None) -> datetime:
    return max(flow.created_at, came.get(flow.number, flow.created_at)) if came else flow.created_at


def _stays(flow: Flow, events: Sequence[ItemEvent], estimates: Estimates) -> list[_Stay]:
    """The times during which an item was open, the first from its creation on."""
    stays = list[_Stay]()
    arrived: datetime | None = flow.created_at
    for change in changes(events, _NO_MILESTONE, estimates):
        if change.after.state is State.OPEN:
            arrived = arrived or change.at
        elif arrived:
            left = max(arrived, _left_at(change))
            # What leaves unstarted is started as it leaves.
            started = max(arrived, min(flow.started_at or left, left))
            stays.append(_Stay(arrived, started, left, change.after.state is State.DONE))
            arrived = None
        elif change.before.state is not change.after.state:
            # Given up, and then found to be done, or the other way round: the last word is the true one.
            is_done, left = change.after.state is State.DONE, max(stays[-1].arrived, _left_at(change))
            stays[-1] = replace(stays[-1], left=left, is_done=is_done)
    if arrived:
        stays.append(_Stay(arrived, max(arrived, flow.started_at) if flow.started_at else None))
    return stays


def _left_at(change: SprintChange) -> datetime:
    """When it was closed; also of an item that was closed already when we first saw it."""
    if change.after.done_at:
        return change.after.done_at
    shown = (
        change.event.snapshot if isinstance(change.event, ItemEvent) and not change.after.is_gone else None
    )
    return (shown.closed_at if shown else None) or change.at
