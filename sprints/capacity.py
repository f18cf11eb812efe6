"""A sprint's capacity: the days that its people can work in it, and what that makes of the usual velocity."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from sprints.people import is_person
from sprints.rules import DaysOff
from sprints.wip import Team

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class PersonCapacity:
    """A person's working days in a sprint, the days away, and the `share` of their time (0 to 1)."""

    login: str
    share: Decimal
    working_days: int
    days_away: int

    @property
    def person_days(self) -> Decimal:
        return self.share * (self.working_days - self.days_away)


@dataclass(frozen=True, slots=True)
class Capacity:
    """The capacity of a sprint, by person; `usual` is the median of the sprints it is compared with."""

    people: tuple[PersonCapacity, ...]
    usual: Decimal | None = None

    @property
    def person_days(self) -> Decimal:
        """The sum over the people."""
        return sum((person.person_days for person in self.people), Decimal(0))

    @property
    def away(self) -> tuple[PersonCapacity, ...]:
        """The people who are away on some of the days."""
        return tuple(person for person in self.people if person.days_away)

    @property
    def percent(self) -> int | None:
        """The capacity in whole percent of the usual one; None without a usual one."""
        if not self.usual:
            return None
        return int((100 * self.person_days / self.usual).quantize(Decimal(1), ROUND_HALF_UP))

    def scale(self, velocity: Decimal) -> Decimal | None:
        """The velocity that the capacity allows: the percentage of the usual one, as it is shown."""
        return (
            None if self.percent is None else (velocity * self.percent / 100).quantize(_CENT, ROUND_HALF_UP)
        )


def list_shares(shares: Mapping[str, Decimal], teams: Iterable[Team]) -> dict[str, Decimal]:
    """The share of each person by login in lower case; people of teams without one work all of their time."""
    members = {login: Decimal(1) for team in teams for login in team.people if is_person(login)}
    return {login: share for login, share in sorted((members | dict(shares)).items()) if share > 0}


def compute_capacity(
    shares: Mapping[str, Decimal],
    absences: Iterable[DaysOff],
    days: Sequence[date],
    earlier: Iterable[Sequence[date]] = (),
) -> Capacity:
    """Compute the capacity on working days, compared with that of the same people in `earlier` sprints."""
    away = dict[str, set[date]]()
    for absence in absences:
        away.setdefault(absence.person, set()).update(absence.days)

    def measure(working: Sequence[date]) -> tuple[PersonCapacity, ...]:
        return tuple(
            PersonCapacity(login, share, len(working), len(away.get(login, set()).intersection(working)))
            for login, share in shares.items()
        )

    sums = [Capacity(measure(working)).person_days for working in earlier]
    return Capacity(measure(days), median(sums) if sums else None)
