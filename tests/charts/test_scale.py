from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.reading import ScopeStep, group_steps, number
from charts.scale import choose_date_ticks, choose_value_ticks, write_value


@pytest.mark.parametrize(
    ("highest", "whole", "names"),
    [
        (0, False, ["0", "1"]),
        (0.5, False, ["0", "0.2", "0.4", "0.6"]),
        (1, True, ["0", "1"]),
        (34, False, ["0", "10", "20", "30", "40"]),
        (40, False, ["0", "10", "20", "30", "40"]),
        (3000, False, ["0", "1,000", "2,000", "3,000"]),
    ],
)
def test_value_ticks(highest: float, whole: bool, names: list[str]) -> None:
    assert [write_value(tick) for tick in choose_value_ticks(highest, whole)] == names


@given(st.floats(0.01, 1e9), st.booleans())
def test_value_ticks_are_few_and_reach_the_top(highest: float, whole: bool) -> None:
    ticks = choose_value_ticks(highest, whole)
    assert 2 <= len(ticks) <= 6
    assert ticks[-1] >= highest * 0.9999
    assert len({write_value(tick) for tick in ticks}) == len(ticks)


@given(st.dates(date(2008, 1, 1), date(2060, 1, 1)), st.integers(1, 8000))
def test_date_ticks_never_collide(start: date, length: int) -> None:
    width = 700 / length
    ticks = choose_date_ticks([start + timedelta(days=n) for n in range(length)], width)
    apart = [(b.day - a.day) * width for a, b in pairwise(ticks)]
    widest = max((len(tick.name) for tick in ticks), default=0)
    assert all(distance >= 11.5 * widest + 4 for distance in apart)


def test_long_sprints_name_months_and_years() -> None:
    days = [date(2026, 5, 4) + timedelta(days=n) for n in range(400)]
    assert [(t.name, t.period) for t in choose_date_ticks(days, 1.6)] == [
        ("Jul", "2026"),
        ("Oct", ""),
        ("Jan", "2027"),
        ("Apr", ""),
    ]


def test_close_scope_changes_are_summed_and_nothing_is_lost() -> None:
    steps = [ScopeStep(day, Decimal(amount)) for day, amount in ((0, 5), (1, -5), (3, 2), (4, 3), (9, 1))]
    grouped = group_steps(steps, 3)
    assert grouped == [ScopeStep(4, Decimal(5)), ScopeStep(9, Decimal(1))]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("17.00", "17"),
        ("0.50", "0.5"),
        ("3000", "3,000"),
        ("-3", "−3"),
        ("100", "100"),
        ("0.004", "0"),
        ("-0", "0"),
    ],
)
def test_number(value: str, text: str) -> None:
    assert number(Decimal(value)) == text
