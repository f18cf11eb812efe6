"""The forecast of a running sprint: the chance to finish and the amount that will be delivered.

It rests on the work that the team's own past sprints still did after the same point
(`sprints.forecast_chance`, `sprints.forecast_amounts`). The ideas that were compared, and the results on real
sprints, are in `benchmarks/forecast/README.md`. Definitions: docs/metrics.md, “Forecasts”.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import blake2b

from sprints.forecast_amounts import Band, forecast_amounts_at_end, forecast_amounts_by_day
from sprints.forecast_chance import compute_chance
from sprints.forecast_inputs import FEW_SPRINTS, MOST_OTHERS, MOST_OWN, ForecastHistory, RunningSprint


class Basis(StrEnum):
    """The data that a forecast rests on."""

    OWN = "own"
    """The team's own sprints alone."""
    OWN_AND_OTHERS = "own and others"
    """The team's sprints; other teams of the project weigh as three of them."""
    OTHERS = "others"
    """Other teams of the project: this one has no finished sprint."""
    OWN_AND_DAYS = "own and days"
    """The team's sprints; its daily throughput weighs as three of them."""
    DAYS = "days"
    """The team's daily throughput: no sprint is finished."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why there is no forecast, as a sentence for people."""

    sentence: str


_NO_HISTORY = Refusal("There is no forecast yet: nothing has been finished yet that it could be based on.")


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of a sprint, in the unit of its inputs.

    `chance` (0 to 1): as much as is in the sprint now will be done at its end. 1 only if nothing is open, 0
    only if no time is left. `chance_with_growth`: the same with the work that will be added or removed, as in
    past sprints; None where their scope is unknown. `delivered`: work done at the end, including work added
    from now on, so that it may exceed the scope. `own`, `others` (sprints) and `days` count the data used.
    """

    chance: float
    chance_with_growth: float | None
    delivered: Band
    basis: Basis
    own: int
    others: int
    days: int

    @property
    def is_cold(self) -> bool:
        """Whether the team has too few past sprints of its own for a forecast from them alone."""
        return self.own < FEW_SPRINTS

    @property
    def basis_sentence(self) -> str:
        """The basis of the forecast, as a sentence for people."""
        own = f"{self.own} finished sprint{'s' * (self.own != 1)} of the team"
        others = f"{self.others} of other teams of the project"
        days = f"what the team did on {self.days} working days"
        used = {
            Basis.OWN: own,
            Basis.OWN_AND_OTHERS: f"{own} and {others}",
            Basis.OTHERS: f"finished sprints of other teams of the project ({self.others})",
            Basis.OWN_AND_DAYS: f"{own} and {days}",
            Basis.DAYS: days,
        }[self.basis]
        warning = " The team has few finished sprints, so this is rough." if self.is_cold else ""
        return f"From {used}.{warning}"


@dataclass(frozen=True, slots=True)
class FanDay:
    """Work done at the end of one coming working day."""

    date: date
    done: Band


def derive_seed(*parts: str | int) -> int:
    """Derive a seed from a forecast's key, the same on every machine and in every run, unlike `hash()`."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest())


def forecast_sprint(now: RunningSprint, history: ForecastHistory, seed: int) -> Forecast | Refusal:
    """Forecast a sprint; for a changed sprint, from the changed `now`.

    Raises ValueError for impossible amounts.
    """
    _check(now)
    chance = compute_chance(now, history, seed)
    if chance is None or not history.finished_items:
        return _NO_HISTORY
    return Forecast(
        chance=chance,
        chance_with_growth=compute_chance(now, history, seed, with_growth=True),
        delivered=forecast_amounts_at_end(now, history, seed, chance),
        basis=_basis(history),
        own=min(len(history.own), MOST_OWN),
        others=min(len(history.others), MOST_OTHERS),
        days=0 if history.others else len(history.days),
    )


def forecast_days(
    now: RunningSprint, history: ForecastHistory, seed: int, days: Sequence[date]
) -> tuple[FanDay, ...] | Refusal:
    """Forecast the work done at the end of each coming working day in `days`, all that are left.

    The last day has the band of `forecast`. Raises ValueError if `days` are not as many as are left.
    """
    _check(now)
    if len(days) != now.days_left:
        raise ValueError(f"{now.days_left} working days are left, but {len(days)} dates were given")
    chance = compute_chance(now, history, seed)
    if chance is None or not history.finished_items:
        return _NO_HISTORY
    bands = forecast_amounts_by_day(now, history, seed, chance)
    return tuple(FanDay(day, band) for day, band in zip(days, bands, strict=False))


def _check(now: RunningSprint) -> None:
    if not 0 <= now.elapsed <= 1:
        raise ValueError(f"the share elapsed lies between 0 and 1, not at {now.elapsed}")
    if min(now.done, now.scope, now.days_left) < 0:
        raise ValueError("amounts of work and of days are not negative")


def _basis(history: ForecastHistory) -> Basis:
    if history.others:
        return Basis.OWN_AND_OTHERS if history.own else Basis.OTHERS
    if len(history.days):
        return Basis.OWN_AND_DAYS if history.own else Basis.DAYS
    return Basis.OWN
