"""The forecast of a running sprint: the chance to finish and what will be delivered.

From what the team's own past sprints still brought after the same point, those most like this one first
(`sprints.forecast_draws`). Which ideas were compared, and how well this one does on real sprints:
`benchmarks/forecast/README.md`. Definitions: docs/metrics.md, “Forecasts”.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import blake2b

from sprints.forecast_draws import MOST_OTHERS, MOST_OWN, Draws, Floats, History, Now, draws_of, quantile

LEAST_ITEMS, FEW_SPRINTS = 10, 5
# Two in five of real sprints finish. It weighs as one past sprint: enough that no chance is 0 or 1.
BASE_RATE, BASE_WEIGHT = 0.4, 1.0
# Two futures for each sprint lie further apart than outcomes do, above all below the middle: one outcome in
# ten falls below their 26th percentile, one in ten above the 86th (0.5 - 0.4 × 0.6, 0.5 + 0.4 × 0.9).
SPREAD_BELOW, SPREAD_ABOVE = 0.6, 0.9
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
# Adding tenths must not lose a sprint that is done to the last point.
TOLERANCE = 1e-9


class Basis(StrEnum):
    """What a forecast rests on."""

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
    """No forecast, and why, as a sentence for people."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Band:
    """Percentiles of an amount, in ascending order: 80 % of outcomes should lie from `p10` to `p90`."""

    p10: float
    p25: float
    p50: float
    p75: float
    p90: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of a sprint, in the unit of what it was given.

    `chance` (0 to 1): as much as is in the sprint now will be done at its end. 1 only if nothing is open, 0
    only if no time is left. `chance_with_growth`: the same with what will be added or removed, as in past
    sprints; None if they do not tell. `delivered`: work done at the end, work added from now on included, so
    that it may exceed the scope. `own`, `others` (sprints) and `days` count what was used.
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
        """Whether the team has too few sprints of its own to rely on."""
        return self.own < FEW_SPRINTS

    @property
    def basis_sentence(self) -> str:
        """What it rests on, for people."""
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


def seed_of(*parts: str | int) -> int:
    """A seed from tenant, sprint and moment, the same on every machine and in every run, unlike `hash()`."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest())


def forecast(now: Now, history: History, seed: int) -> Forecast | Refusal:
    """What is expected of a sprint. Of a changed one, it is the forecast of the changed `now`.

    Raises ValueError for amounts that cannot be.
    """
    _check(now)
    draws = _draws(now, history, seed)
    if isinstance(draws, Refusal):
        return draws
    later, left, has_time = draws.at_end(), now.remaining, now.share < 1
    return Forecast(
        chance=1.0 if left <= 0 else _chance(later - left, draws.weights, has_time),
        chance_with_growth=(
            None if draws.growth is None else _chance(later - left - draws.growth, draws.weights, has_time)
        ),
        delivered=_band(now.done + later, draws.weights, _basis(history)),
        basis=_basis(history),
        own=min(len(history.own), MOST_OWN),
        others=min(len(history.others), MOST_OTHERS),
        days=0 if history.others else len(history.days),
    )


def fan(now: Now, history: History, seed: int, days: Sequence[date]) -> tuple[FanDay, ...] | Refusal:
    """How the work done may grow over the coming working days `days`, all that are left; none if none is.

    The last day has the band of `forecast`. Raises ValueError if `days` are not as many as are left.
    """
    _check(now)
    if len(days) != now.days_left:
        raise ValueError(f"{now.days_left} working days are left, but {len(days)} dates were given")
    draws = _draws(now, history, seed)
    if isinstance(draws, Refusal):
        return draws
    ends = zip(days, draws.later.T, strict=False)
    return tuple(FanDay(day, _band(now.done + later, draws.weights, _basis(history))) for day, later in ends)


def _check(now: Now) -> None:
    if not 0 <= now.elapsed <= 1:
        raise ValueError(f"the share elapsed lies between 0 and 1, not at {now.elapsed}")
    if min(now.done, now.scope, now.days_left) < 0:
        raise ValueError("amounts of work and of days are not negative")


def _draws(now: Now, history: History, seed: int) -> Draws | Refusal:
    if history.finished_items < LEAST_ITEMS:
        return too_few(history.finished_items)
    draws = draws_of(now, history, seed)
    return draws or Refusal("There is no forecast yet: no sprint is finished and no working day is recorded.")


def too_few(items: int) -> Refusal:
    """The refusal for a team that has hardly begun."""
    known = "there is 1" if items == 1 else f"there are {items or 'none'}"
    return Refusal(f"There is no forecast yet: it needs {LEAST_ITEMS} finished items, and {known}.")


def _chance(surplus: Floats, weights: Floats, has_time: bool) -> float:
    """The share of futures with nothing left over, drawn to the base rate while there is time."""
    share = float(weights[surplus >= -TOLERANCE].sum())
    total = float(weights.sum())
    if not has_time:
        return min(share / total, 1.0)
    return (share + BASE_RATE * BASE_WEIGHT) / (total + BASE_WEIGHT)


def _band(amounts: Floats, weights: Floats, basis: Basis) -> Band:
    amounts = amounts.clip(min=0)
    # Drawn days lie closer together than outcomes do, so their band is not made narrower.
    levels = LEVELS if basis is Basis.DAYS else [_calibrated(level) for level in LEVELS]
    return Band(*(quantile(amounts, weights, level) for level in levels))


def _calibrated(level: float) -> float:
    return 0.5 + (level - 0.5) * (SPREAD_BELOW if level < 0.5 else SPREAD_ABOVE)


def _basis(history: History) -> Basis:
    if history.others:
        return Basis.OWN_AND_OTHERS if history.own else Basis.OTHERS
    if len(history.days):
        return Basis.OWN_AND_DAYS if history.own else Basis.DAYS
    return Basis.OWN
