"""Pull requests and the snapshot of items that their impact is computed from."""

from typing import Any

from sprints.facts import Facts
from sprints.impact import (
    Impact,
    impact_of,
)
from sprints.model import ItemSnapshot, State
from sprints.numbering import own
from sprints.pull_requests import PullRequest
from tests.support.builders import SPRINT, at
from tests.support.forecasts import PAST_RECORDS, make_outlook, make_week

CREATED = at("11-09 09:00")


def make_pull_request(number: int = 40, **told: Any) -> PullRequest:
    return PullRequest(f"PR_{number}", number, "a" * 40, CREATED, **told)


def make_snapshot(number: int, milestone: int | None = None, **told: Any) -> ItemSnapshot:
    return ItemSnapshot(number, f"Card {number}", CREATED, milestone=milestone, **told)


def make_running_week() -> Facts:
    """A week of five items of 2 points, #1 to #3 done, #4 and #5 open."""
    return make_week("11-09", 3, as_of="11-12 00:00")


def make_known_items(*more: ItemSnapshot) -> dict[int, ItemSnapshot]:
    found = [make_snapshot(n, SPRINT, state=State.DONE if n < 4 else State.OPEN) for n in range(1, 6)]
    return {own(one.number): one for one in (*found, *more)}


def make_impact(told: PullRequest, facts: Facts | None = None, *more: ItemSnapshot, **rest: Any) -> Impact:
    facts = facts or make_running_week()
    return impact_of(told, facts, make_outlook(facts, *PAST_RECORDS), make_known_items(*more), **rest)
