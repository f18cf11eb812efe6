"""Estimates in points, and the team's definition of done, read from labels."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from sprints.model import State

Points = Decimal

_FRACTIONS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}
_FRACTION = rf"(?:\d{{0,3}}\s?[{''.join(_FRACTIONS)}])"
_NUMBER = rf"(?P<points>{_FRACTION}|\d{{1,4}}(?:[.,]\d{{1,2}})?|[.,]\d{{1,2}})"
_UNIT = r"(?:(?:story[ _-]?)?points?|pts?|sp|estimate)"
_USUAL = (
    re.compile(rf"^{_UNIT}\s*(?:[:/=_-]\s*)?{_NUMBER}$", re.IGNORECASE),
    re.compile(rf"^{_NUMBER}\s*(?:[/_-]\s*)?{_UNIT}$", re.IGNORECASE),
    # A number alone may stand for anything; a fraction is always an amount.
    re.compile(rf"^(?P<points>{_FRACTION})$"),
)
_SIZE = re.compile(r"^(?:t-?shirt|size)\s*(?:[:/=_-]\s*)?(?P<size>\S{1,20})$", re.IGNORECASE)

_MAX_CACHED = 1000


@dataclass(frozen=True)
class Estimates:
    """A team's conventions for labels: how it writes estimates, and which labels mean done.

    `sizes` gives the points of a size, by its name in upper case: without an entry there, `size: M` is no
    estimate, because only the team can say what an M is worth. `templates` replace the usual forms: texts
    such as `effort {points}` or `T {size}`, matched in any case.

    `done_labels`, in lower case, are the team's own definition of done: with any of them, an item is done
    while it bears one, and closing or merging it by itself does not finish it.
    """

    sizes: Mapping[str, Points] = field(default_factory=dict)
    templates: tuple[str, ...] = ()
    done_labels: frozenset[str] = frozenset()
    _cache: dict[str, Points | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def points_of(self, label: str) -> Points | None:
        """Return the points that a label states, or None for any other label.

        The usual forms are `points: 5`, `5 points`, `5-points`, `sp/5`, `.5 pts`, `½`, `size: M`.
        """
        # Many items share the same few labels.
        if label not in self._cache:
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache[label] = self._parse(label)
        return self._cache[label]

    def _parse(self, label: str) -> Points | None:
        forms = tuple(map(_form, self.templates)) or (*_USUAL, _SIZE)
        for form in forms:
            if match := form.match(label.strip()):
                groups = match.groupdict()
                if groups.get("points"):
                    return _read_number(groups["points"])
                if (points := self.sizes.get((groups.get("size") or "").upper())) is not None:
                    return points
        return None

    def of(self, labels: Iterable[str]) -> Points | None:
        """Return the estimate of an item with these labels, oldest first: the last estimate wins."""
        estimate = None
        for label in labels:
            if (points := self.points_of(label)) is not None:
                estimate = points
        return estimate

    def state_of(self, reported: State, labels: Iterable[str]) -> State:
        """Return an item's state by the team's rule, from the state on GitHub (`reported`)."""
        if not self.done_labels or reported is State.DROPPED:
            return reported
        return State.OPEN if self.done_labels.isdisjoint(map(str.lower, labels)) else State.DONE


def _read_number(text: str) -> Points:
    """The value of `5`, `0,5`, `.5` or `1½`."""
    if (part := _FRACTIONS.get(text[-1])) is not None:
        return part + Decimal(text[:-1].strip() or 0)
    return Decimal(text.replace(",", "."))


DEFAULT_ESTIMATES = Estimates()


@lru_cache(maxsize=256)
def _form(template: str) -> re.Pattern[str]:
    """Compile a template. Only its two placeholders have a meaning; spaces may be more or fewer."""
    parts = re.split(r"(\{points\}|\{size\})", template.strip(), maxsplit=1)
    placeholders = {"{points}": _NUMBER, "{size}": r"(?P<size>\S{1,20})"}
    # One wide gap for each run of spaces: several side by side would take forever to match.
    text = "".join(
        placeholders.get(part) or r"\s*".join(map(re.escape, re.split(r"\s+", part))) for part in parts
    )
    return re.compile(f"^{text}$", re.IGNORECASE)
