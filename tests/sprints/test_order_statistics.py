"""What stands out of a few numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.order_statistics import find_outlier


@pytest.mark.parametrize(
    ("values", "at_least", "place"),
    [
        ([20, 8, 21], 0, 1),
        ([20, 10, 21], 0, None),
        ([20, 9, 50], 0, 2),
        ([20, 41, 20], 0, 1),
        ([0, 0, 1], 0, 2),
        ([1, 1, 0], 3, None),
        ([4, 4, 1], 3, 2),
        ([5, 5, 0, 5, 0], 0, 4),
        ([0, 0, 0], 0, None),
        ([1, 100], 0, None),
        ([], 0, None),
    ],
)
def test_more_than_twice_or_less_than_half_of_the_median(
    values: list[int], at_least: int, place: int | None
) -> None:
    assert find_outlier([Decimal(value) for value in values], at_least) == place


@given(st.lists(st.integers(0, 50).map(Decimal), min_size=3), st.integers(0, 5))
def test_nothing_stands_out_farther(values: list[Decimal], at_least: int) -> None:
    place = find_outlier(values, at_least)
    usual = sorted(values)[len(values) // 2] if len(values) % 2 else None

    if place is None or usual is None:
        return
    assert values[place] > 2 * usual or 2 * values[place] < usual
    assert abs(values[place] - usual) >= at_least
    assert all(
        abs(value - usual) <= abs(values[place] - usual)
        for value in values
        if value > 2 * usual or 2 * value < usual
    )
