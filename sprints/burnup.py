"""The burnup: scope and work done per local day, beside the ideal line up to the commitment.

It shows apart what a burndown subtracts: removed work lowers the scope, finished work raises the other line.
"""

from dataclasses import dataclass
from decimal import Decimal

from sprints.burndown import Burndown, build_burndown
from sprints.facts import Facts


@dataclass(frozen=True, slots=True)
class Burnup:
    """The values of a burnup chart: the days of a burndown, of which it reads `scope` and `done`."""

    sprint: Burndown

    @property
    def scope(self) -> list[Decimal | None]:
        """The scope at the start, and at each local day's end; None in the future."""
        return [self.sprint.committed, *(day.scope for day in self.sprint.days)]

    @property
    def done(self) -> list[Decimal | None]:
        """The work done, for the same moments."""
        return [Decimal(0), *(day.done for day in self.sprint.days)]

    @property
    def ideal(self) -> list[Decimal | None]:
        """The line from 0 up to the commitment, over working days; None without a due date."""
        committed = self.sprint.committed
        ideals = [day.ideal for day in self.sprint.days]
        return [Decimal(0), *(None if ideal is None else committed - ideal for ideal in ideals)]


def build_burnup(facts: Facts, unit: str | None = None) -> Burnup:
    """Build the burnup of a sprint, in `unit`, by default the unit that its estimates allow."""
    return Burnup(build_burndown(facts, unit))
