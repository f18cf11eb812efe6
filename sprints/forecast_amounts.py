"""How much may be done by the end of each coming day, in keeping with the chance to finish.

A past sprint offers two futures: that as much is done as was done then, and that as large a part of the open
work is done as was then. Either alone is worse (`benchmarks/forecast`). All of them are used, so that the
answer has no noise of its own; only days are drawn at random. Definitions: docs/metrics.md, “Forecasts”.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sprints.forecast_draws import TOLERANCE, Floats, History, Now, PastWork, draw_days, past_work

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)

# How alike a past sprint must be: open work within a factor of about e, open share within 30 % of the scope.
# No sprint is passed over altogether.
_SIZE_WIDTH, _SHARE_WIDTH, _LEAST_WEIGHT = 1.0, 0.3, 1e-3
# Early in a sprint amounts of past ones tell more, late the share of what was open: its part at the start,
# and how much it grows until the end.
_SHARES_AT_START, _SHARES_GROW_BY = 0.35, 0.35
# A team with few sprints has not shown yet what it can do: with one, twice its record is possible.
_ROOM = 1.0
# Two futures for each sprint lie further apart than outcomes do, above all below the middle and late.
_SPREAD_BELOW, _SPREAD_ABOVE, _SPREAD_SHRINKS = 0.64, 0.95, 0.08
# So many days of a fan are computed at most.
_MOST_STEPS = 60
# What does not reach the open work lies below it, however little, so that no rounding makes it reach.
_JUST_BELOW = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Band:
    """Percentiles of an amount, in ascending order: 80 % of outcomes should lie from `p10` to `p90`."""

    p10: float
    p25: float
    p50: float
    p75: float
    p90: float


def amounts_by_day(now: Now, history: History, seed: int, chance: float) -> list[Band]:
    """Work done at the end of each coming working day, one band at least: the last is that of the end.

    It stays within what the team has shown it can do, but for a scope beyond that which the chance still
    reaches. The last band agrees with `chance`: a scope told as less than 1 in 10 lies above `p90`.
    """
    return [Band(*edge) for edge in _edges(now, history, seed, chance, LEVELS, _steps(now))]


def amounts_at_end(now: Now, history: History, seed: int, chance: float) -> Band:
    """The last of `amounts_by_day` alone. Raises LookupError without any past."""
    (edge,) = _edges(now, history, seed, chance, LEVELS, _steps(now)[-1:])
    return Band(*edge)


def amount_at(now: Now, history: History, seed: int, chance: float, level: float) -> float:
    """The percentile `level` (0 to 1) of the work done at the end, in keeping with `chance`.

    Raises LookupError without any past.
    """
    ((amount,),) = _edges(now, history, seed, chance, (level,), _steps(now)[-1:])
    return amount


def _steps(now: Now) -> list[int]:
    """The coming working days, by number; one at least. The last is the end."""
    return list(range(1, max(now.days_left, 1) + 1))


def _edges(
    now: Now, history: History, seed: int, chance: float, levels: Sequence[float], days: Sequence[int]
) -> list[list[float]]:
    """Work done at each level by the end of each of these days, of which the last is the sprint's."""
    # Between many days a line does.
    steps = [days[round(place)] for place in np.linspace(0, len(days) - 1, min(len(days), _MOST_STEPS))]
    shares = now.share + (1 - now.share) * np.array([0, *steps]) / steps[-1]
    past = past_work(now, history, shares, seed)
    if past is None:
        raise LookupError("there is no past to take amounts from")
    later, weights = _futures(now, past, _later(now, past, history, seed, steps))
    spread = [_spread(level, now.share, is_of_days=not past.is_of_sprints) for level in levels]
    edges = np.array([[_quantile(amounts, weights, level) for level in spread] for amounts in later.T])
    edges = np.minimum(np.maximum.accumulate(edges, axis=0), edges[-1])
    edges = _in_keeping(edges, np.array(levels), np.array(steps) / steps[-1], now.remaining, chance)
    by_day = np.array([np.interp(days, steps, edge) for edge in edges.T]).T
    return [[float(now.done + amount) for amount in edge] for edge in by_day]


def _later(now: Now, past: PastWork, history: History, seed: int, steps: Sequence[int]) -> Floats:
    """What each past sprint (rows) still did until the end of each of these coming days (columns)."""
    later = past.done[:, 1:] - past.done[:, :1]
    if past.drawn:
        drawn = draw_days(history.days, now.days_left, seed)
        later[-past.drawn :] = drawn[[min(step, len(drawn)) - 1 for step in steps]].T
    return later.clip(min=0.0)


def _futures(now: Now, past: PastWork, later: Floats) -> tuple[Floats, Floats]:
    """Both futures of each past sprint, and their weights."""
    as_long = past.scaled(later)
    most = _record(now, past, as_long)
    still_open = min(now.remaining, most)
    was_open = np.maximum(past.scope[:, 0] - past.done[:, 0], 0.0)
    as_amount = np.minimum(as_long, now.remaining + _added(now, past, later[:, -1:], was_open))
    # Where nothing was open then, or is now, there is no share to speak of.
    has_share = np.isfinite(was_open) & (was_open > 0) & (still_open > 0)
    factor = still_open / np.where(has_share, was_open, 1.0)
    as_share = np.where(has_share[:, None], later * factor[:, None], as_amount)
    weights = _likeness(still_open, now.done, past, was_open)
    share = _SHARES_AT_START + _SHARES_GROW_BY * now.share
    futures = np.concatenate([as_amount, as_share]).clip(max=most)
    return futures, np.concatenate([weights * (1 - share), weights * share])


def _added(now: Now, past: PastWork, later: Floats, was_open: Floats) -> Floats:
    """What may come on top of what is open, by each past sprint: work that is not there cannot be done.

    As much as came into that sprint or was done beyond what it held; where that is unknown, as much again.
    """
    growth = np.where(np.isfinite(past.scope_at_end), past.growth[:, 0], now.remaining)
    beyond = later[:, 0] - was_open
    return past.scaled(np.maximum(np.maximum(growth, beyond), 0.0)[:, None])


def _record(now: Now, past: PastWork, later: Floats) -> float:
    """The most that the team can be expected to do until the end, by what it did in as much time before."""
    is_finished = (past.delivered >= past.scope[:, 0] - TOLERANCE)[:, None]
    could_do = past.could_do(later[:, -1:], np.array([now.share]), is_finished)[: past.record]
    room = _ROOM / past.own if past.own and past.record == past.own else 0.0
    return float(could_do.max() * (1 + room))


def _likeness(still_open: float, done: float, past: PastWork, was_open: Floats) -> Floats:
    """The weight of each past sprint: the more, the more alike its open work and the open part of it are."""
    is_sprint = np.isfinite(was_open)
    was_open, scope = np.where(is_sprint, was_open, 0.0), np.where(is_sprint, past.scope[:, 0], 1.0)
    size = (np.log1p(was_open) - np.log1p(still_open)) / _SIZE_WIDTH
    share = (was_open / scope.clip(min=1.0) - still_open / max(still_open + done, 1.0)) / _SHARE_WIDTH
    alike = np.where(is_sprint, np.exp(-(size**2 + share**2) / 2) + _LEAST_WEIGHT, 1.0)
    return past.with_prior(alike)


def _spread(level: float, elapsed: float, *, is_of_days: bool) -> float:
    """The percentile of the futures at which a percentile of outcomes lies."""
    if is_of_days:  # Drawn days lie closer together than outcomes do.
        return level
    spread = (_SPREAD_BELOW if level < 0.5 else _SPREAD_ABOVE) - _SPREAD_SHRINKS * elapsed
    return 0.5 + (level - 0.5) * spread


def _in_keeping(edges: Floats, levels: Floats, elapsed: Floats, left: float, chance: float) -> Floats:
    """The edges (days × levels) bent so that at the end as much as is left is reached as often as is told."""
    if left <= 0:
        return edges
    reaches = levels > 1 - chance
    ends = np.where(reaches, np.maximum(edges[-1], left), np.minimum(edges[-1], left * _JUST_BELOW))
    # An edge that never rose has no shape of its own: it rises evenly.
    shape = np.where(edges[-1] > 0, edges / np.where(edges[-1] > 0, edges[-1], 1.0), elapsed[:, None])
    return np.maximum.accumulate(shape * ends, axis=1)


def _quantile(values: Floats, weights: Floats, level: float) -> float:
    """The smallest value that at least a share `level` of the weight does not exceed (nearest rank)."""
    order = np.argsort(values, kind="stable")
    heaped = np.cumsum(weights[order])
    place = np.searchsorted(heaped, level * heaped[-1] * (1 - 1e-12))
    return float(values[order][min(int(place), len(values) - 1)])
