"""What labels say: estimates in points, and whether work is done."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from sprints.model import State

Points = Decimal

_NUMBER = r"(?P<points>\d{1,4}(?:[.,]\d{1,2})?)"
_UNIT = r"(?:(?:story[ _-]?)?points?|pts?|sp|estimate)"
_USUAL = (
    re.compile(rf"^{_UNIT}\s*(?:[:/=_-]\s*)?{_NUMBER}$", re.IGNORECASE),
    re.compile(rf"^{_NUMBER}\s*{_UNIT}$", re.IGNORECASE),
)
_SIZE = re.compile(r"^(?:t-?shirt|size)\s*(?:[:/=_-]\s*)?(?P<size>\S{1,20})$", re.IGNORECASE)

_MOST_KNOWN = 1000


@dataclass(frozen=True)
class Estimates:
    """How a team writes estimates on labels.

    `sizes` says what a size is worth, by its name in upper case: without an entry there, `size: M` is no
    estimate, because what an M is worth is for the team to say. `templates` replace the usual forms: texts
    such as `effort {points}` or `T {size}`, matched in any case.

    `done_labels`, in lower case, are the team's own rule of what is done: with any of them, an item is done
    while it bears one, and closing or merging it by itself does not finish it.
    """

    sizes: Mapping[str, Points] = field(default_factory=dict)
    templates: tuple[str, ...] = ()
    done_labels: frozenset[str] = frozenset()
    _known: dict[str, Points | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def points_of(self, label: str) -> Points | None:
        """The points that a label states, or None for any other.

        Usually `points: 5`, `5 points`, `sp/5`, `0.5 pts`, `size: M`.
        """
        # Many items bear the same few labels.
        if label not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[label] = self._read(label)
        return self._known[label]

    def _read(self, label: str) -> Points | None:
        forms = tuple(map(_form, self.templates)) or (*_USUAL, _SIZE)
        for form in forms:
            if match := form.match(label.strip()):
                told = match.groupdict()
                if told.get("points"):
                    return Decimal(told["points"].replace(",", "."))
                if (points := self.sizes.get((told.get("size") or "").upper())) is not None:
                    return points
        return None

    def of(self, labels: Iterable[str]) -> Points | None:
        """The estimate of an item with these labels, oldest first: the label that came last wins."""
        found = None
        for label in labels:
            if (points := self.points_of(label)) is not None:
                found = points
        return found

    def state_of(self, told: State, labels: Iterable[str]) -> State:
        """What an item is by the team's rule, of which GitHub tells that it is `told`."""
        if not self.done_labels or told is State.DROPPED:
            return told
        return State.OPEN if self.done_labels.isdisjoint(map(str.lower, labels)) else State.DONE


USUAL = Estimates()


@lru_cache(maxsize=256)
def _form(template: str) -> re.Pattern[str]:
    """A template as an expression. Only its two placeholders mean anything; spaces may be more or fewer."""
    parts = re.split(r"(\{points\}|\{size\})", template.strip(), maxsplit=1)
    found = {"{points}": _NUMBER, "{size}": r"(?P<size>\S{1,20})"}
    # One wide gap for each run of spaces: several side by side would take forever to match.
    text = "".join(found.get(part) or r"\s*".join(map(re.escape, re.split(r"\s+", part))) for part in parts)
    return re.compile(f"^{text}$", re.IGNORECASE)
