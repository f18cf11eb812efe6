"""Work done between a sprint's end and its closing that a team credits to the sprint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from sprints.facts import Amount, Facts, Item, sum_items
from sprints.milestone import GRACE_AFTER_END
from sprints.numbering import Number
from sprints.plain import Values, convert_number
from sprints.velocity import SprintOutcome

# Later work belongs to the next sprint.
MOST_DAYS = GRACE_AFTER_END.days


@dataclass(frozen=True, slots=True)
class LateCredit:
    """The late work that was credited to a sprint when it was closed."""

    amount: Amount
    numbers: tuple[Number, ...]


def select_late_items(facts: Facts, days: int, now: datetime) -> tuple[Item, ...]:
    """List the items that were open at a sprint's end and done late, before `now`.

    Late is within `days` of 24 hours after the end. The items have the estimates that they had when they were
    done.
    """
    end = facts.sprint.end
    if end is None:
        return ()
    until = min(end + timedelta(days=days), now)
    was_open = {item.item for item in facts.carried}
    return tuple(
        item for item in facts.items if item.item in was_open and item.done_at and end <= item.done_at < until
    )


def convert_credit(items: Iterable[Item]) -> Values:
    """Convert credited items to a plain value, to be stored in the settings."""
    listed = list(items)
    amount = sum_items(listed)
    return {
        "points": convert_number(amount.points),
        "count": amount.count,
        "items": [item.number for item in listed],
    }


def parse_credits(value: object) -> dict[int, LateCredit]:
    """Parse the credits in the settings by GitHub's id of the milestone, without malformed ones."""
    late_credits = dict[int, LateCredit]()
    for milestone, credit in (value if isinstance(value, Mapping) else {}).items():
        try:
            amount = Amount(Decimal(str(credit["points"])), int(credit["count"]))
            late_credits[int(milestone)] = LateCredit(amount, tuple(map(int, credit["items"])))
        except (KeyError, TypeError, ValueError, InvalidOperation):
            continue
    return late_credits


def apply_credits(outcomes: Iterable[SprintOutcome], given: Mapping[int, LateCredit]) -> list[SprintOutcome]:
    """Add its credit to each outcome. The completed part of the commitment stays the same."""
    return [
        replace(outcome, completed=outcome.completed + given[outcome.milestone].amount)
        if outcome.milestone in given
        else outcome
        for outcome in outcomes
    ]
