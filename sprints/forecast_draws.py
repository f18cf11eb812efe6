"""What may still happen in a sprint: futures taken from past sprints, each with a weight.

A past sprint offers two futures: that as many points come as came then, and that as large a part of the open
work is done as was then. Either alone is worse (`benchmarks/forecast`). All futures are used, so that the
answer has no noise of its own; only days are drawn at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

# How alike a past sprint must be: open work within a factor of about e, open share within 30 % of the scope.
SIZE_WIDTH, SHARE_WIDTH = 1.0, 0.3
# No sprint is passed over altogether, so a sprint unlike all others still has a forecast.
LEAST_WEIGHT = 1e-3
# What others did counts as three sprints like this one, however many they are: the team's own soon outweigh.
PRIOR_WEIGHT = 3.0
MOST_OWN, MOST_OTHERS, DAY_DRAWS = 30, 100, 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """A sprint when a share `elapsed` (0 to 1) of its working days was over: work done, work in it in all."""

    elapsed: float
    done: float
    scope: float


@dataclass(frozen=True, slots=True)
class PastSprint:
    """A finished sprint: what was known of it by moments, at least one, and how it ended.

    `delivered` is what was done at the end, work added on the way included; `scope_at_end` all that was in
    it then, None if that is unknown. Amounts are points or items, the same for all sprints of a forecast.
    `working_days` is how many it had, None if that is unknown: then it counts as long as any other.
    """

    moments: tuple[Moment, ...]
    delivered: float
    scope_at_end: float | None = None
    working_days: int | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """A running sprint at this moment, in the same unit as the past ones.

    `elapsed` is the share of its working days that is over (0 to 1), `days_left` the number of those to come,
    today included while it lasts, `working_days` how many it has in all (None: as many as past sprints).
    """

    elapsed: float
    done: float
    scope: float
    days_left: int
    working_days: int | None = None

    @property
    def share(self) -> float:
        """The share elapsed: all of it once no working day is left, whatever days off remain."""
        return self.elapsed if self.days_left else 1.0

    @property
    def remaining(self) -> float:
        """Work in the sprint that is not done."""
        return max(self.scope - self.done, 0.0)


@dataclass(frozen=True, slots=True)
class History:
    """What a forecast may learn from, all of it before the moment of the forecast, oldest first.

    `own` are the team's finished sprints, `others` those of other teams of the project. `days` is what the
    team did on each past working day, days with nothing included, in the forecast's unit.
    `finished_items` counts the items done in all of it.
    """

    finished_items: int
    own: Sequence[PastSprint] = ()
    others: Sequence[PastSprint] = ()
    days: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Draws:
    """Futures of a sprint, one a row.

    `later` holds what is done from now until the end of each coming working day, `growth` what is added to
    the scope until the end, None if past sprints do not tell.
    """

    later: Floats
    weights: Floats
    growth: Floats | None

    def at_end(self) -> Floats:
        """What is still done until the end."""
        return self.later[:, -1]


def draws_of(now: Now, history: History, seed: int) -> Draws | None:
    """All futures that the history offers; None if it offers none."""
    steps = _steps(now)
    own, others = list(history.own)[-MOST_OWN:], list(history.others)[-MOST_OTHERS:]
    parts = [_from_sprints(now, own, steps)] if own else []
    if others:
        parts.append(_as_prior(_from_sprints(now, others, steps)))
    elif len(history.days):
        parts.append(_as_prior(_from_days(history.days, now.days_left, seed)))
    if not parts:
        return None
    knows_growth = (own or others) and all(one.scope_at_end is not None for one in [*own, *others])
    return Draws(
        np.concatenate([part.later for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([_growth(part) for part in parts]) if knows_growth else None,
    )


def quantile(values: Floats, weights: Floats, level: float) -> float:
    """The smallest value that at least a share `level` of the weight does not exceed (nearest rank)."""
    order = np.argsort(values, kind="stable")
    heaped = np.cumsum(weights[order])
    place = np.searchsorted(heaped, level * heaped[-1] * (1 - 1e-12))
    return float(values[order][min(int(place), len(values) - 1)])


def _steps(now: Now) -> Floats:
    """The share elapsed at the end of each coming working day; only the end if there is none."""
    return np.linspace(now.share, 1.0, max(now.days_left, 1) + 1)[1:]


def _from_sprints(now: Now, sprints: list[PastSprint], steps: Floats) -> Draws:
    at = np.concatenate([[now.share], steps])
    done = np.array([_line(sprint, at) for sprint in sprints])
    scope = np.array([_scope(sprint, now.share) for sprint in sprints])
    open_then = np.maximum(scope - done[:, 0], 0.0)
    later = done[:, 1:] - done[:, :1]
    growth = np.array([one.scope_at_end or 0.0 for one in sprints]) - scope
    # Where nothing was open then, or is now, there is no share to speak of: as many points as then.
    has_share = (open_then > 0) & (now.remaining > 0)
    factor = np.where(has_share, now.remaining / np.where(has_share, open_then, 1.0), 1.0)
    as_share = np.where(has_share[:, None], np.maximum(later, 0.0), later) * factor[:, None]
    weights = _likeness(now, open_then, scope) / 2
    return Draws(
        np.concatenate([later, as_share]),
        np.concatenate([weights, weights]),
        np.concatenate([growth, growth * factor]),
    )


def _likeness(now: Now, open_then: Floats, scope: Floats) -> Floats:
    """1 for a sprint with the same work open as this one, less the more they differ."""
    size = (np.log1p(open_then) - np.log1p(now.remaining)) / SIZE_WIDTH
    share = (open_then / np.maximum(scope, 1.0) - now.remaining / max(now.scope, 1.0)) / SHARE_WIDTH
    weights: Floats = np.exp(-(size**2 + share**2) / 2) + LEAST_WEIGHT
    return weights


def _line(sprint: PastSprint, at: Floats) -> Floats:
    """Work done at each share elapsed, straight between the moments that are known."""
    shares = [*(one.elapsed for one in sprint.moments if one.elapsed < 1), 1.0]
    values = [*(one.done for one in sprint.moments if one.elapsed < 1), sprint.delivered]
    return np.interp(at, shares, values)


def _scope(sprint: PastSprint, elapsed: float) -> float:
    shares = [one.elapsed for one in sprint.moments]
    return float(np.interp(elapsed, shares, [one.scope for one in sprint.moments]))


def _from_days(days: Sequence[float], days_left: int, seed: int) -> Draws:
    drawn = np.random.default_rng(seed).choice(np.asarray(days, float), (DAY_DRAWS, max(days_left, 1)))
    later = np.cumsum(drawn, axis=1) if days_left else np.zeros((DAY_DRAWS, 1))
    return Draws(later, np.ones(DAY_DRAWS), np.zeros(DAY_DRAWS))


def _as_prior(draws: Draws) -> Draws:
    return Draws(draws.later, draws.weights * (PRIOR_WEIGHT / draws.weights.sum()), draws.growth)


def _growth(draws: Draws) -> Floats:
    return np.zeros(len(draws.weights)) if draws.growth is None else draws.growth
