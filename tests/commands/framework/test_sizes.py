"""Estimates as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.framework.errors import Fault, ValueFaultError
from commands.framework.sizes import MOST_POINTS, read_batch, read_estimate, read_points

SIZES = {"S": Decimal(2), "XL": Decimal(8), "5": Decimal(50)}
NUMBERS = st.decimals(0, MOST_POINTS, places=2)


@given(NUMBERS, st.sampled_from(["{}", "{} points", "{}pts", "to {}", "points: {}", " {}. ", "{} SP"]))
def test_a_number_is_read_in_every_form(number: Decimal, form: str) -> None:
    assert read_points(form.format(number), {}) == number


@given(NUMBERS)
def test_a_comma_is_a_decimal_mark(number: Decimal) -> None:
    assert read_points(str(number).replace(".", ","), {}) == number


def test_a_size_of_the_team_comes_before_a_number() -> None:
    assert read_points("5", SIZES) == 50
    assert read_points("xl.", SIZES) == 8
    assert read_estimate("None", SIZES) is None
    assert read_batch("2 × xl", SIZES) == (Decimal(8), 2)


@given(st.text(max_size=60))
def test_any_text_is_refused_or_within_the_limits(text: str) -> None:
    for read in (read_points, read_batch):
        try:
            result = read(text, SIZES)
        except ValueFaultError:
            continue
        points, count = result if isinstance(result, tuple) else (result, None)
        assert points is None or 0 <= points <= MOST_POINTS
        assert count is None or 1 <= count <= 100


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("10000", Fault.TOO_LARGE),
        ("9" * 39, Fault.TOO_LARGE),
        ("12345½", Fault.TOO_LARGE),
        ("12345 ½", Fault.TOO_LARGE),
        ("12345 1/2", Fault.TOO_LARGE),
        ("123456/2", Fault.TOO_LARGE),
        ("-12345", Fault.TOO_LARGE),
        ("12,345", Fault.TOO_LARGE),
        ("1,000,000", Fault.TOO_LARGE),
        ("½5", Fault.INVALID),
        ("1½.5", Fault.INVALID),
        ("-1", Fault.NEGATIVE),
        ("⅓", Fault.TOO_PRECISE),
        ("1,000", Fault.AMBIGUOUS),
        ("XXL", Fault.NO_SIZES),
        ("many", Fault.INVALID),
        ("5²", Fault.INVALID),
        ("1e3", Fault.INVALID),
    ],
)
def test_what_is_wrong_is_told_apart(text: str, fault: Fault) -> None:
    with pytest.raises(ValueFaultError) as problem:
        read_points(text, {})
    assert problem.value.fault is fault
