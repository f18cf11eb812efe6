"""A sprint's load: its scope compared to the deliveries of the last sprints."""

from dataclasses import dataclass
from decimal import Decimal

from sprints.burndown import measure_amount
from sprints.facts import Facts
from sprints.velocity import Velocity


@dataclass(frozen=True, slots=True)
class SprintLoad:
    """The scope of a sprint, in one `unit`, compared to the velocity of the last `n` sprints.

    `committed` is None before the commitment is made. `open_items` counts the items that are not done.
    """

    unit: str
    scope: Decimal
    done: Decimal
    committed: Decimal | None
    open_items: int
    n: int
    median: Decimal
    most: Decimal

    @property
    def left(self) -> Decimal:
        return self.scope - self.done

    @property
    def is_settled(self) -> bool:
        """Whether a comparison is pointless: nothing is open, or as much is done as in the best sprint."""
        return not self.open_items or self.done >= self.most

    @property
    def is_above_median(self) -> bool:
        """Whether the scope is more than the median delivery of the last sprints; False once settled."""
        return self.scope > self.median and not self.is_settled

    @property
    def is_above_most(self) -> bool:
        """Whether the scope is more than the largest delivery of the last sprints; False once settled."""
        return self.scope > self.most and not self.is_settled


def choose_load_unit(facts: Facts, points: Velocity | None) -> str:
    """Choose points where both the sprint and the last sprints are estimated well enough, else `count`."""
    return "points" if points and points.unit == "points" and facts.unit == "points" else "count"


def compare_load(
    facts: Facts, items: Velocity, points: Velocity | None, *, counts_items: bool = False
) -> SprintLoad | None:
    """Compare a sprint's scope with the velocity in items, or in points where both allow it.

    None where fewer than three sprints have ended. With `counts_items` it is in items, as the forecast beside
    it.
    """
    unit = "count" if counts_items else choose_load_unit(facts, points)
    past = points if points and unit == "points" else items
    if past.median is None or past.most is None:
        return None
    return SprintLoad(
        unit=unit,
        scope=measure_amount(facts.scope, unit),
        done=measure_amount(facts.done, unit),
        committed=measure_amount(facts.committed, unit) if facts.is_committed else None,
        open_items=facts.remaining.count,
        n=past.n,
        median=past.median,
        most=past.most,
    )
