"""How forecasts came true: scores of what was said against what happened. Empty lists have no score: None."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sprints.forecast_words import tenths

Said = tuple[float, bool]
"""A chance (0 to 1) that was told, and whether it came true."""


@dataclass(frozen=True, slots=True)
class Bin:
    """What came of the forecasts from `low` to `high` tenths, both included: `true` of `n` came true.

    `mean_chance` is what was said on average. A bin without forecasts is left out.
    """

    low: int
    high: int
    n: int
    true: int
    mean_chance: float

    @property
    def share(self) -> float:
        """How often it came true."""
        return self.true / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Between which rates the true one lies in 8 of 10 cases (Wilson 1927): wide where `n` is small."""
        spread = _NORMAL_80**2 / self.n
        centre = (self.share + spread / 2) / (1 + spread)
        half = (self.share * (1 - self.share) * spread + spread**2 / 4) ** 0.5 / (1 + spread)
        return max(centre - half, 0.0), min(centre + half, 1.0)


# "less than 1" to 3, 4 to 6, 7 to 9, and "more than 9" in 10.
BINS = ((0, 3), (4, 6), (7, 9), (10, 10))
TENTHS = tuple((tenth, tenth) for tenth in range(11))
# The middle 80 % of a normal distribution lie within so many standard deviations.
_NORMAL_80 = 1.2816


def brier(said: Sequence[Said]) -> float | None:
    """The mean squared distance of the chances from what happened (Brier 1950): 0 is perfect.

    Who always says 5 in 10 scores 0.25.
    """
    return sum((chance - came_true) ** 2 for chance, came_true in said) / len(said) if said else None


def calibration(said: Sequence[Said], bins: Sequence[tuple[int, int]] = BINS) -> tuple[Bin, ...]:
    """How often what was said came true, by the tenths in which it was told."""
    found = []
    for low, high in bins:
        inside = [one for one in said if low <= tenths(one[0]) <= high]
        if inside:
            true = sum(came_true for _, came_true in inside)
            mean = sum(chance for chance, _ in inside) / len(inside)
            found.append(Bin(low, high, len(inside), true, mean))
    return tuple(found)


def dates_met(dates: Sequence[tuple[date, date | None]]) -> float | None:
    """The share of foretold dates that were met: (foretold, happened). What never happened (None) missed it.

    Leave out what is still open and not yet due. Of dates told as P85 about 0.85 should be met.
    """
    met = sum(happened is not None and happened <= foretold for foretold, happened in dates)
    return met / len(dates) if dates else None


def coverage(bands: Sequence[tuple[float, float, float]]) -> float | None:
    """The share of outcomes within their bands, bounds included: (low, high, outcome)."""
    inside = sum(low <= outcome <= high for low, high, outcome in bands)
    return inside / len(bands) if bands else None
