"""Orders in which events may arrive."""

import itertools
from collections.abc import Iterator


def event_orders(count: int) -> Iterator[tuple[int, ...]]:
    """Each order of up to four events; of more, those that begin with each of them."""
    if count <= 4:
        return itertools.permutations(range(count))
    return ((*range(first, count), *range(first)) for first in range(count))
