"""Pull requests and the snapshot of items that their impact is computed from."""

from typing import Any

from sprints.facts import Facts
from sprints.impact import (
    Impact,
    assess_impact,
)
from sprints.model import ItemSnapshot, State
from sprints.numbering import local_number
from sprints.pull_requests import PullRequest
from tests.support.builders import SPRINT, at
from tests.support.forecasts import PAST_RECORDS, make_outlook, make_week

CREATED = at("11-09 09:00")


def make_pull_request(number: int = 40, **fields: Any) -> PullRequest:
    """Make an open pull request."""
    return PullRequest(f"PR_{number}", number, "a" * 40, CREATED, **fields)


def make_snapshot(number: int, milestone: int | None = None, **fields: Any) -> ItemSnapshot:
    """Make the snapshot of an issue."""
    return ItemSnapshot(number, f"Card {number}", CREATED, milestone=milestone, **fields)


def make_running_week() -> Facts:
    """Make a week of five items of 2 points, #1 to #3 done, #4 and #5 open."""
    return make_week("11-09", 3, as_of="11-12 00:00")


def make_known_items(*more: ItemSnapshot) -> dict[int, ItemSnapshot]:
    """Make the items of the running week and others, by id."""
    result = [make_snapshot(n, SPRINT, state=State.DONE if n < 4 else State.OPEN) for n in range(1, 6)]
    return {local_number(item.number): item for item in (*result, *more)}


def make_impact(
    pull_request: PullRequest, facts: Facts | None = None, *more: ItemSnapshot, **rest: Any
) -> Impact:
    """Compute the impact of a pull request on the running week."""
    facts = facts or make_running_week()
    return assess_impact(
        pull_request, facts, make_outlook(facts, *PAST_RECORDS), make_known_items(*more), **rest
    )
