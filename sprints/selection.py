"""The choice of a sprint when none is named."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sprints.milestone import Sprint

# For this long, the sprint that ended last is still preferred to a planned one.
RECENTLY = timedelta(days=14)


def choose_sprint(sprints: Sequence[Sprint], now: datetime, asked_in: int | None) -> Sprint | None:
    """Choose the sprint for a question.

    The sprint of the question's issue comes first (`asked_in`: its milestone's number), then the running one
    that ends first, then the one that ended within the last 14 days, then the next planned one.
    """
    for sprint in sprints:
        if asked_in is not None and sprint.number_in() == asked_in:
            return sprint
    existing = [sprint for sprint in sprints if not sprint.is_deleted]
    unfinished = [sprint for sprint in existing if sprint.closed_at is None and not sprint.has_ended(now)]
    running = [sprint for sprint in unfinished if sprint.start <= now]
    if running:
        return min(running, key=lambda s: (s.end is None, s.end or s.start, s.number, s.milestone))
    ended = [sprint for sprint in existing if sprint.end and timedelta(0) <= now - sprint.end <= RECENTLY]
    if ended:
        return max(ended, key=lambda s: (s.end or s.start, s.number, s.milestone))
    return min(unfinished, key=lambda s: (s.start, s.number, s.milestone), default=None)
