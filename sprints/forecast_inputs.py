"""The inputs of a forecast: a running sprint and its history, and the history side by side as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

# Sums of tenths must not keep a sprint from counting as done.
TOLERANCE = 1e-9

# The sprints of others weigh as three of the team's own, however many they are, so that its own soon prevail.
PRIOR_WEIGHT = 3.0
MOST_OWN, MOST_OTHERS, DAY_DRAWS = 30, 100, 400
# Fewer sprints than this are too few to rely on.
FEW_SPRINTS = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """A sprint at a share `elapsed` (0 to 1) of its working days: work done, and all work in it."""

    elapsed: float
    done: float
    scope: float


@dataclass(frozen=True, slots=True)
class PastSprint:
    """A finished sprint: its moments, at least one, and its result.

    `delivered` is the work done at the end, including work added on the way; `scope_at_end` all that was in
    it then, None if that is unknown. Amounts are points or items, the same for all sprints of a forecast.
    `working_days` is its length, None if that is unknown: then it counts as long as any other.
    """

    moments: tuple[Moment, ...]
    delivered: float
    scope_at_end: float | None = None
    working_days: int | None = None

    @property
    def is_finished(self) -> bool:
        """Whether all of its scope was done at the end, by the recorded events."""
        scope = self.moments[-1].scope if self.scope_at_end is None else self.scope_at_end
        return self.delivered >= scope - TOLERANCE


@dataclass(frozen=True, slots=True)
class RunningSprint:
    """A running sprint at this moment, in the same unit as the past sprints.

    `elapsed` is the share of its working days that is over (0 to 1), `days_left` the number of those to come,
    today included while it lasts, `working_days` its length (None: as long as past sprints).
    """

    elapsed: float
    done: float
    scope: float
    days_left: int
    working_days: int | None = None

    @property
    def share(self) -> float:
        """The share elapsed: 1 once no working days are left, whatever days off remain."""
        return self.elapsed if self.days_left else 1.0

    @property
    def remaining(self) -> float:
        """The work in the sprint that is not done."""
        left = self.scope - self.done
        return left if left > TOLERANCE else 0.0


@dataclass(frozen=True, slots=True)
class ForecastHistory:
    """The data that a forecast may learn from, all of it before the moment of the forecast, oldest first.

    `own` are the team's finished sprints, `others` those of other teams of the project. `days` is the work
    done on each past working day, days without any included, in the forecast's unit. `finished_items` counts
    the items done in all of it.
    """

    finished_items: int
    own: Sequence[PastSprint] = ()
    others: Sequence[PastSprint] = ()
    days: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class PastWork:
    """The past as arrays: one row for each past sprint, or for each future drawn from past days.

    `done` and `scope` (rows × shares) are the work done, and in the sprint, at shares elapsed that the caller
    chose, `delivered` the work done at the end. `weights` are 1 for the team's own sprints, the first `own`
    rows; all others together weigh as `PRIOR_WEIGHT` of these. `scope_at_end` is NaN where it is unknown. The
    last `drawn` rows are drawn from days, and their scope is infinite. `factors` are the ratios of this
    sprint's length to each row's, NaN where that is unknown.
    """

    done: Floats
    scope: Floats
    delivered: Floats
    scope_at_end: Floats
    factors: Floats
    weights: Floats
    own: int
    drawn: int = 0

    @property
    def is_of_sprints(self) -> bool:
        """Whether any row is a sprint."""
        return len(self.weights) > self.drawn

    def with_prior(self, weights: Floats) -> Floats:
        """Scale weights (rows, or rows × anything) so that all but the team's own weigh `PRIOR_WEIGHT`."""
        rest = weights[self.own :]
        prior = rest * (PRIOR_WEIGHT / rest.sum(axis=0)) if len(rest) else rest
        return np.concatenate([weights[: self.own], prior])

    @property
    def record(self) -> int:
        """The number of first rows that form the team's record: its own, or all where these are few."""
        return self.own if self.own >= FEW_SPRINTS or self.own == len(self.weights) else len(self.weights)

    @property
    def growth(self) -> Floats:
        """The work added to each past sprint after each share, less the work removed."""
        growth: Floats = np.zeros_like(self.scope)
        is_sprint = np.isfinite(self.scope_at_end)
        growth[is_sprint] = self.scope_at_end[is_sprint, None] - self.scope[is_sprint]
        return growth

    def could_do(self, later: Floats, shares: Floats, is_finished: npt.NDArray[np.bool_]) -> Floats:
        """Return the work of each past sprint after each share, extrapolated where it ran out of work.

        A sprint that finished early did little later because nothing was left: its pace continues.
        """
        going_on = self.delivered[:, None] * (1 - shares)
        return np.where(is_finished, np.maximum(later, going_on), later)

    @property
    def stretch(self) -> float:
        """The ratio of this sprint's length to that of past sprints, at least 1; 1 where that is unknown."""
        is_known = ~np.isnan(self.factors)
        if not is_known.any():
            return 1.0
        return max(float(np.average(self.factors[is_known], weights=self.weights[is_known])), 1.0)

    def scaled(self, amounts: Floats) -> Floats:
        """Scale amounts (rows × anything) to past sprints as long as this one.

        A shorter time delivers in proportion. Over a longer time good and bad days even out: the mean grows
        in proportion, the distance from it with the square root, as that of a sum of independent parts.
        """
        is_known = ~np.isnan(self.factors)
        if not is_known.any():
            return amounts
        stretched = amounts[is_known] * self.factors[is_known, None]
        mean = np.average(stretched, axis=0, weights=self.weights[is_known])
        result: Floats = amounts.copy()
        result[is_known] = mean + (stretched - mean) / np.sqrt(self.stretch)
        return result


def arrange_past(now: RunningSprint, history: ForecastHistory, shares: Floats, seed: int) -> PastWork | None:
    """Build the past-work matrices for these elapsed shares; None without history.

    Past days stand in where there are no other teams. They are drawn with replacement until the end of this
    sprint, and the rows are the same at any share elapsed: they are about the time left.
    """
    own, others = list(history.own)[-MOST_OWN:], list(history.others)[-MOST_OTHERS:]
    sprints = [*own, *others]
    draws = 0 if others or not len(history.days) else DAY_DRAWS
    if not sprints and not draws:
        return None
    work = PastWork(
        done=np.array([_done(sprint, shares) for sprint in sprints]).reshape(-1, len(shares)),
        scope=np.array([_scope(sprint, shares) for sprint in sprints]).reshape(-1, len(shares)),
        delivered=np.array([sprint.delivered for sprint in sprints]),
        scope_at_end=np.array(
            [np.nan if sprint.scope_at_end is None else sprint.scope_at_end for sprint in sprints]
        ),
        factors=_factors(now, sprints),
        weights=np.array([1.0] * len(own) + [PRIOR_WEIGHT / max(len(others), 1)] * len(others)),
        own=len(own),
    )
    return _with_days(work, draw_days(history.days, now.days_left, seed)[-1], len(shares)) if draws else work


def draw_days(days: Sequence[float], days_left: int, seed: int) -> Floats:
    """Draw the work done by the end of each coming day (rows) in each of many futures (columns).

    The futures of fewer days are the beginnings of those of more.
    """
    drawn = np.random.default_rng(seed).choice(np.asarray(days, float), (max(days_left, 1), DAY_DRAWS))
    return np.cumsum(drawn, axis=0) if days_left else np.zeros((1, DAY_DRAWS))


def _with_days(work: PastWork, totals: Floats, columns: int) -> PastWork:
    """Add the drawn days as rows: nothing done at any share, and all of `totals` until the end."""
    rows = (len(totals), columns)
    return PastWork(
        done=np.concatenate([work.done, np.zeros(rows)]),
        scope=np.concatenate([work.scope, np.full(rows, np.inf)]),
        delivered=np.concatenate([work.delivered, totals]),
        scope_at_end=np.concatenate([work.scope_at_end, np.full(len(totals), np.inf)]),
        factors=np.concatenate([work.factors, np.full(len(totals), np.nan)]),
        weights=np.concatenate([work.weights, np.full(len(totals), PRIOR_WEIGHT / len(totals))]),
        own=work.own,
        drawn=len(totals),
    )


def _factors(now: RunningSprint, sprints: Sequence[PastSprint]) -> Floats:
    """The ratios of this sprint's length to those of past sprints.

    A past sprint of unknown length counts as one of the mean length: if only the others were scaled, a longer
    sprint could have a lower chance.
    """
    factors = np.array([_factor(now, sprint) for sprint in sprints])
    is_unknown = np.isnan(factors)
    if is_unknown.any() and not is_unknown.all():
        factors[is_unknown] = factors[~is_unknown].mean()
    return factors


def _factor(now: RunningSprint, sprint: PastSprint) -> float:
    return now.working_days / sprint.working_days if now.working_days and sprint.working_days else np.nan


def _done(sprint: PastSprint, shares: Floats) -> Floats:
    """Interpolate the work done at each share elapsed, between the known moments."""
    before_end = [moment for moment in sprint.moments if moment.elapsed < 1]
    elapsed = [*(moment.elapsed for moment in before_end), 1.0]
    return np.interp(shares, elapsed, [*(moment.done for moment in before_end), sprint.delivered])


def _scope(sprint: PastSprint, shares: Floats) -> Floats:
    """Interpolate the work in the sprint at each share elapsed, between the known moments."""
    elapsed = [moment.elapsed for moment in sprint.moments]
    return np.interp(shares, elapsed, [moment.scope for moment in sprint.moments])
