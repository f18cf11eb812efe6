"""What finished sprints brought: velocity, what was kept of a promise, and what was carried over.

Velocity is what was completed, as in Jira (https://confluence.atlassian.com/display/AGILE/Velocity), but with
the median for the mean, which one bad sprint moves less. It helps a team to plan its next sprint; teams
estimate differently, so it compares nothing between them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any

from sprints.burndown import measure
from sprints.facts import Amount, Facts, Item, amount_of
from sprints.milestone import Phase, Sprint

MOST_SPRINTS, LEAST_SPRINTS = 7, 3
_LISTS = ("kept", "late", "carried")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one finished sprint came to, from its facts or from numbers that were frozen then.

    `completed` is what was done at the end, `kept` the part of the commitment that was, `late` what was done
    between the end and the closing. `unit` is the one that its estimates allow: `points` or `count`. One
    that `is_abandoned` never ran to an end of its own: its milestone was deleted, or left it no time.
    """

    milestone: int
    number: int
    title: str
    end: datetime
    committed: Amount
    completed: Amount
    kept: Amount
    late: Amount = field(default_factory=Amount)
    carried: Amount = field(default_factory=Amount)
    unit: str = "points"
    is_abandoned: bool = False

    @property
    def order(self) -> tuple[datetime, int]:
        """What sprints are ordered by: their end, and GitHub's id where several end at once."""
        return self.end, self.milestone

    def say_do(self, unit: str | None = None) -> Decimal | None:
        """Kept ÷ committed: how much of what was promised was done. None if nothing was promised."""
        return _ratio(self.kept, self.committed, unit or self.unit)

    def delivered(self, unit: str | None = None) -> Decimal | None:
        """Completed ÷ committed, “delivered vs planned”. With what was added it may exceed 1."""
        return _ratio(self.completed, self.committed, unit or self.unit)


@dataclass(frozen=True, slots=True)
class Velocity:
    """What the last sprints completed, oldest first, all in one `unit` (`points` or `count`: items).

    `values` belong to `outcomes`. With fewer than three there is no median and no range.
    """

    unit: str
    outcomes: tuple[Outcome, ...]
    values: tuple[Decimal, ...]

    @property
    def n(self) -> int:
        """How many sprints are counted."""
        return len(self.values)

    @property
    def is_too_few(self) -> bool:
        return self.n < LEAST_SPRINTS

    @property
    def median(self) -> Decimal | None:
        """The value in the middle; of an even number the mean of the two there."""
        return None if self.is_too_few else median(self.values)

    @property
    def least(self) -> Decimal | None:
        return None if self.is_too_few else min(self.values)

    @property
    def most(self) -> Decimal | None:
        return None if self.is_too_few else max(self.values)


@dataclass(frozen=True, slots=True)
class Carried:
    """An item that was open at a sprint's end, and how many sprints' ends it has crossed with this one."""

    item: Item
    crossed: int


@dataclass(frozen=True, slots=True)
class CarryOver:
    """What was open at a sprint's end."""

    items: tuple[Carried, ...]

    @property
    def amount(self) -> Amount:
        return amount_of(one.item for one in self.items)


def outcome_of(facts: Facts) -> Outcome:
    """What a sprint came to. Raises ValueError if it is not completed as of the facts."""
    sprint = facts.sprint
    if sprint.end is None or sprint.phase(facts.as_of) is not Phase.COMPLETED:
        raise ValueError(f"{sprint.title} is not completed")
    return Outcome(
        milestone=sprint.milestone,
        number=sprint.number,
        title=sprint.title,
        end=sprint.end,
        committed=facts.committed,
        completed=facts.done,
        kept=facts.kept,
        late=amount_of(facts.late),
        carried=amount_of(facts.carried),
        unit=facts.unit,
        is_abandoned=not _has_run(sprint),
    )


def outcome_as_taken(sprint: Sprint, facts: Mapping[str, Any]) -> Outcome:
    """What a sprint came to by the numbers that were taken of it: what plain.py made of its facts."""
    if sprint.end is None:
        raise ValueError(f"{sprint.title} has no end")
    amounts = {name: _taken(facts["points"][name], facts["count"][name]) for name in ("committed", "done")}
    kept, late, carried = (_taken(facts[name]["points"], facts[name]["count"]) for name in _LISTS)
    return Outcome(
        milestone=sprint.milestone,
        number=sprint.number,
        title=sprint.title,
        end=sprint.end,
        committed=amounts["committed"],
        completed=amounts["done"],
        kept=kept,
        late=late,
        carried=carried,
        unit=facts["unit"],
        is_abandoned=not _has_run(sprint),
    )


def velocity(outcomes: Iterable[Outcome], unit: str | None = None, *, credit_late: bool = False) -> Velocity:
    """The velocity of the last seven finished sprints, by their ends. Abandoned ones are none.

    Without a `unit` it is points if the estimates of each of these sprints allow it, else items: units are
    never mixed. `credit_late` adds what was done between a sprint's end and its closing.
    """
    finished = [outcome for outcome in outcomes if not outcome.is_abandoned]
    last = sorted(finished, key=lambda outcome: outcome.order)[-MOST_SPRINTS:]
    unit = unit or ("points" if all(outcome.unit == "points" for outcome in last) else "count")
    amounts = [one.completed + one.late if credit_late else one.completed for one in last]
    return Velocity(unit, tuple(last), tuple(measure(amount, unit) for amount in amounts))


def carry_over(facts: Facts, boxes: Iterable[tuple[Sprint, Collection[str]]] = ()) -> CarryOver:
    """What was open at the end of a sprint. Empty until that.

    `boxes` are all sprints known, each with the node ids of the items open at its end. Later ones do not
    count, so that an ended sprint's report stays as it is.
    """
    own, end = facts.sprint, facts.sprint.end
    until = [(box, items) for box, items in boxes if box.end and end and box.end <= end]
    crossed = crossings([*until, (own, [item.item for item in facts.carried])])
    return CarryOver(tuple(Carried(item, crossed.get(item.item, 0)) for item in facts.carried))


def crossings(boxes: Iterable[tuple[Sprint, Collection[str]]]) -> dict[str, int]:
    """By node id, over how many sprints' ends an item was carried.

    Each sprint comes with the node ids of the items open at its end. Abandoned ones have no end to cross.
    """
    crossed: dict[str, set[int]] = {}
    for sprint, items in boxes:
        if _has_run(sprint):
            for item in items:
                crossed.setdefault(item, set()).add(sprint.milestone)
    return {item: len(milestones) for item, milestones in crossed.items()}


def _has_run(sprint: Sprint) -> bool:
    return not sprint.is_deleted and sprint.end is not None and not sprint.is_due_before_start()


def _taken(points: float, count: int) -> Amount:
    return Amount(Decimal(str(points)), count)


def _ratio(part: Amount, whole: Amount, unit: str) -> Decimal | None:
    base = measure(whole, unit)
    return measure(part, unit) / base if base else None
