"""Pull requests that wait for a review: from when they could be reviewed until a person first did so.

That time is the pickup time as DevLake defines it, for pull requests that have not been picked up yet
(https://devlake.apache.org/docs/Metrics/PRPickupTime).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sprints.flow import Flow
from sprints.model import ActivityEvent
from sprints.numbering import split_number
from sprints.people import is_bot, same_login

# The kind of the events by which a person is asked for a review, or not asked any more.
REVIEW_REQUEST = "review_request"


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """An open pull request that `reviewer` has been asked to review since `since`."""

    flow: Flow
    reviewer: str
    since: datetime


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


def list_review_requests(
    flows: Iterable[Flow],
    requests: Iterable[ActivityEvent],
    reviews: Iterable[ActivityEvent],
    as_of: datetime,
) -> tuple[ReviewRequest, ...]:
    """List whom open pull requests ask for a review that has not been given since, the oldest first.

    `flows` are those as of `as_of`; `requests` and `reviews` are the events since the oldest of them was
    opened. A person who reviewed is asked no longer, until somebody asks again, as on GitHub.
    """
    asked = dict[tuple[str, str], ActivityEvent]()
    ordered = sorted((event for event in (*requests, *reviews) if event.at < as_of), key=lambda e: e.at)
    for event in ordered:
        key = str(event.details.get("pull_request")), str(event.details.get("reviewer") or "").lower()
        if event.kind == REVIEW_REQUEST and event.event == "review_requested":
            asked[key] = event
        elif event.kind == REVIEW_REQUEST or event.event == "submitted":
            asked.pop(key, None)
    open_pulls = {flow.item: flow for flow in flows if flow.is_pull_request and flow.is_open}
    waiting = [
        ReviewRequest(open_pulls[item], str(event.details["reviewer"]), event.at)
        for (item, _), event in asked.items()
        if item in open_pulls
    ]
    return tuple(sorted(waiting, key=lambda request: (request.since, split_number(request.flow.number))))
