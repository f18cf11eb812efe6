"""Pull requests that wait for a review: from when they could be reviewed until a person first did so.

This is the pickup time as DevLake defines it, for pull requests that have not been picked up yet
(https://devlake.apache.org/docs/Metrics/PRPickupTime).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.flow import Flow
from sprints.model import ActivityEvent, ItemEvent, sort_events
from sprints.numbering import split_number
from sprints.people import is_bot, same_login

# A draft does not ask for a review yet.
_READY, _DRAFT = "ready_for_review", "converted_to_draft"


@dataclass(frozen=True, slots=True)
class ReviewWait:
    """A pull request that has waited for its first review since `since`."""

    flow: Flow
    since: datetime


def list_review_waits(
    flows: Iterable[Flow],
    events: Mapping[str, Sequence[ItemEvent]],
    activity: Iterable[ActivityEvent],
    as_of: datetime,
) -> tuple[ReviewWait, ...]:
    """List the open pull requests that no person but their author has reviewed, the longest waits first.

    `flows` are those as of `as_of`, `events` the item events behind them, `activity` the reviews submitted
    since the oldest of them was opened. A review that was dismissed later still counts as a review.
    """
    reviewed = _reviewed(activity, as_of)
    waits = []
    for flow in flows:
        if not flow.is_pull_request or not flow.is_open or flow.item in reviewed:
            continue
        item_events = sort_events(event for event in events.get(flow.item, ()) if event.at < as_of)
        if (since := _ready_since(flow, item_events)) is not None:
            waits.append(ReviewWait(flow, since))
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


def _ready_since(flow: Flow, events: Sequence[ItemEvent]) -> datetime | None:
    """Return since when a pull request can be reviewed; None for a draft."""
    draft_events = [event for event in events if event.event in {_READY, _DRAFT}]
    if not draft_events:
        return flow.created_at
    return draft_events[-1].at if draft_events[-1].event == _READY else None
