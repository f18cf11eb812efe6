"""Order statistics of a few values: the nearest-rank percentile, and the value that stands out."""

from collections.abc import Sequence
from decimal import Decimal
from statistics import median
from typing import TypeVar

T = TypeVar("T")

# With fewer values there is no usual one to stand out from.
_LEAST_VALUES = 3
_TIMES = 2


def find_nearest_rank(ascending: Sequence[T], percent: int) -> T | None:
    """Return the smallest value that at least `percent` % of the values do not exceed; None without values.

    The nearest-rank method: of n values in ascending order the one at place ⌈percent × n ÷ 100⌉, counted
    from 1. It is definition 1 of Hyndman & Fan, “Sample Quantiles in Statistical Packages” (1996). It never
    interpolates, so “85 % were done in at most 6 days” is true of the items counted. Raises ValueError for a
    percentage outside 1 to 100.
    """
    if not 1 <= percent <= 100:
        raise ValueError(f"a percentile lies between 1 and 100, not at {percent}")
    if not ascending:
        return None
    # In whole numbers, because 0.85 × 20 is a little more than 17 in binary fractions.
    rank = -(-percent * len(ascending) // 100)
    return ascending[rank - 1]


def find_outlier(values: Sequence[Decimal], at_least: int = 0) -> int | None:
    """Return the index of the value that stands out the most, of equal ones the latest.

    A value stands out if it is more than twice or less than half of the median, and at least `at_least` away
    from it; the farthest from the median stands out the most. None if no value stands out, or with fewer
    than three values.
    """
    if len(values) < _LEAST_VALUES:
        return None
    usual = median(values)
    far = [n for n, value in enumerate(values) if _is_far(value, usual) and abs(value - usual) >= at_least]
    return max(far, key=lambda n: (abs(values[n] - usual), n), default=None)


def _is_far(value: Decimal, usual: Decimal) -> bool:
    return value > _TIMES * usual or value * _TIMES < usual
