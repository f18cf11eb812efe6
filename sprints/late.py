"""Work done between a sprint's end and its closing, where a team counts it for the sprint after all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from sprints.facts import Amount, Facts, Item, amount_of
from sprints.milestone import GRACE_AFTER_END
from sprints.numbering import Number
from sprints.plain import Values, number
from sprints.velocity import Outcome

# Later work is the next sprint's.
MOST_DAYS = GRACE_AFTER_END.days


@dataclass(frozen=True, slots=True)
class Credit:
    """What was done late and credited to a sprint when it was closed."""

    amount: Amount
    numbers: tuple[Number, ...]


def done_late(facts: Facts, days: int, now: datetime) -> tuple[Item, ...]:
    """What was open at a sprint's end and done within so many days of 24 hours after it, before `now`.

    With the estimates that the items had when they were done.
    """
    end = facts.sprint.end
    if end is None:
        return ()
    until = min(end + timedelta(days=days), now)
    was_open = {item.item for item in facts.carried}
    return tuple(
        item for item in facts.items if item.item in was_open and item.done_at and end <= item.done_at < until
    )


def credit_for(items: Iterable[Item]) -> Values:
    """A credit as a plain value, to be kept among the settings."""
    listed = list(items)
    amount = amount_of(listed)
    return {"points": number(amount.points), "count": amount.count, "items": [one.number for one in listed]}


def credits_of(told: object) -> dict[int, Credit]:
    """The credits among the settings, by GitHub's id of the milestone. What cannot be read is passed over."""
    found = dict[int, Credit]()
    for milestone, credit in (told if isinstance(told, Mapping) else {}).items():
        try:
            amount = Amount(Decimal(str(credit["points"])), int(credit["count"]))
            found[int(milestone)] = Credit(amount, tuple(int(one) for one in credit["items"]))
        except (KeyError, TypeError, ValueError, InvalidOperation):
            continue
    return found


def credited(outcomes: Iterable[Outcome], given: Mapping[int, Credit]) -> list[Outcome]:
    """The outcomes with what was credited to them. What was kept of the promise stays as it was."""
    return [
        replace(one, completed=one.completed + given[one.milestone].amount) if one.milestone in given else one
        for one in outcomes
    ]
