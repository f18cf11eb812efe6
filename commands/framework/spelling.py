"""The distance between spellings: letters left out, added, replaced, or swapped with a neighbour."""

from collections.abc import Iterable

_SHORT, _LONG = 4, 8


def find_closest(typed: str, names: Iterable[str]) -> str | None:
    """The name of which `typed` is most likely a misspelling; None if none is close, or two are as close."""
    distances = {name: distance for name in names if (distance := find_distance(typed, name)) is not None}
    least = min(distances.values(), default=None)
    closest = [name for name, distance in distances.items() if distance == least]
    return closest[0] if len(closest) == 1 else None


def find_distance(typed: str, name: str) -> int | None:
    """The number of slips between two spellings; None if they are too many for words of this length."""
    most = count_allowed_slips(name)
    if abs(len(typed) - len(name)) > most:
        return None
    distance = _count_slips(typed, name)
    return distance if distance <= most else None


def count_allowed_slips(name: str) -> int:
    """The slips that still leave a word recognizable: one, two in a long one, none in a very short one."""
    return 0 if len(name) < _SHORT else 2 if len(name) >= _LONG else 1


def _count_slips(typed: str, name: str) -> int:
    """The distance of Damerau and Levenshtein, in which swapped neighbours are one slip."""
    before_last, last = list[int](), list(range(len(name) + 1))
    for row, letter in enumerate(typed, 1):
        current = [row]
        for column, other in enumerate(name, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == name[column - 2] and typed[row - 2] == other:
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        before_last, last = last, current
    return last[-1]
