"""The levels and limits of a forecast chart, shared by its picture, its alt text and its Mermaid chart."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from charts.values import ForecastFan
from sprints.burnup import Burnup
from sprints.forecast_amounts import LEVELS, Band
from sprints.forecast_wording import in_words

# A scope more than this many times as high as the fan is cut off, so that the fan stays readable.
_MOST_TIMES = 2.0
# The chance above the 90th percentile: less than 1 in 10, and how much less is not known.
_BEYOND = 0.05


@dataclass(frozen=True, slots=True)
class FanLevel:
    """An amount of work, and the chance (0 to 1) that at least this amount is done at the end."""

    amount: Decimal
    chance: float


def compute_levels(fan: ForecastFan) -> list[FanLevel]:
    """Round the 10th, 50th and 90th percentile of the last day, ascending, and compute their chances.

    No chance contradicts the chance to finish: the whole scope has that one, less has no lower and more no
    higher one. Of amounts whose chances have the same words only the highest is kept. Empty only where no
    working day is left.
    """
    if not fan.days:
        return []
    band, step = compute_bands(fan)[-1], _step(fan)
    low, high = (_rounded(value, step, ROUND_FLOOR) for value in (band.p10, band.p90))
    middle = min(max(_rounded(band.p50, step, ROUND_HALF_EVEN), low), high)
    coming = {amount for amount in (low, middle, high) if amount > get_done(fan)}
    amounts = sorted(coming or {_rounded(float(get_done(fan)), step, ROUND_FLOOR) + step})
    by_words = {in_words(chance): FanLevel(amount, chance) for amount, chance in _chances(fan, band, amounts)}
    return list(by_words.values())


def compute_bands(fan: ForecastFan) -> list[Band]:
    """Return the bands of the days as they are drawn: none begins below the work done, none falls.

    The last one is that of the forecast.
    """
    if not fan.days:
        return []
    done = float(get_done(fan))
    last = [max(value, done) for value in astuple(fan.days[-1].done)]
    so_far, bands = [done] * len(last), list[Band]()
    for day in fan.days:
        risen = [max(pair) for pair in zip(so_far, astuple(day.done), strict=True)]
        so_far = [min(pair) for pair in zip(risen, last, strict=True)]
        bands.append(Band(*so_far))
    return bands


def get_done(fan: ForecastFan) -> Decimal:
    """Return the work that is done now."""
    latest = fan.sprint.latest
    return latest.done if latest and latest.done is not None else Decimal(0)


def get_scope(fan: ForecastFan) -> Decimal:
    """Return the work that is in the sprint now, done or open."""
    latest = fan.sprint.latest
    return latest.scope if latest and latest.scope is not None else fan.sprint.committed


def compute_highest(fan: ForecastFan) -> float:
    """Return the upper end of the picture: all that may be done, and the scope unless it is far above."""
    done = [float(value) for value in Burnup(fan.sprint).done if value is not None]
    scope = [float(value) for value in Burnup(fan.sprint).scope if value is not None]
    reached = max([*done, *(band.p90 for band in compute_bands(fan))], default=0.0)
    if not reached:
        return max(scope, default=0.0)
    return max([reached, *(value for value in scope if value <= _MOST_TIMES * reached)])


def is_scope_cut(fan: ForecastFan) -> bool:
    """Return whether the scope is too far above the fan for the picture to reach it."""
    return float(get_scope(fan)) > compute_highest(fan)


def _step(fan: ForecastFan) -> Decimal:
    """Return the step of amounts: whole, unless the sprint's own are not."""
    is_whole = all(value == int(value) for value in (get_done(fan), get_scope(fan)))
    return Decimal(1) if is_whole else Decimal("0.5")


def _rounded(value: float, step: Decimal, rounding: str) -> Decimal:
    # A whole amount may be slightly less in binary fractions.
    return (Decimal(str(round(value, 6))) / step).quantize(Decimal(1), rounding) * step


def _chances(fan: ForecastFan, band: Band, amounts: Sequence[Decimal]) -> list[tuple[Decimal, float]]:
    """Compute the chance of each amount; all are above the work done."""
    scope, chance = get_scope(fan), fan.chance
    values = list(astuple(band))
    pairs = list[tuple[Decimal, float]]()
    for amount in amounts:
        share = _share_above(values, float(amount))
        if chance is not None:
            share = _agree_with_scope(share, amount.compare(scope), chance)
        pairs.append((amount, share))
    return pairs


def _agree_with_scope(share: float, side: Decimal, chance: float) -> float:
    """Return the chance of an amount below, at or above the scope (`side` -1, 0, 1), which has `chance`."""
    if not side:
        return chance
    return max(share, chance) if side < 0 else min(share, chance)


def _share_above(values: Sequence[float], amount: float) -> float:
    """Interpolate the chance of an amount or more between percentiles, at most the lowest percentile's."""
    above = [round(1 - level, 6) for level in LEVELS]
    first, after = bisect_left(values, amount), bisect_right(values, amount)
    if first == len(values):
        return _BEYOND
    if first < after or not first:
        return above[first]
    part = (amount - values[first - 1]) / (values[first] - values[first - 1])
    return above[first - 1] + part * (above[first] - above[first - 1])
