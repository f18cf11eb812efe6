"""Who contributed to a sprint, by kind of contribution. Nobody is counted, compared or put in an order of
merit: each kind names its people by the alphabet.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sprints.flow import Flow
from sprints.links import closes_of
from sprints.model import ActivityEvent, ItemEvent
from sprints.numbering import Number
from sprints.people import is_person, same_login
from sprints.team import NOBODY, owner_of


class Contribution(StrEnum):
    """What somebody did for a sprint."""

    FINISHED = "finished work"
    CODED = "wrote pull requests"
    REVIEWED = "reviewed"
    REPORTED = "reported what was done"


@dataclass(frozen=True, slots=True)
class Thanks:
    """The people of one kind of contribution."""

    kind: Contribution
    people: tuple[str, ...]


def thanks_of(
    done: AbstractSet[Number],
    start: datetime,
    until: datetime,
    flows: Iterable[Flow],
    events: Mapping[str, Sequence[ItemEvent]],
    reviews: Iterable[ActivityEvent],
) -> tuple[Thanks, ...]:
    """Whom the items `done` are owed to, by their numbers. Kinds without people are left out, and bots.

    Pull requests are those among the items, and those merged in `[start, until)` that closed one of them.
    """
    by_item = {flow.item: flow for flow in flows}
    finished = [flow for flow in by_item.values() if flow.number in done and flow.done_at]
    merged = [
        flow
        for flow in by_item.values()
        if flow.is_pull_request and flow.done_at and start <= flow.done_at < until
        if flow.number in done or not done.isdisjoint(closes_of(events.get(flow.item, ())))
    ]
    people: dict[Contribution, set[str]] = {
        Contribution.FINISHED: {owner_of(flow) for flow in finished},
        Contribution.CODED: {flow.author or NOBODY for flow in merged},
        Contribution.REVIEWED: _reviewers(reviews, {flow.number for flow in merged}),
        Contribution.REPORTED: {flow.author or NOBODY for flow in finished if not flow.is_pull_request},
    }
    named = {kind: sorted(filter(is_person, who), key=str.lower) for kind, who in people.items()}
    return tuple(Thanks(kind, tuple(who)) for kind, who in named.items() if who)


def _reviewers(reviews: Iterable[ActivityEvent], pulls: Collection[object]) -> set[str]:
    found = set[str]()
    for review in reviews:
        told = review.details
        reviewer = str(told.get("reviewer") or NOBODY)
        author = str(told.get("author") or "")
        if told.get("number") in pulls and not told.get("is_bot") and not same_login(reviewer, author):
            found.add(reviewer)
    return found
