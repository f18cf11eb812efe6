"""Orders in which events may arrive."""

import itertools
from collections.abc import Iterator


def event_orders(count: int) -> Iterator[tuple[int, ...]]:
    """Iterate over all orders of up to four events; of more, over those that begin with each of them."""
    if count <= 4:
        return itertools.permutations(range(count))
    return ((*range(first, count), *range(first)) for first in range(count))
