"""Ideas that the product's forecast is compared with, and the steps that led to it."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.forecast.iterations import Case, Forecaster, Sprint, Told

Floats = npt.NDArray[np.float64]
Futures = tuple[Floats, Floats]
"""Points delivered at the end and their weights."""
LAST = 10


def resampled(futures: Callable[[Case], Futures]) -> Forecaster:
    """Chance, median and 10 to 90 % of what an idea draws from, not smoothed or widened."""

    def tell(case: Case) -> Told:
        amounts, weights = futures(case)
        chance = weights[amounts >= case.row.committed - 1e-9].sum() / weights.sum()
        low, middle, high = weighted(amounts, weights, (0.1, 0.5, 0.9))
        return Told(float(chance), middle, low, high)

    return tell


def weighted(amounts: Floats, weights: Floats, levels: Sequence[float]) -> list[float]:
    """Percentiles, straight between the middles of the weights: numpy's own if all weigh the same."""
    order = np.argsort(amounts, kind="stable")
    amounts, weights = amounts[order], weights[order]
    heaped = np.cumsum(weights) - weights
    last = heaped[-1] or 1.0
    return [float(one) for one in np.interp(levels, heaped / last, amounts)]


def base_rate(case: Case) -> Told:
    """How often earlier sprints of the project finished; the median of what they missed the plan by."""
    missed = [one.delivered - one.rows[case.moment].committed for one in case.earlier]
    low, middle, high = (float(one) for one in np.percentile(missed, (10, 50, 90)))
    plan = case.row.committed
    return Told(float(np.mean(np.array(missed) >= 0)), plan + middle, plan + low, plan + high)


def line(case: Case) -> Told:
    """The burndown's line drawn on: as much per day as until now."""
    elapsed = int(case.moment) / 100
    expected = case.row.done / elapsed if elapsed else case.row.committed
    return Told(float(expected >= case.row.committed), expected, expected, expected)


def committed_by_ratio(case: Case) -> Told:
    """Points committed, times what the project delivered of what it committed."""
    plan = sum(one.rows[case.moment].committed for one in case.earlier)
    ratio = sum(one.delivered for one in case.earlier) / plan if plan else 1.0
    expected = case.row.committed * ratio
    return Told(float(ratio >= 1), expected, expected, expected)


def velocity(case: Case) -> Futures:
    """What the last ten sprints delivered, wherever this one stands."""
    return _even(np.array([one.delivered for one in _own(case)[-LAST:]]))


def velocity_of_three(case: Case) -> Futures:
    return _even(np.array([one.delivered for one in _own(case)[-3:]]))


def later(most: int) -> Callable[[Case], Futures]:
    """Done, plus what the last sprints still delivered after the same point."""
    return lambda case: _even(case.row.done + _later(case, _own(case)[-most:]))


def share(most: int) -> Callable[[Case], Futures]:
    """Done, plus the share of the open work that the last sprints still delivered."""
    return lambda case: _even(case.row.done + _share(case, _own(case)[-most:]))


def both(most: int) -> Callable[[Case], Futures]:
    """Half of the one, half of the other."""
    return lambda case: _two(case, _own(case)[-most:], np.ones(len(_own(case)[-most:])))


def alike(*, by_share: bool, prior: float) -> Callable[[Case], Futures]:
    """Both, from 30 sprints, those with open work alike first; other boards weigh as `prior` sprints."""

    def futures(case: Case) -> Futures:
        own, others = case.own[-30:], case.others[-100:] if prior or not case.own else []
        weights = _likeness(case, [*own, *others], by_share=by_share)
        if others:
            weights[len(own) :] *= (prior or 1.0) / weights[len(own) :].sum()
        return _two(case, [*own, *others], weights)

    return futures


def logistic(asked: Sequence[Case]) -> Forecaster:
    """A logistic regression on a few inputs, learnt from all blocks before the one that is told.

    Points are those of `later(10)`: it tells a chance only.
    """
    inputs = np.array([_inputs(case) for case in asked])
    outcomes = np.array([case.is_finished for case in asked], float)
    blocks = np.array([case.block for case in asked])
    counts = np.array([case.row.committed > 0 for case in asked])
    fits = {
        block: _fit(inputs[(blocks < block) & counts], outcomes[(blocks < block) & counts])
        for block in sorted(set(blocks))[1:]
    }
    rest = resampled(later(LAST))

    def tell(case: Case) -> Told:
        told = rest(case)
        if case.block not in fits:
            return told
        chance = 1 / (1 + np.exp(-_inputs(case) @ fits[case.block]))
        return Told(float(chance), told.expected, told.low, told.high)

    return tell


def _inputs(case: Case) -> Floats:
    own = _own(case)[-LAST:]
    enough = float(np.mean(_later(case, own) >= case.row.open))
    finished = float(np.mean([one.delivered >= one.rows[case.moment].committed for one in own]))
    part = case.row.open / max(case.row.committed, 1.0)
    return np.array([1.0, enough, finished, part, np.log1p(case.row.open)])


def _fit(inputs: Floats, outcomes: Floats) -> Floats:
    """Newton's method, with a small penalty so that it ends."""
    found = np.zeros(inputs.shape[1])
    for _ in range(25):
        chances = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (chances - outcomes) + found
        curve = (inputs.T * (chances * (1 - chances))) @ inputs + np.eye(len(found))
        found -= np.linalg.solve(curve, slope)
    return found


def _own(case: Case) -> Sequence[Sprint]:
    """Earlier sprints of the board, or of the project if there is none."""
    return case.own or case.earlier


def _even(amounts: Floats) -> Futures:
    return amounts, np.ones(len(amounts))


def _later(case: Case, sprints: Sequence[Sprint]) -> Floats:
    return np.array([one.delivered - one.rows[case.moment].done for one in sprints])


def _open(case: Case, sprints: Sequence[Sprint]) -> Floats:
    return np.array([one.rows[case.moment].open for one in sprints])


def _share(case: Case, sprints: Sequence[Sprint]) -> Floats:
    amounts, was_open = _later(case, sprints), _open(case, sprints)
    has_share = (was_open > 0) & (case.row.open > 0)
    part = np.maximum(amounts, 0) / np.where(has_share, was_open, 1.0)
    return np.where(has_share, part * case.row.open, amounts)


def _two(case: Case, sprints: Sequence[Sprint], weights: Floats) -> Futures:
    amounts = np.concatenate([_later(case, sprints), _share(case, sprints)])
    return case.row.done + amounts, np.concatenate([weights, weights])


def _likeness(case: Case, sprints: Sequence[Sprint], *, by_share: bool) -> Floats:
    was_open = _open(case, sprints)
    scopes = np.array([one.rows[case.moment].committed for one in sprints])
    distance = (np.log1p(was_open) - np.log1p(case.row.open)) ** 2
    if by_share:
        part = was_open / np.maximum(scopes, 1) - case.row.open / max(case.row.committed, 1)
        distance = distance + (part / 0.3) ** 2
    weights: Floats = np.exp(-distance / 2) + 1e-3
    return weights
