"""Pull requests that wait for a review: from when they could be reviewed until a person first did so.

This is the pickup time as DevLake defines it, for pull requests that have not been picked up yet
(https://devlake.apache.org/docs/Metrics/PRPickupTime).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sprints.flow import Flow
from sprints.model import ActivityEvent
from sprints.numbering import split_number
from sprints.people import is_bot, same_login


@dataclass(frozen=True, slots=True)
class ReviewWait:
    """A pull request that has waited for its first review since `since`."""

    flow: Flow
    since: datetime


def list_review_waits(
    flows: Iterable[Flow], activity: Iterable[ActivityEvent], as_of: datetime
) -> tuple[ReviewWait, ...]:
    """List the open pull requests that no person but their author has reviewed, the longest waits first.

    `flows` are those as of `as_of`, `activity` the reviews submitted since the oldest of them was opened. A
    review that was dismissed later still counts as a review.
    """
    reviewed = _reviewed(activity, as_of)
    waits = []
    for flow in flows:
        if not flow.is_pull_request or not flow.is_open or flow.item in reviewed:
            continue
        if flow.reviewable_since is not None:
            waits.append(ReviewWait(flow, flow.reviewable_since))
    return tuple(sorted(waits, key=lambda wait: (wait.since, split_number(wait.flow.number))))


def _reviewed(activity: Iterable[ActivityEvent], as_of: datetime) -> set[str]:
    """Return the node ids of pull requests that a person other than the author has reviewed."""
    reviewed = set[str]()
    for event in activity:
        details = event.details
        reviewer, author = str(details.get("reviewer") or ""), str(details.get("author") or "")
        is_of_person = bool(reviewer) and not is_bot(reviewer) and not details.get("is_bot")
        is_review = event.kind == "review" and event.event == "submitted" and event.at < as_of
        if is_review and is_of_person and not same_login(reviewer, author):
            reviewed.add(str(details.get("pull_request")))
    return reviewed
