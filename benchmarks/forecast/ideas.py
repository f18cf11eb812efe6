"""Ideas that the product's forecast is compared with, and the steps that led to it."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.forecast.iterations import MOMENTS, Case, Forecaster, Sprint, Told

Floats = npt.NDArray[np.float64]
Futures = tuple[Floats, Floats]
"""Points delivered at the end and their weights."""
LAST = 10
BASE_RATE, LEAST_ITEMS = 0.4, 10
# Logarithms need more than nothing delivered.
LEAST_DELIVERED = 0.5


def resampled(futures: Callable[[Case], Futures]) -> Forecaster:
    """Chance, median and 10 to 90 % of what an idea draws from, not smoothed or widened."""

    def predict(case: Case) -> Told:
        amounts, weights = futures(case)
        chance = weights[amounts >= case.row.committed - 1e-9].sum() / weights.sum()
        low, middle, high = weighted(amounts, weights, (0.1, 0.5, 0.9))
        return Told(float(chance), middle, low, high)

    return predict


def weighted(amounts: Floats, weights: Floats, levels: Sequence[float]) -> list[float]:
    """Percentiles, straight between the middles of the weights: numpy's own if all weigh the same."""
    order = np.argsort(amounts, kind="stable")
    amounts, weights = amounts[order], weights[order]
    heaped = np.cumsum(weights) - weights
    last = heaped[-1] or 1.0
    return [float(value) for value in np.interp(levels, heaped / last, amounts)]


def base_rate(case: Case) -> Told:
    """How often earlier sprints of the project finished; the median of what they missed the plan by."""
    missed = [sprint.delivered - sprint.rows[case.moment].committed for sprint in case.earlier]
    low, middle, high = (float(value) for value in np.percentile(missed, (10, 50, 90)))
    plan = case.row.committed
    return Told(float(np.mean(np.array(missed) >= 0)), plan + middle, plan + low, plan + high)


def line(case: Case) -> Told:
    """The burndown's line drawn on: as much per day as until now."""
    elapsed = int(case.moment) / 100
    expected = case.row.done / elapsed if elapsed else case.row.committed
    return Told(float(expected >= case.row.committed), expected, expected, expected)


def committed_by_ratio(case: Case) -> Told:
    """Points committed, times what the project delivered of what it committed."""
    plan = sum(sprint.rows[case.moment].committed for sprint in case.earlier)
    ratio = sum(sprint.delivered for sprint in case.earlier) / plan if plan else 1.0
    expected = case.row.committed * ratio
    return Told(float(ratio >= 1), expected, expected, expected)


def velocity(case: Case) -> Futures:
    """What the last ten sprints delivered, wherever this one stands."""
    return _even(np.array([sprint.delivered for sprint in _own(case)[-LAST:]]))


def velocity_of_three(case: Case) -> Futures:
    return _even(np.array([sprint.delivered for sprint in _own(case)[-3:]]))


def later(most: int) -> Callable[[Case], Futures]:
    """Done, plus what the last sprints still delivered after the same point."""
    return lambda case: _even(case.row.done + _later(case, _own(case)[-most:]))


def later_by_days(most: int) -> Callable[[Case], Futures]:
    """Done, plus what the last sprints still delivered, times how much longer this one is planned to take."""

    def futures(case: Case) -> Futures:
        sprints = _own(case)[-most:]
        longer = np.array([_times_longer(case.sprint, sprint) for sprint in sprints])
        return _even(case.row.done + _later(case, sprints) * longer)

    return futures


def _times_longer(sprint: Sprint, past: Sprint) -> float:
    """The ratio of their planned days, a fourth to four; 1 if unknown."""
    if not sprint.planned_days or not past.planned_days:
        return 1.0
    return min(max(sprint.planned_days / past.planned_days, 0.25), 4.0)


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


def weighted_futures(case: Case) -> Told:
    """The product's method until 2026-11: `alike` in size and share, toward a base rate of 4 in 10.

    Other boards weigh as three sprints, and the base rate as one. The band is cut at the 26th and the 86th
    percentile by nearest rank. Fewer than ten finished items: the base rate and the plan stand in.
    """
    if sum(sprint.rows[MOMENTS[-1]].items_done for sprint in case.earlier) < LEAST_ITEMS:
        return Told(BASE_RATE, case.row.committed, 0.0, case.row.committed)
    amounts, weights = alike(by_share=True, prior=3)(case)
    # Each sprint has two futures, half a sprint's weight each.
    weights = weights / 2
    enough = float(weights[amounts - case.row.done >= case.row.open - 1e-9].sum())
    chance = (enough + BASE_RATE) / (float(weights.sum()) + 1) if case.row.open else 1.0
    low, middle, high = (nearest_rank(amounts.clip(min=0), weights, level) for level in (0.26, 0.5, 0.86))
    return Told(chance, middle, low, high)


def nearest_rank(amounts: Floats, weights: Floats, level: float) -> float:
    """The smallest amount that at least a share `level` of the weight does not exceed."""
    order = np.argsort(amounts, kind="stable")
    cumulative = np.cumsum(weights[order])
    place = int(np.searchsorted(cumulative, level * cumulative[-1] * (1 - 1e-12)))
    return float(amounts[order][min(place, len(amounts) - 1)])


def logistic(asked: Sequence[Case]) -> Forecaster:
    """A logistic regression on a few inputs, fitted on all blocks before the forecast's own.

    Points are those of `later(10)`: it forecasts a chance only.
    """
    return _regression(asked, resampled(later(LAST)), _inputs, start=np.zeros(5))


def corrected(forecaster: Forecaster) -> Callable[[Sequence[Case]], Forecaster]:
    """The chances of an idea, corrected for the load by a logistic regression on all blocks before.

    Inputs: logit of the chance, log(open ÷ mean delivered after this point) and
    max(0, log(open ÷ most delivered)). Without evidence the chance stays as it is.
    """

    def inputs(case: Case) -> Floats:
        chance = min(max(forecaster(case).chance, 0.01), 0.99)
        delivered = np.maximum(_later(case, _own(case)), LEAST_DELIVERED)
        open_work = max(case.row.open, LEAST_DELIVERED)
        overload = max(0.0, np.log(open_work / delivered.max()))
        return np.array([1.0, np.log(chance / (1 - chance)), np.log(open_work / delivered.mean()), overload])

    return lambda asked: _regression(asked, forecaster, inputs, start=np.array([0.0, 1.0, 0.0, 0.0]))


def _regression(
    asked: Sequence[Case], rest: Forecaster, inputs_of: Callable[[Case], Floats], start: Floats
) -> Forecaster:
    """Chances of a logistic regression fitted forward in time; `rest` forecasts the points.

    The first block, before which nothing was fitted, and sprints with nothing open have the chance of `rest`.
    """
    inputs = np.array([inputs_of(case) for case in asked])
    outcomes = np.array([case.is_finished for case in asked], float)
    blocks = np.array([case.block for case in asked])
    counts = np.array([case.row.open > 0 for case in asked], bool)
    fits = {
        block: _fit(inputs[(blocks < block) & counts], outcomes[(blocks < block) & counts], start)
        for block in sorted(set(blocks))[1:]
    }

    def predict(case: Case) -> Told:
        answer = rest(case)
        if case.block not in fits or not case.row.open:
            return answer
        chance = float(_chances(inputs_of(case), fits[case.block]))
        return Told(chance, answer.expected, answer.low, answer.high)

    return predict


def _inputs(case: Case) -> Floats:
    own = _own(case)[-LAST:]
    enough = float(np.mean(_later(case, own) >= case.row.open))
    finished = float(np.mean([sprint.delivered >= sprint.rows[case.moment].committed for sprint in own]))
    part = case.row.open / max(case.row.committed, 1.0)
    return np.array([1.0, enough, finished, part, np.log1p(case.row.open)])


def _fit(inputs: Floats, outcomes: Floats, start: Floats) -> Floats:
    """Minimise log loss by Newton's method, with a small penalty on the distance from `start`."""
    weights, loss = start.copy(), _loss(inputs, outcomes, start, start)
    for _ in range(25):
        chances = _chances(inputs, weights)
        slope = inputs.T @ (chances - outcomes) + weights - start
        curve = (inputs.T * (chances * (1 - chances))) @ inputs + np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        # Far from the minimum a whole step may lead further away.
        while (new_loss := _loss(inputs, outcomes, weights - step, start)) > loss and abs(step).max() > 1e-9:
            step = step / 2
        weights, loss = weights - step, min(new_loss, loss)
    return weights


def _chances(inputs: Floats, weights: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30))), float)


def _loss(inputs: Floats, outcomes: Floats, weights: Floats, start: Floats) -> float:
    chances = _chances(inputs, weights)
    log_loss = -np.sum(np.log(np.where(outcomes > 0, chances, 1 - chances)))
    return float(log_loss + ((weights - start) ** 2).sum() / 2)


def _own(case: Case) -> Sequence[Sprint]:
    """Earlier sprints of the board, or of the project if there is none."""
    return case.own or case.earlier


def _even(amounts: Floats) -> Futures:
    return amounts, np.ones(len(amounts))


def _later(case: Case, sprints: Sequence[Sprint]) -> Floats:
    return np.array([sprint.delivered_after(case.moment) for sprint in sprints])


def _open(case: Case, sprints: Sequence[Sprint]) -> Floats:
    return np.array([sprint.rows[case.moment].open for sprint in sprints])


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
    scopes = np.array([sprint.rows[case.moment].committed for sprint in sprints])
    distance = (np.log1p(was_open) - np.log1p(case.row.open)) ** 2
    if by_share:
        part = was_open / np.maximum(scopes, 1) - case.row.open / max(case.row.committed, 1)
        distance = distance + (part / 0.3) ** 2
    weights: Floats = np.exp(-distance / 2) + 1e-3
    return weights
