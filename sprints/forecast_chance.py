"""The chance that a sprint is finished, by the evidence of past sprints.

A past sprint is evidence for an amount of work if it delivered more after the same point, and against it if
it delivered less and left something undone; a sprint that ran out of work is neither. How this was chosen,
and its results on real sprints: `benchmarks/forecast`. Definitions: docs/metrics.md, “Forecasts”.
"""

from dataclasses import replace

import numpy as np

from sprints.forecast_inputs import TOLERANCE, Floats, ForecastHistory, PastWork, RunningSprint, arrange_past

# The evidence is weighed at each of these shares elapsed; between them the chance is interpolated.
SHARES = np.linspace(0.0, 1.0, 41)

# By how much evidence fades with distance: half of what was delivered is 16 : 1 in favour, twice is 1 : 16.
_STEEPNESS = 4.0
# A sprint in the other situation (nothing done yet, or something done) has half the weight.
_OTHER_SITUATION_WEIGHT = 0.5
# The prior without evidence: 6 in 10 for little work, falling to 3 in 10 for the usual amount. It has the
# weight of half a sprint.
_BASE_CHANCE, _BASE_WEIGHT = 0.6, 0.5
# The logistic correction, fitted over all teams on earlier sprints. Odds are a little less extreme than the
# evidence; a team that finished its last sprints is likelier to finish; late in a running sprint, the
# remaining work of a team that rarely finishes tends to stay open.
_SLOPE, _RECENT_WEIGHT, _LEFTOVERS = 0.75, 0.15, 2.7
# The half-life, in sprints, of the recent finish rate, and the finish rate that changes nothing.
_HALF_LIFE, _USUALLY_FINISHED = 3.0, 0.27
# Sprints exceed the record in about one of ten cases, unless the amount is out of reach (from about five
# times the record).
_SURPRISE, _OUT_OF_REACH = 0.095, 5.0
# Beyond the team's record after this point, the chance is limited more and more, to less than one in ten for
# half as much again.
_OUT_OF_RECORD, _LIMIT = 1.5, 0.0999
_LEAST = 1e-4
# The usual length of a sprint in working days, where no past sprint is known.
_USUAL_DAYS = 10.0


def compute_chance(
    now: RunningSprint, history: ForecastHistory, seed: int, *, with_growth: bool = False
) -> float | None:
    """Compute the chance (0 to 1) that the present scope of the sprint is done at its end.

    1 only if nothing is open, 0 only if no time is left. More open work or less time never raises it, more
    done never lowers it. `with_growth`: with the work that will be added or removed, as in past sprints; None
    where their scope is unknown. None without any past.
    """
    past = arrange_past(now, history, SHARES, seed)
    if past is None or (with_growth and np.isnan(past.scope_at_end).any()):
        return None
    if now.remaining <= 0:
        return 1.0
    if now.share >= 1:
        return 0.0
    finish_rate = _recent_finish_rate(history)
    chances = _chances(past, now, finish_rate, with_growth=with_growth)
    if now.done > 0:
        # With some of the same sprint done, the chance is never lower than with nothing done.
        untouched = _chances(past, replace(now, done=0.0), finish_rate, with_growth=with_growth)
        chances = np.maximum(chances, untouched)
    # With the same work left, more time never lowers the chance.
    return float(np.interp(now.share, SHARES, np.minimum.accumulate(chances)))


def _chances(past: PastWork, now: RunningSprint, finish_rate: float, *, with_growth: bool) -> Floats:
    """Compute the chance to finish the open work, for each elapsed share, judged by past sprints then."""
    left, has_begun = now.remaining, now.done > 0
    later, to_do = past.delivered[:, None] - past.done, past.scope
    if with_growth:
        later, to_do = later - past.growth, past.scope + past.growth
    is_finished = past.delivered[:, None] >= to_do - TOLERANCE
    later = past.scaled(past.could_do(later.clip(min=0.0), SHARES, is_finished))
    support = _support(later, left, _STEEPNESS * np.sqrt(past.stretch))
    weights = _weights(past, has_begun)
    usual = np.average(later, axis=0, weights=past.weights)
    base = _BASE_CHANCE * np.where(usual > 0, 1 / (1 + (left / np.maximum(usual, _LEAST)) ** 2), 0.0)
    in_favour = (weights * support).sum(axis=0) + base * _BASE_WEIGHT
    against = (weights * ~is_finished * (1 - support)).sum(axis=0) + (1 - base) * _BASE_WEIGHT
    share = np.clip(in_favour / (in_favour + against), _LEAST, 1 - _LEAST)
    odds = _SLOPE * _logit(share) + _RECENT_WEIGHT * (_logit(finish_rate) - _logit(_USUALLY_FINISHED))
    if has_begun:
        odds -= _LEFTOVERS * (1 - finish_rate) * SHARES**3
    # Within the time of several sprints, little work is nearly certain, however few sprints are known.
    is_little = (2 * np.average(support, axis=0, weights=weights) - 1).clip(min=0.0)
    odds += np.log(_sprints_long(now, past)) * is_little
    return _limit_by_record(1 / (1 + np.exp(-odds)), later[: past.record].max(axis=0), left, past.stretch)


def _support(later: Floats, left: float, steepness: float) -> Floats:
    """Weigh how much each past sprint supports an amount: 1 if it did far more, half if it did as much.

    In a sprint as long as several past ones, variation evens out, so that evidence fades faster.
    """
    ratio = left / np.maximum(later, _LEAST * left)
    return np.where(later > 0, 1 / (1 + ratio**steepness), 0.0)


def _weights(past: PastWork, has_begun: bool) -> Floats:
    """Weigh each past sprint at each share: sprints in the same situation count twice."""
    stood_alike = (past.done > 0) == has_begun
    return past.with_prior(np.where(stood_alike, 1.0, _OTHER_SITUATION_WEIGHT))


def _sprints_long(now: RunningSprint, past: PastWork) -> float:
    """Return how many usual sprints this one lasts, at least one."""
    factors = np.nan_to_num(past.factors, nan=1.0)
    if past.drawn:
        factors[-past.drawn :] = (now.working_days or now.days_left) / _USUAL_DAYS
    return max(float(np.average(factors, weights=past.weights)), 1.0)


def _recent_finish_rate(history: ForecastHistory) -> float:
    """Return the share of the team's sprints that were finished, weighted towards the latest."""
    finished = np.array([sprint.is_finished for sprint in history.own], float)[::-1]
    weights = 0.5 ** (np.arange(len(finished)) / _HALF_LIFE)
    return float(((weights * finished).sum() + 0.3) / (weights.sum() + 1))


def _limit_by_record(chances: Floats, most: Floats, left: float, stretch: float) -> Floats:
    """Limit the chances at each share by the team's record, `most`.

    There is room for a surprise, but less than one in ten for half as much again, or for less beyond the
    record in a sprint as long as several.
    """
    ratio = left / np.maximum(most, _LEAST * left)
    chances = np.maximum(chances, _SURPRISE / (1 + (ratio / _OUT_OF_REACH) ** 2))
    beyond = (ratio - 1) / (_OUT_OF_RECORD - 1) * np.sqrt(stretch)
    limits: Floats = np.power(_LIMIT, beyond.clip(0.0, 1.0))
    return np.minimum(chances, limits)


def _logit(share: Floats | float) -> Floats:
    return np.log(share / (1 - np.asarray(share)))
