"""The amounts that may be done by the end of each coming day, in agreement with the chance to finish.

Each past sprint gives two futures: one in which as much is done as then, and one in which as large a part of
the open work is done as then. Either alone is worse (`benchmarks/forecast`). All of them are used, so that
the result has no noise of its own; only days are drawn at random. Definitions: docs/metrics.md, “Forecasts”.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sprints.forecast_inputs import (
    TOLERANCE,
    Floats,
    ForecastHistory,
    PastWork,
    RunningSprint,
    arrange_past,
    draw_days,
)

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)

# The widths of similarity: open work within a factor of about e, open share within 30 % of the scope.
# No sprint is ignored altogether.
_SIZE_WIDTH, _SHARE_WIDTH, _LEAST_WEIGHT = 1.0, 0.3, 1e-3
# Early in a sprint the amounts of past ones are better, late the shares of the open work: the weight of the
# shares at the start, and its growth until the end.
_SHARES_AT_START, _SHARES_GROW_BY = 0.35, 0.35
# A team with few sprints may exceed its record: with one sprint, twice the record is possible.
_ROOM = 1.0
# Two futures of each sprint spread wider than outcomes do, mostly below the median and late in the sprint.
_SPREAD_BELOW, _SPREAD_ABOVE, _SPREAD_SHRINKS = 0.64, 0.95, 0.08
# The most days of a fan that are computed; others are interpolated.
_MOST_STEPS = 60
# An amount that does not reach the open work is kept below it, so that no rounding makes it reach.
_JUST_BELOW = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Band:
    """Percentiles of an amount, in ascending order: 80 % of outcomes should lie from `p10` to `p90`."""

    p10: float
    p25: float
    p50: float
    p75: float
    p90: float


def forecast_amounts_by_day(
    now: RunningSprint, history: ForecastHistory, seed: int, chance: float
) -> list[Band]:
    """Forecast the work done at the end of each coming working day, at least one band; the last is the end's.

    It stays within the team's record, except for a scope beyond it that the chance still reaches. The last
    band agrees with `chance`: a scope with less than 1 in 10 lies above `p90`.
    """
    return [Band(*edge) for edge in _edges(now, history, seed, chance, LEVELS, _steps(now))]


def forecast_amounts_at_end(now: RunningSprint, history: ForecastHistory, seed: int, chance: float) -> Band:
    """Return only the last band of `forecast_amounts_by_day`. Raises LookupError without any past."""
    (edge,) = _edges(now, history, seed, chance, LEVELS, _steps(now)[-1:])
    return Band(*edge)


def forecast_amount(
    now: RunningSprint, history: ForecastHistory, seed: int, chance: float, level: float
) -> float:
    """Forecast the percentile `level` (0 to 1) of the work done at the end, in agreement with `chance`.

    Raises LookupError without any past.
    """
    ((amount,),) = _edges(now, history, seed, chance, (level,), _steps(now)[-1:])
    return amount


def _steps(now: RunningSprint) -> list[int]:
    """Number the coming working days, at least one. The last is the end."""
    return list(range(1, max(now.days_left, 1) + 1))


def _edges(
    now: RunningSprint,
    history: ForecastHistory,
    seed: int,
    chance: float,
    levels: Sequence[float],
    days: Sequence[int],
) -> list[list[float]]:
    """Forecast the work done at each level by the end of each of these days; the last day is the sprint's."""
    # With many days, only some are computed, and the others interpolated.
    steps = [days[round(place)] for place in np.linspace(0, len(days) - 1, min(len(days), _MOST_STEPS))]
    shares = now.share + (1 - now.share) * np.array([0, *steps]) / steps[-1]
    past = arrange_past(now, history, shares, seed)
    if past is None:
        raise LookupError("there is no past to take amounts from")
    later_work, weights = _futures(now, past, _work_after(now, past, history, seed, steps))
    spread = [_spread(level, now.share, is_of_days=not past.is_of_sprints) for level in levels]
    edges = np.array([[_quantile(amounts, weights, level) for level in spread] for amounts in later_work.T])
    edges = np.minimum(np.maximum.accumulate(edges, axis=0), edges[-1])
    edges = _agree_with_chance(edges, np.array(levels), np.array(steps) / steps[-1], now.remaining, chance)
    by_day = np.array([np.interp(days, steps, edge) for edge in edges.T]).T
    return [[float(now.done + amount) for amount in edge] for edge in by_day]


def _work_after(
    now: RunningSprint, past: PastWork, history: ForecastHistory, seed: int, steps: Sequence[int]
) -> Floats:
    """Return the work of each past sprint (rows) until the end of each of these coming days (columns)."""
    work = past.done[:, 1:] - past.done[:, :1]
    if past.drawn:
        drawn = draw_days(history.days, now.days_left, seed)
        work[-past.drawn :] = drawn[[min(step, len(drawn)) - 1 for step in steps]].T
    return work.clip(min=0.0)


def _futures(now: RunningSprint, past: PastWork, later: Floats) -> tuple[Floats, Floats]:
    """Return both futures of each past sprint, and their weights."""
    as_long = past.scaled(later)
    record = _record(now, past, as_long)
    still_open = min(now.remaining, record)
    was_open = np.maximum(past.scope[:, 0] - past.done[:, 0], 0.0)
    as_amount = np.minimum(as_long, now.remaining + _added_work(now, past, later[:, -1:], was_open))
    # Where nothing was open then, or nothing is open now, there is no share.
    has_share = np.isfinite(was_open) & (was_open > 0) & (still_open > 0)
    factor = still_open / np.where(has_share, was_open, 1.0)
    as_share = np.where(has_share[:, None], later * factor[:, None], as_amount)
    weights = _similarity(still_open, now.done, past, was_open)
    share = _SHARES_AT_START + _SHARES_GROW_BY * now.share
    futures = np.concatenate([as_amount, as_share]).clip(max=record)
    return futures, np.concatenate([weights * (1 - share), weights * share])


def _added_work(now: RunningSprint, past: PastWork, later: Floats, was_open: Floats) -> Floats:
    """Estimate from each past sprint the work that may be added: only open or added work can be done.

    It is as much as was added to that sprint or done beyond its scope; where that is unknown, as much again.
    """
    growth = np.where(np.isfinite(past.scope_at_end), past.growth[:, 0], now.remaining)
    done_beyond_scope = later[:, 0] - was_open
    return past.scaled(np.maximum(np.maximum(growth, done_beyond_scope), 0.0)[:, None])


def _record(now: RunningSprint, past: PastWork, later: Floats) -> float:
    """Return the most that the team may do until the end, by its work in as much time before."""
    is_finished = (past.delivered >= past.scope[:, 0] - TOLERANCE)[:, None]
    could_do = past.could_do(later[:, -1:], np.array([now.share]), is_finished)[: past.record]
    room = _ROOM / past.own if past.own and past.record == past.own else 0.0
    return float(could_do.max() * (1 + room))


def _similarity(still_open: float, done: float, past: PastWork, was_open: Floats) -> Floats:
    """Weigh each past sprint by how similar its open work and the open share of its scope are."""
    is_sprint = np.isfinite(was_open)
    was_open, scope = np.where(is_sprint, was_open, 0.0), np.where(is_sprint, past.scope[:, 0], 1.0)
    size = (np.log1p(was_open) - np.log1p(still_open)) / _SIZE_WIDTH
    share = (was_open / scope.clip(min=1.0) - still_open / max(still_open + done, 1.0)) / _SHARE_WIDTH
    alike = np.where(is_sprint, np.exp(-(size**2 + share**2) / 2) + _LEAST_WEIGHT, 1.0)
    return past.with_prior(alike)


def _spread(level: float, elapsed: float, *, is_of_days: bool) -> float:
    """Return the percentile of the futures that corresponds to a percentile of outcomes."""
    if is_of_days:  # Drawn days spread less than outcomes do.
        return level
    spread = (_SPREAD_BELOW if level < 0.5 else _SPREAD_ABOVE) - _SPREAD_SHRINKS * elapsed
    return 0.5 + (level - 0.5) * spread


def _agree_with_chance(edges: Floats, levels: Floats, elapsed: Floats, left: float, chance: float) -> Floats:
    """Bend the edges (days × levels) so that at the end the remaining work is reached with this chance."""
    if left <= 0:
        return edges
    reaches = levels > 1 - chance
    ends = np.where(reaches, np.maximum(edges[-1], left), np.minimum(edges[-1], left * _JUST_BELOW))
    # An edge that never rises has no shape of its own, so it rises evenly.
    shape = np.where(edges[-1] > 0, edges / np.where(edges[-1] > 0, edges[-1], 1.0), elapsed[:, None])
    return np.maximum.accumulate(shape * ends, axis=1)


def _quantile(values: Floats, weights: Floats, level: float) -> float:
    """Return the smallest value that a share `level` of the weight does not exceed (nearest rank)."""
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order])
    index = np.searchsorted(cumulative, level * cumulative[-1] * (1 - 1e-12))
    return float(values[order][min(int(index), len(values) - 1)])
