"""Which sprint comes next: where open work goes, and what is to be planned."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sprints.milestone import Phase, Sprint
from sprints.selection import choose


def open_sprints(sprints: Iterable[Sprint], now: datetime) -> list[Sprint]:
    """Those that work can still be planned in: neither closed, deleted nor over; what is due first, first."""
    found = [
        one for one in sprints if not one.is_deleted and one.closed_at is None and not one.has_ended(now)
    ]
    return sorted(
        found, key=lambda one: (one.due is None, one.due or one.first_day, one.number, one.milestone)
    )


def next_after(sprints: Iterable[Sprint], current: Sprint, now: datetime) -> Sprint | None:
    """The one that is due next after `current`. Without a due date a milestone is a shelf and no sprint."""
    later = [
        one
        for one in open_sprints(sprints, now)
        if one.milestone != current.milestone and one.due and (current.due is None or one.due > current.due)
    ]
    return later[0] if later else None


def to_plan(sprints: Sequence[Sprint], now: datetime, asked_in: int | None) -> Sprint | None:
    """The sprint whose plan is talked about: the planned one in which it was asked (the number of its
    milestone); else the one that comes after the running one; else the planned one that starts first; else
    the one that runs.
    """
    planned = [one for one in open_sprints(sprints, now) if one.phase(now) is Phase.PLANNED]
    for one in planned:
        if one.number == asked_in:
            return one
    current = choose(sprints, now, None)
    if current in planned:
        return current
    if current and (following := next_after(sprints, current, now)):
        return following
    return min(planned, key=lambda one: (one.start, one.number, one.milestone), default=current)
