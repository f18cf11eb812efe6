"""Estimates in points, read from labels."""

import re
from collections.abc import Iterable
from decimal import Decimal

Points = Decimal

_NUMBER = r"(\d{1,4}(?:[.,]\d{1,2})?)"
_UNIT = r"(?:(?:story[ _-]?)?points?|pts?|sp|estimate)"
_PATTERNS = (
    re.compile(rf"^{_UNIT}\s*[:/=_-]?\s*{_NUMBER}$", re.IGNORECASE),
    re.compile(rf"^{_NUMBER}\s*{_UNIT}$", re.IGNORECASE),
)


def points_of(label: str) -> Points | None:
    """The points that a label states (`points: 5`, `5 points`, `sp/5`, `0.5 pts`), or None for any other."""
    for pattern in _PATTERNS:
        if match := pattern.match(label.strip()):
            return Decimal(match[1].replace(",", "."))
    return None


def estimate(labels: Iterable[str]) -> Points | None:
    """The estimate of an item with these labels, oldest first: the label that came last wins."""
    found = None
    for label in labels:
        if (points := points_of(label)) is not None:
            found = points
    return found
