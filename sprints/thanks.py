"""The contributors to a sprint, by kind of contribution.

People are not counted, compared or ranked: each kind lists its people in alphabetical order.
"""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sprints.flow import Flow
from sprints.model import ActivityEvent
from sprints.numbering import Number
from sprints.people import is_person, same_login
from sprints.team import NOBODY, find_owner


class Contribution(StrEnum):
    """A kind of contribution to a sprint."""

    FINISHED = "finished work"
    CODED = "wrote pull requests"
    REVIEWED = "reviewed"
    REPORTED = "reported what was done"


@dataclass(frozen=True, slots=True)
class Thanks:
    """The people of one kind of contribution."""

    kind: Contribution
    people: tuple[str, ...]


def list_contributors(
    done: AbstractSet[Number],
    start: datetime,
    until: datetime,
    flows: Iterable[Flow],
    reviews: Iterable[ActivityEvent],
) -> tuple[Thanks, ...]:
    """List who contributed to the items `done`, given by number, without bots and empty kinds.

    Pull requests are those among the items, and those merged in `[start, until)` that closed one of them.
    """
    by_item = {flow.item: flow for flow in flows}
    finished = [flow for flow in by_item.values() if flow.number in done and flow.done_at]
    merged = [
        flow
        for flow in by_item.values()
        if flow.is_pull_request and flow.done_at and start <= flow.done_at < until
        if flow.number in done or not done.isdisjoint(flow.closes)
    ]
    people: dict[Contribution, set[str]] = {
        Contribution.FINISHED: {find_owner(flow) for flow in finished},
        Contribution.CODED: {flow.author or NOBODY for flow in merged},
        Contribution.REVIEWED: _reviewers(reviews, {flow.number for flow in merged}),
        Contribution.REPORTED: {flow.author or NOBODY for flow in finished if not flow.is_pull_request},
    }
    named = {kind: sorted(filter(is_person, logins), key=str.lower) for kind, logins in people.items()}
    return tuple(Thanks(kind, tuple(logins)) for kind, logins in named.items() if logins)


def _reviewers(reviews: Iterable[ActivityEvent], pulls: Collection[object]) -> set[str]:
    reviewers = set[str]()
    for review in reviews:
        details = review.details
        reviewer = str(details.get("reviewer") or NOBODY)
        author = str(details.get("author") or "")
        if details.get("number") in pulls and not details.get("is_bot") and not same_login(reviewer, author):
            reviewers.add(reviewer)
    return reviewers
