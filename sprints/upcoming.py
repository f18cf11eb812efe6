"""The next sprint: where open work is moved, and which sprint is planned."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sprints.milestone import Phase, Sprint
from sprints.selection import choose_sprint


def list_open_sprints(sprints: Iterable[Sprint], now: datetime) -> list[Sprint]:
    """List the sprints that work can be planned in (not closed, deleted or over), by their due dates."""
    plannable = [
        sprint
        for sprint in sprints
        if not sprint.is_deleted and sprint.closed_at is None and not sprint.has_ended(now)
    ]
    return sorted(
        plannable,
        key=lambda sprint: (
            sprint.due is None,
            sprint.due or sprint.first_day,
            sprint.number,
            sprint.milestone,
        ),
    )


def find_next_sprint(sprints: Iterable[Sprint], current: Sprint, now: datetime) -> Sprint | None:
    """Find the sprint that is due next after `current`.

    A milestone without a due date holds work for later and is no next sprint.
    """
    later = [
        sprint
        for sprint in list_open_sprints(sprints, now)
        if sprint.milestone != current.milestone
        and sprint.due
        and (current.due is None or sprint.due > current.due)
    ]
    return later[0] if later else None


def choose_sprint_to_plan(sprints: Sequence[Sprint], now: datetime, asked_in: int | None) -> Sprint | None:
    """Choose the sprint whose plan is discussed.

    The order of preference: the planned sprint with the milestone number `asked_in`, the one after the
    running sprint, the planned one that starts first, the running one.
    """
    planned = [sprint for sprint in list_open_sprints(sprints, now) if sprint.phase(now) is Phase.PLANNED]
    for sprint in planned:
        if sprint.number == asked_in:
            return sprint
    current = choose_sprint(sprints, now, None)
    if current in planned:
        return current
    if current and (following := find_next_sprint(sprints, current, now)):
        return following
    return min(planned, key=lambda sprint: (sprint.start, sprint.number, sprint.milestone), default=current)
