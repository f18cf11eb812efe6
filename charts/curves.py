"""Smooth lines through points."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def interpolate(times: Sequence[float] | Floats, values: Sequence[float], at: Floats) -> Floats:
    """Interpolate values at times between the first and the last point, by a curve through all points.

    The curve is cubic between two points, has no kink, and neither rises nor falls where the points do not
    (Fritsch and Butland 1984). `times` ascend, and there are at least two.
    """
    t, v = np.asarray(times, float), np.asarray(values, float)
    width, slope = np.diff(t), np.diff(v) / np.diff(t)
    tangent = _tangents(width, slope)
    place = np.clip(np.searchsorted(t, at, side="right") - 1, 0, len(width) - 1)
    h, part = width[place], (at - t[place]) / width[place]
    begins, ends = tangent[place] * h, tangent[place + 1] * h
    rise = v[place + 1] - v[place]
    curve: Floats = v[place] + part * (
        begins + part * (3 * rise - 2 * begins - ends + part * (begins + ends - 2 * rise))
    )
    return curve


def _tangents(width: Floats, slope: Floats) -> Floats:
    """Return the slope of the curve at each point: 0 at a turn, else between those of the lines beside it."""
    inner = [
        0.0 if left * right <= 0 else 3 * (a + b) / ((2 * b + a) / left + (b + 2 * a) / right)
        for (a, b), (left, right) in zip(pairwise(width), pairwise(slope), strict=True)
    ]
    if not inner:
        return np.array([slope[0], slope[0]])
    return np.array([_at_end(slope[0], inner[0]), *inner, _at_end(slope[-1], inner[-1])])


def _at_end(slope: float, inner: float) -> float:
    """Return the tangent at an end: bent as inside, within the limits that keep the curve from turning."""
    tangent = (3 * slope - inner) / 2
    return float(min(max(tangent, 0.0), 3 * slope) if slope > 0 else max(min(tangent, 0.0), 3 * slope))
