"""Topics for a retrospective: the items that stood out in a sprint, by kind."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sprints.blocked import add_up_blocked_time
from sprints.durations import count_days
from sprints.facts import Facts, ScopeCause
from sprints.flow import Flow
from sprints.numbering import Number, split_number
from sprints.report import Report

# Shorter times are no topic.
LEAST_ELAPSED = timedelta(days=1)
LEAST_CROSSED = 2


class Topic(StrEnum):
    """The way in which an item stood out."""

    OLDEST = "oldest"
    BLOCKED = "blocked"
    REOPENED = "reopened"
    LATE = "late"
    CARRIED = "carried"


@dataclass(frozen=True, slots=True)
class RetroEvidence:
    """One item of a topic.

    `elapsed` is how long it was in progress or blocked, or how long after the end it was done. `days` are the
    local days that it was in progress, as in every answer about an age. `at` is when it was added late.
    `count` is how often it was reopened or carried over. `reason` and `by` (issue numbers) are what blocked
    it. An item that `is_over` was done, or is no longer blocked.
    """

    topic: Topic
    number: Number
    elapsed: timedelta | None = None
    at: datetime | None = None
    count: int = 0
    days: int = 0
    reason: str = ""
    by: tuple[Number, ...] = ()
    is_over: bool = True


def collect_evidence(
    facts: Facts,
    report: Report,
    flows: Iterable[Flow],
    crossed: Mapping[Number, int],
    done_at: Mapping[Number, datetime],
) -> dict[Topic, list[RetroEvidence]]:
    """Collect the evidence of a sprint by topic, the weightiest of each first; empty topics are left out.

    `facts` and `flows` are those as of the sprint's end, or now. `crossed` gives by number how many sprint
    ends an item has crossed, `done_at` when it was done, also after the end.
    """
    own = {*report.done.numbers, *report.left.numbers}
    flows = [flow for flow in flows if flow.number in own and not flow.is_covered]
    evidence = [
        *_oldest(flows, facts),
        *_blocked(flows, facts.sprint.start, facts.as_of),
        *_reopened(facts),
        *_late(facts, report, done_at),
        *_carried(report, crossed),
    ]
    by_topic = {topic: [entry for entry in evidence if entry.topic is topic] for topic in Topic}
    return {topic: sorted(entries, key=_weight) for topic, entries in by_topic.items() if entries}


def _weight(evidence: RetroEvidence) -> tuple[timedelta, int, tuple[str, int]]:
    return -(evidence.elapsed or timedelta(0)), -evidence.count, split_number(evidence.number)


def _oldest(flows: Iterable[Flow], facts: Facts) -> Iterator[RetroEvidence]:
    """Yield the work in progress and the work done, with the time since it was started."""
    until = facts.as_of
    for flow in flows:
        if flow.started_at is None or (flow.done_at and not flow.is_start_dated):
            continue
        elapsed = (flow.done_at or until) - flow.started_at
        if elapsed >= LEAST_ELAPSED:
            # A midnight belongs to the day that ends with it.
            finish = flow.done_at or until - timedelta(microseconds=1)
            days = count_days(flow.started_at, finish, facts.sprint.calendar)
            is_over = flow.done_at is not None
            yield RetroEvidence(Topic.OLDEST, flow.number, elapsed, days=days, is_over=is_over)


def _blocked(flows: Iterable[Flow], start: datetime, until: datetime) -> Iterator[RetroEvidence]:
    for flow in flows:
        elapsed = add_up_blocked_time(flow.blocks, until, start)
        if not elapsed:
            continue
        reasons = [block.reason for block in flow.blocks if block.reason]
        by = dict.fromkeys(block.number for block in flow.blocks if block.number)
        yield RetroEvidence(
            Topic.BLOCKED,
            flow.number,
            elapsed,
            reason=reasons[-1] if reasons else "",
            by=tuple(by),
            is_over=not flow.open_blocks,
        )


def _reopened(facts: Facts) -> Iterator[RetroEvidence]:
    for item in facts.items:
        if item.reopened and not item.is_covered:
            yield RetroEvidence(
                Topic.REOPENED, item.number, count=item.reopened, is_over=item.state == "done"
            )


def _late(facts: Facts, report: Report, done_at: Mapping[Number, datetime]) -> Iterator[RetroEvidence]:
    """Yield the work added after the commitment, and the work done after the end."""
    done = set(report.done.numbers)
    added = {entry.number: entry.at for entry in report.changes[ScopeCause.ADDED].entries}
    for number, at in added.items():
        if at:
            yield RetroEvidence(Topic.LATE, number, at=at, is_over=number in done)
    end = facts.sprint.end
    for number in report.late.numbers:
        if end and (finished_at := done_at.get(number)) and finished_at >= end:
            yield RetroEvidence(Topic.LATE, number, finished_at - end)


def _carried(report: Report, crossed: Mapping[Number, int]) -> Iterator[RetroEvidence]:
    for number in report.left.numbers:
        if (count := crossed.get(number, 0)) >= LEAST_CROSSED:
            yield RetroEvidence(Topic.CARRIED, number, count=count, is_over=False)
