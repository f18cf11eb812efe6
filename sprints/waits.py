"""Where the work of a sprint waited: until somebody began it, and while it was blocked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sprints.facts import Cause
from sprints.flow import Flow
from sprints.model import ItemEvent, State, in_order
from sprints.report import Report

# A shorter wait is a night's sleep.
LEAST_WAIT = timedelta(days=1)


class Waiting(StrEnum):
    """What an item waited for."""

    START = "start"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Wait:
    """How long an item waited within the sprint, in elapsed time. `is_over` when the wait came to its end."""

    number: int
    kind: Waiting
    elapsed: timedelta
    is_over: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time; `end` is None while it lasts."""

    begin: datetime
    end: datetime | None

    def within(self, first: datetime, last: datetime) -> timedelta:
        """How much of it lies in `[first, last)`."""
        end = last if self.end is None else min(self.end, last)
        return max(end - max(self.begin, first), timedelta(0))


def blocked_spans(told: Iterable[ItemEvent]) -> list[Span]:
    """When one item was blocked: from the first blocker that comes to the last one that goes.

    What is closed waits for nobody; opened again, it is blocked by what still blocks it.
    """
    spans, blockers, since, is_open = list[Span](), set[str](), None, True
    for event in in_order(told):
        match event.event:
            case "blocked":
                blockers.add(event.named or "")
            case "unblocked" if event.named in blockers:
                blockers.discard(event.named)
            case "unblocked":
                blockers.clear()  # Somebody said so who did not say of what.
            case "closed" | "reopened" | "corrected":
                is_open = event.event == "reopened" or event.snapshot.state is State.OPEN
            case _:
                continue
        is_blocked = bool(blockers) and is_open
        if is_blocked and since is None:
            since = event.at
        elif not is_blocked and since is not None:
            spans.append(Span(since, event.at))
            since = None
    return [*spans, Span(since, None)] if since is not None else spans


def waits_of(
    report: Report,
    start: datetime,
    until: datetime,
    flows: Iterable[Flow],
    events: Mapping[str, Sequence[ItemEvent]],
) -> list[Wait]:
    """The waits of a sprint's items between its start and `until` (its end, or now), the longest first.

    Waiting for a start counts from the sprint's start or from when the item was added. Work of which nobody
    knows when it began, and waits of less than a day, are left out. `flows` are those as of `until`.
    """
    joined = {entry.number: start for entry in report.committed.entries}
    for entry in report.changes[Cause.ADDED].entries:
        joined.setdefault(entry.number, entry.at or start)
    done, left = set(report.done.numbers), set(report.left.numbers)
    found = list[Wait]()
    for flow in flows:
        if flow.number in joined and flow.number in done | left:
            since = max(joined[flow.number], flow.created_at)
            # What the report calls left is left, whatever became known of it since.
            found += _until_started(flow, since, until, is_left=flow.number in left)
            found += _while_blocked(flow, events.get(flow.item, ()), since, until)
    longest_first = sorted(found, key=lambda wait: (-wait.elapsed, wait.number, wait.kind))
    return [wait for wait in longest_first if wait.elapsed >= LEAST_WAIT]


def _until_started(flow: Flow, since: datetime, until: datetime, *, is_left: bool) -> Iterable[Wait]:
    if flow.started_at is None:
        if is_left:
            yield Wait(flow.number, Waiting.START, until - since, is_over=False)
    elif flow.is_start_dated:
        yield Wait(flow.number, Waiting.START, min(flow.started_at, until) - since, is_over=True)


def _while_blocked(flow: Flow, told: Iterable[ItemEvent], since: datetime, until: datetime) -> Iterable[Wait]:
    spans = blocked_spans(event for event in told if event.at < until)
    elapsed = sum((span.within(since, until) for span in spans), timedelta(0))
    if elapsed:
        yield Wait(flow.number, Waiting.BLOCKED, elapsed, is_over=spans[-1].end is not None)
