"""Percentiles as values that really occurred."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def nearest_rank(ascending: Sequence[T], percent: int) -> T | None:
    """The smallest value that at least `percent` % of the values do not exceed, or None without values.

    The nearest-rank method: of n values in ascending order the one at place ⌈percent × n ÷ 100⌉, counted
    from 1. It is definition 1 of Hyndman & Fan, “Sample Quantiles in Statistical Packages” (1996). It never
    invents a value between two, so “85 % were done in at most 6 days” is true of the items counted.
    Raises ValueError for a percentage outside 1 to 100.
    """
    if not 1 <= percent <= 100:
        raise ValueError(f"a percentile lies between 1 and 100, not at {percent}")
    if not ascending:
        return None
    # In whole numbers, because 0.85 × 20 is a little more than 17 in binary fractions.
    place = -(-percent * len(ascending) // 100)
    return ascending[place - 1]
