"""The results of finished sprints: velocity, the completed part of the commitment, and carry-over.

Velocity is what was completed, as in Jira (https://confluence.atlassian.com/display/AGILE/Velocity), but with
the median for the mean, which one bad sprint moves less. It helps a team to plan its next sprint; teams
estimate differently, so it does not compare them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any

from sprints.burndown import measure_amount
from sprints.facts import Amount, Facts, Item, sum_items
from sprints.milestone import Phase, Sprint

MOST_SPRINTS, LEAST_SPRINTS = 7, 3
_LISTS = ("kept", "late", "carried")


@dataclass(frozen=True, slots=True)
class SprintOutcome:
    """The result of one finished sprint, from its facts or from its stored snapshot.

    `completed` was done at the end, `kept` is the completed part of the commitment, `late` was done between
    the end and the closing. `unit` is the unit that its estimates allow: `points` or `count`. A sprint that
    `is_abandoned` never reached its end: its milestone was deleted, or closed before its start.
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
        """The sort key of finished sprints: their end, and GitHub's id where several end at the same time."""
        return self.end, self.milestone

    def say_do(self, unit: str | None = None) -> Decimal | None:
        """Return kept ÷ committed, the part of the commitment that was done. None without commitment."""
        return _ratio(self.kept, self.committed, unit or self.unit)


@dataclass(frozen=True, slots=True)
class Velocity:
    """The work completed by the last sprints, oldest first, in one `unit` (`points` or `count`: items).

    `values` belong to `outcomes`. With fewer than three sprints there is no median and no range.
    """

    unit: str
    outcomes: tuple[SprintOutcome, ...]
    values: tuple[Decimal, ...]

    @property
    def n(self) -> int:
        """The number of sprints."""
        return len(self.values)

    @property
    def is_too_few(self) -> bool:
        return self.n < LEAST_SPRINTS

    @property
    def median(self) -> Decimal | None:
        """The value in the middle; for an even number the mean of the two in the middle."""
        return None if self.is_too_few else median(self.values)

    @property
    def least(self) -> Decimal | None:
        return None if self.is_too_few else min(self.values)

    @property
    def most(self) -> Decimal | None:
        return None if self.is_too_few else max(self.values)


@dataclass(frozen=True, slots=True)
class CarriedItem:
    """An item that was open at a sprint's end, and the number of sprint ends it has crossed so far."""

    item: Item
    crossed: int


@dataclass(frozen=True, slots=True)
class CarryOver:
    """The items that were open at a sprint's end."""

    items: tuple[CarriedItem, ...]

    @property
    def amount(self) -> Amount:
        return sum_items(carried.item for carried in self.items)


def compute_outcome(facts: Facts) -> SprintOutcome:
    """Compute a sprint's outcome. Raises ValueError if it is not completed as of the facts."""
    sprint = facts.sprint
    if sprint.end is None or sprint.phase(facts.as_of) is not Phase.COMPLETED:
        raise ValueError(f"{sprint.title} is not completed")
    return SprintOutcome(
        milestone=sprint.milestone,
        number=sprint.number,
        title=sprint.title,
        end=sprint.end,
        committed=facts.committed,
        completed=facts.done,
        kept=facts.kept,
        late=sum_items(facts.late),
        carried=sum_items(facts.carried),
        unit=facts.unit,
        is_abandoned=not has_run(sprint),
    )


def parse_outcome(sprint: Sprint, facts: Mapping[str, Any]) -> SprintOutcome:
    """Parse a sprint's outcome from its stored snapshot, the plain values of plain.py."""
    if sprint.end is None:
        raise ValueError(f"{sprint.title} has no end")
    amounts = {name: _amount(facts["points"][name], facts["count"][name]) for name in ("committed", "done")}
    kept, late, carried = (_amount(facts[name]["points"], facts[name]["count"]) for name in _LISTS)
    return SprintOutcome(
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
        is_abandoned=not has_run(sprint),
    )


def compute_velocity(outcomes: Iterable[SprintOutcome], unit: str | None = None) -> Velocity:
    """Compute the velocity of the last seven finished sprints, by their ends, without abandoned ones.

    Without a `unit` it is points if the estimates of each of these sprints allow it, else items: units are
    never mixed.
    """
    finished = [outcome for outcome in outcomes if not outcome.is_abandoned]
    last = sorted(finished, key=lambda outcome: outcome.order)[-MOST_SPRINTS:]
    unit = unit or ("points" if all(outcome.unit == "points" for outcome in last) else "count")
    return Velocity(unit, tuple(last), tuple(measure_amount(outcome.completed, unit) for outcome in last))


def list_carry_over(facts: Facts, boxes: Iterable[tuple[Sprint, Collection[str]]] = ()) -> CarryOver:
    """List the items that were open at the end of a sprint; none before its end.

    `boxes` are all sprints with the node ids of the items open at their ends. Later sprints do not count, so
    that an ended sprint's report stays the same.
    """
    own, end = facts.sprint, facts.sprint.end
    until = [(sprint, items) for sprint, items in boxes if sprint.end and end and sprint.end <= end]
    crossed = count_crossings([*until, (own, [item.item for item in facts.carried])])
    return CarryOver(tuple(CarriedItem(item, crossed.get(item.item, 0)) for item in facts.carried))


def count_crossings(boxes: Iterable[tuple[Sprint, Collection[str]]]) -> dict[str, int]:
    """Count by node id how many sprint ends an item has crossed.

    Each sprint comes with the node ids of the items open at its end. Abandoned sprints have no end to cross.
    """
    crossed: dict[str, set[int]] = {}
    for sprint, items in boxes:
        if has_run(sprint):
            for item in items:
                crossed.setdefault(item, set()).add(sprint.milestone)
    return {item: len(milestones) for item, milestones in crossed.items()}


def has_run(sprint: Sprint) -> bool:
    """Whether a sprint has an end to cross; an abandoned one has none."""
    return not sprint.is_deleted and sprint.end is not None and not sprint.is_due_before_start()


def was_abandoned(sprint: Sprint, now: datetime) -> bool:
    """Whether a sprint is over without having run."""
    return sprint.end is not None and sprint.end <= now and not has_run(sprint)


def _amount(points: float, count: int) -> Amount:
    return Amount(Decimal(str(points)), count)


def _ratio(part: Amount, whole: Amount, unit: str) -> Decimal | None:
    base = measure_amount(whole, unit)
    return measure_amount(part, unit) / base if base else None
