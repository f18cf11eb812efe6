"""Scores of past forecasts against the outcomes. Empty lists have no score: None."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sprints.forecast_wording import round_to_tenths

ScoredChance = tuple[float, bool]
"""A forecast chance (0 to 1), and whether the forecast came true."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The forecasts from `low` to `high` tenths, both included: `true` of `n` came true.

    `mean_chance` is the average of their chances. A bin without forecasts is left out.
    """

    low: int
    high: int
    n: int
    true: int
    mean_chance: float

    @property
    def share(self) -> float:
        """The share of forecasts that came true."""
        return self.true / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """The 80 % interval of the true rate (Wilson 1927): wide where `n` is small."""
        spread = _NORMAL_80**2 / self.n
        centre = (self.share + spread / 2) / (1 + spread)
        half = (self.share * (1 - self.share) * spread + spread**2 / 4) ** 0.5 / (1 + spread)
        return max(centre - half, 0.0), min(centre + half, 1.0)


# "less than 1" to 3, 4 to 6, 7 to 9, and "more than 9" in 10.
BINS = ((0, 3), (4, 6), (7, 9), (10, 10))
TENTHS = tuple((tenth, tenth) for tenth in range(11))
# The middle 80 % of a normal distribution lie within this many standard deviations of the mean.
_NORMAL_80 = 1.2816


def compute_brier_score(scored: Sequence[ScoredChance]) -> float | None:
    """Compute the mean squared distance of the chances from the outcomes (Brier 1950): 0 is perfect.

    Always forecasting 5 in 10 scores 0.25.
    """
    return sum((chance - came_true) ** 2 for chance, came_true in scored) / len(scored) if scored else None


def compute_calibration(
    scored: Sequence[ScoredChance], bins: Sequence[tuple[int, int]] = BINS
) -> tuple[CalibrationBin, ...]:
    """Count by tenths how many forecasts of a chance came true."""
    filled = []
    for low, high in bins:
        inside = [
            (chance, came_true) for chance, came_true in scored if low <= round_to_tenths(chance) <= high
        ]
        if inside:
            true = sum(came_true for _, came_true in inside)
            mean = sum(chance for chance, _ in inside) / len(inside)
            filled.append(CalibrationBin(low, high, len(inside), true, mean))
    return tuple(filled)


def compute_dates_met(dates: Sequence[tuple[date, date | None]]) -> float | None:
    """Compute the share of forecast dates that were met, from (forecast, happened); None missed its date.

    Leave out work that is still open and not yet due. About 0.85 of P85 dates should be met.
    """
    met = sum(happened is not None and happened <= forecast for forecast, happened in dates)
    return met / len(dates) if dates else None


def compute_coverage(bands: Sequence[tuple[float, float, float]]) -> float | None:
    """Compute the share of outcomes within their bands, bounds included, from (low, high, outcome)."""
    inside = sum(low <= outcome <= high for low, high, outcome in bands)
    return inside / len(bands) if bands else None
