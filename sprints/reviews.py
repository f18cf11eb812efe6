"""Pull requests that wait for a review: from when they could be reviewed until a person first did so.

Pickup time as DevLake defines it, for pull requests that nobody has picked up yet
(https://devlake.apache.org/docs/Metrics/PRPickupTime).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.flow import Flow
from sprints.model import ActivityEvent, ItemEvent, in_order
from sprints.numbering import place
from sprints.people import is_bot, same_login

# A draft asks nobody for a review yet.
_READY, _DRAFT = "ready_for_review", "converted_to_draft"


@dataclass(frozen=True, slots=True)
class Wait:
    """A pull request that has waited for its first review since `since`."""

    flow: Flow
    since: datetime


def waiting_for_review(
    flows: Iterable[Flow],
    events: Mapping[str, Sequence[ItemEvent]],
    activity: Iterable[ActivityEvent],
    as_of: datetime,
) -> tuple[Wait, ...]:
    """The open pull requests that no person but their author has reviewed, the longest waits first.

    `flows` are those as of `as_of`, `events` what they are made of, `activity` what reviews were submitted
    since the oldest of them was opened. A review that was dismissed later was one all the same: somebody
    had looked.
    """
    reviewed = _reviewed(activity, as_of)
    waits = []
    for flow in flows:
        if not flow.is_pull_request or not flow.is_open or flow.item in reviewed:
            continue
        told = in_order(event for event in events.get(flow.item, ()) if event.at < as_of)
        if (since := _ready_since(flow, told)) is not None:
            waits.append(Wait(flow, since))
    return tuple(sorted(waits, key=lambda wait: (wait.since, place(wait.flow.number))))


def _reviewed(activity: Iterable[ActivityEvent], as_of: datetime) -> set[str]:
    """The node ids of pull requests that a person other than the author has reviewed."""
    found = set[str]()
    for event in activity:
        told = event.details
        reviewer, author = str(told.get("reviewer") or ""), str(told.get("author") or "")
        is_of_person = bool(reviewer) and not is_bot(reviewer) and not told.get("is_bot")
        is_review = event.kind == "review" and event.event == "submitted" and event.at < as_of
        if is_review and is_of_person and not same_login(reviewer, author):
            found.add(str(told.get("pull_request")))
    return found


def _ready_since(flow: Flow, told: Sequence[ItemEvent]) -> datetime | None:
    """Since when it may be reviewed; None for what is known to be a draft."""
    turns = [event for event in told if event.event in {_READY, _DRAFT}]
    if not turns:
        return flow.created_at
    return turns[-1].at if turns[-1].event == _READY else None
