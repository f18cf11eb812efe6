"""Placement of labels, so that words lie neither on a line nor on other words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]

# The distance of the points at which a line is sampled, and the margin around a label; CSS pixels.
_SAMPLE_EVERY = 3.0
_MARGIN = 3.0
# In ranks: how many places further down the list a label goes to avoid a line, or a rule.
_COST_OF_HIT, _COST_OF_RULE = 10, 8


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in CSS pixels; the y axis points up."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def is_within(self, other: "Box") -> bool:
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )


class LabelSpace:
    """The free room within `bounds`: between the lines, and between the labels placed so far.

    `rules` are the heights of thin horizontal lines that should not strike through a label.
    """

    def __init__(self, bounds: Box, lines: Iterable[Sequence[Point]], rules: Sequence[float]) -> None:
        self._bounds = bounds
        self._taken = list[Box]()
        self._rules = rules
        sampled = [_sampled(line) for line in lines if line]
        self._on_lines = np.concatenate(sampled) if sampled else np.empty((0, 2))

    def take(self, box: Box) -> None:
        self._taken.append(
            Box(box.left - _MARGIN, box.bottom - _MARGIN, box.right + _MARGIN, box.top + _MARGIN)
        )

    def place(self, places: Iterable[Box], most_hits: int = 0) -> int | None:
        """Take the best of the places, which are given best first.

        A later place is better than one on a rule or on a line. Returns its index; None if each leaves the
        bounds, meets another label, or hides more than `most_hits` samples of lines.
        """
        best, best_box, lowest = None, None, float("inf")
        for rank, box in enumerate(places):
            if rank >= lowest:
                break  # No later place can be better.
            if not box.is_within(self._bounds) or any(map(box.overlaps, self._taken)):
                continue
            hits = self._hits(box)
            cost = rank + _COST_OF_HIT * hits + _COST_OF_RULE * self._is_struck(box)
            if hits <= most_hits and cost < lowest:
                best, best_box, lowest = rank, box, cost
        if best_box is not None:
            self.take(best_box)
        return best

    def _hits(self, box: Box) -> int:
        x, y = self._on_lines[:, 0], self._on_lines[:, 1]
        inside = (
            (x > box.left - _MARGIN)
            & (x < box.right + _MARGIN)
            & (y > box.bottom - _MARGIN)
            & (y < box.top + _MARGIN)
        )
        return int(np.count_nonzero(inside))

    def _is_struck(self, box: Box) -> bool:
        return any(box.bottom < rule < box.top for rule in self._rules)


def spread_heights(heights: Sequence[float], distance: float, lowest: float, highest: float) -> list[float]:
    """Move ascending heights as little as needed to be `distance` apart, within the bounds if these allow."""
    placed = list[float]()
    for height in heights:
        placed.append(max(height, placed[-1] + distance if placed else lowest))
    for n in range(len(placed) - 1, -1, -1):
        above = highest if n == len(placed) - 1 else placed[n + 1] - distance
        placed[n] = max(min(placed[n], above), lowest + n * distance)
    return placed


def _sampled(line: Sequence[Point]) -> NDArray[np.float64]:
    """Sample points along a line at equal distances."""
    points = np.asarray(line, dtype=np.float64)
    lengths = np.hypot(*np.diff(points, axis=0).T) if len(points) > 1 else np.zeros(0)
    distances = np.concatenate(([0.0], np.cumsum(lengths)))
    positions = np.linspace(0.0, distances[-1], int(distances[-1] / _SAMPLE_EVERY) + 2)
    return np.column_stack(
        (np.interp(positions, distances, points[:, 0]), np.interp(positions, distances, points[:, 1]))
    )
