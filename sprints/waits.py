"""The waits of a sprint's work: until its start, and while it was blocked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sprints.blocked import add_up_blocked_time
from sprints.facts import ScopeCause
from sprints.flow import Flow
from sprints.numbering import Number, split_number
from sprints.report import Report

# Shorter waits, such as a night, are ordinary.
LEAST_WAIT = timedelta(days=1)


class WaitKind(StrEnum):
    """The reason why an item waited."""

    START = "start"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class ItemWait:
    """A wait of an item within the sprint, in elapsed time; `is_over` once the wait has ended."""

    number: Number
    kind: WaitKind
    elapsed: timedelta
    is_over: bool


def list_waits(
    report: Report,
    start: datetime,
    until: datetime,
    flows: Iterable[Flow],
) -> list[ItemWait]:
    """List the waits of a sprint's items between its start and `until` (its end, or now), the longest first.

    Waiting for a start counts from the sprint's start or from when the item was added. Items with an unknown
    start, and waits of less than a day, are left out. `flows` are those as of `until`.
    """
    joined = {entry.number: start for entry in report.committed.entries}
    for entry in report.changes[ScopeCause.ADDED].entries:
        joined.setdefault(entry.number, entry.at or start)
    done, left = set(report.done.numbers), set(report.left.numbers)
    waits = list[ItemWait]()
    for flow in flows:
        if flow.number in joined and flow.number in done | left:
            since = max(joined[flow.number], flow.created_at)
            # The report decides what was left, even if later events say otherwise.
            waits += _waits_for_start(flow, since, until, is_left=flow.number in left)
            waits += _blocked_waits(flow, since, until)
    longest_first = sorted(waits, key=lambda wait: (-wait.elapsed, split_number(wait.number), wait.kind))
    return [wait for wait in longest_first if wait.elapsed >= LEAST_WAIT]


def _waits_for_start(flow: Flow, since: datetime, until: datetime, *, is_left: bool) -> Iterable[ItemWait]:
    if flow.started_at is None:
        if is_left:
            yield ItemWait(flow.number, WaitKind.START, until - since, is_over=False)
    elif flow.is_start_dated:
        yield ItemWait(flow.number, WaitKind.START, min(flow.started_at, until) - since, is_over=True)


def _blocked_waits(flow: Flow, since: datetime, until: datetime) -> Iterable[ItemWait]:
    if elapsed := add_up_blocked_time(flow.blocks, until, since):
        yield ItemWait(flow.number, WaitKind.BLOCKED, elapsed, is_over=not flow.open_blocks)
