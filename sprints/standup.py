"""What a team wants to know in the morning: what happened since the last working day, and what waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sprints.calendar import Calendar
from sprints.flow import Flow
from sprints.numbering import place
from sprints.reviews import Wait

# Who has been off for longer begins anew.
_LONGEST_BREAK = 60


@dataclass(frozen=True, slots=True)
class Standup:
    """Since the beginning of the local day `since`. What was `done` is not told again as `started`.

    `blocked` are the open items that something holds up now, the longest first; `paused` those that were put
    aside since then, and still are.
    """

    since: date
    done: tuple[Flow, ...] = ()
    started: tuple[Flow, ...] = ()
    paused: tuple[Flow, ...] = ()
    blocked: tuple[Flow, ...] = ()
    waiting: tuple[Wait, ...] = ()


def last_working_day(calendar: Calendar, today: date) -> date:
    """The working day before today; yesterday where there was none for two months."""
    days = (today - timedelta(days=n) for n in range(1, _LONGEST_BREAK + 1))
    return next((day for day in days if calendar.is_working_day(day)), today - timedelta(days=1))


def standup_of(flows: Iterable[Flow], waiting: Sequence[Wait], now: datetime, calendar: Calendar) -> Standup:
    """`flows` and `waiting` are those as of `now`. Items that others tell count nothing."""
    day = last_working_day(calendar, calendar.day_of(now))
    since = calendar.midnight(day)
    counted = [flow for flow in flows if not flow.is_covered]
    in_progress = [flow for flow in counted if flow.is_in_progress and flow.started_at]
    return Standup(
        day,
        done=_ordered((flow.done_at, flow) for flow in counted if flow.done_at and flow.done_at >= since),
        started=_ordered(
            (flow.started_at, flow)
            for flow in in_progress
            if flow.is_start_dated and flow.started_at and flow.started_at >= since
        ),
        paused=_ordered(
            (flow.pauses[-1].span.since, flow)
            for flow in counted
            if flow.is_paused and flow.pauses[-1].span.since >= since
        ),
        blocked=blocked_now(counted),
        waiting=tuple(waiting),
    )


def blocked_now(flows: Iterable[Flow]) -> tuple[Flow, ...]:
    """The items that something holds up, the longest first."""
    return _ordered(
        (min(block.span.since for block in blocks), flow)
        for flow in flows
        if not flow.is_covered and (blocks := flow.open_blocks)
    )


def _ordered(found: Iterable[tuple[datetime, Flow]]) -> tuple[Flow, ...]:
    return tuple(flow for _, flow in sorted(found, key=lambda one: (one[0], place(one[1].number))))
