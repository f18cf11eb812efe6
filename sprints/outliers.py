"""What stands out of a few numbers, by one rule for all charts."""

from collections.abc import Sequence
from decimal import Decimal
from statistics import median

# With fewer values there is no usual one to stand out from.
_LEAST_VALUES = 3
_TIMES = 2


def farthest(values: Sequence[Decimal], at_least: int = 0) -> int | None:
    """The place of the value that stands out the most, of equal ones the latest.

    A value stands out if it is more than twice or less than half of the median, and `at_least` so far away
    from it. The distance to the median tells which stands out the most. None if there is no such value, or
    fewer than three in all.
    """
    if len(values) < _LEAST_VALUES:
        return None
    usual = median(values)
    far = [n for n, value in enumerate(values) if _is_far(value, usual) and abs(value - usual) >= at_least]
    return max(far, key=lambda n: (abs(values[n] - usual), n), default=None)


def _is_far(value: Decimal, usual: Decimal) -> bool:
    return value > _TIMES * usual or value * _TIMES < usual
