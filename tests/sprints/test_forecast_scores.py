"""What forecasts are told as, and how they came true."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.forecast_scores import (
    TENTHS,
    CalibrationBin,
    compute_brier_score,
    compute_calibration,
    compute_coverage,
    compute_dates_met,
)
from sprints.forecast_wording import in_words, round_to_tenths

CHANCES = st.floats(0, 1)


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0, "less than 1 in 10"),
        (1e-9, "less than 1 in 10"),
        (0.0999, "less than 1 in 10"),
        (0.1, "1 in 10"),
        (0.15, "1 in 10"),
        (0.16, "2 in 10"),
        (0.65, "6 in 10"),
        (0.66, "7 in 10"),
        (0.7, "7 in 10"),
        (0.9, "9 in 10"),
        (0.901, "more than 9 in 10"),
        (0.999999, "more than 9 in 10"),
        (1, "more than 9 in 10"),
    ],
)
def test_a_chance_in_words(chance: float, words: str) -> None:
    assert in_words(chance) == words


@given(CHANCES)
def test_words_never_promise_all_or_nothing(chance: float) -> None:
    words = in_words(chance)

    assert not words.startswith(("10 in", "0 in"))
    assert words.endswith("in 10")


@given(CHANCES, CHANCES)
def test_a_greater_chance_is_never_said_as_less(case: float, other: float) -> None:
    assert round_to_tenths(min(case, other)) <= round_to_tenths(max(case, other))


@pytest.mark.parametrize("chance", [-0.1, 1.1, float("nan")])
def test_what_is_no_chance_has_no_words(chance: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        in_words(chance)


def test_brier_is_the_mean_square() -> None:
    assert compute_brier_score([(0.7, True), (0.4, False)]) == pytest.approx((0.09 + 0.16) / 2)
    assert compute_brier_score([(1, True), (0, False)]) == 0
    assert compute_brier_score([]) is None


@given(st.lists(st.tuples(CHANCES, st.booleans()), min_size=1))
def test_brier_lies_between_0_and_1(forecasts: list[tuple[float, bool]]) -> None:
    assert 0 <= (compute_brier_score(forecasts) or 0) <= 1


def test_calibration_counts_what_came_true() -> None:
    answer = [(0.75, True), (0.75, False), (0.75, True), (0.05, False), (0.95, True)]

    assert compute_calibration(answer) == (
        CalibrationBin(0, 3, 1, 0, 0.05),
        CalibrationBin(7, 9, 3, 2, 0.75),
        CalibrationBin(10, 10, 1, 1, 0.95),
    )
    assert compute_calibration(answer)[1].share == pytest.approx(2 / 3)
    assert compute_calibration([]) == ()


@given(st.lists(st.tuples(CHANCES, st.booleans())))
def test_calibration_loses_no_forecast(forecasts: list[tuple[float, bool]]) -> None:
    result = compute_calibration(forecasts)

    assert sum(entry.n for entry in result) == len(forecasts)
    assert sum(entry.true for entry in result) == sum(came_true for _, came_true in forecasts)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_few_forecasts_prove_little(counts: tuple[int, int]) -> None:
    n, true = counts
    few, many = CalibrationBin(7, 7, n, true, 0.7), CalibrationBin(7, 7, 10 * n, 10 * true, 0.7)
    (low, high), (lower, higher) = many.interval, few.interval

    assert 0 <= lower <= few.share + 1e-9
    assert few.share - 1e-9 <= higher <= 1
    assert high - low < higher - lower


def test_the_interval_is_that_of_wilson() -> None:
    """By hand for 8 of 10: 8.82125 ÷ 11.6425 ± 1.2816 ÷ 11.6425 × √(1.6 + 0.410625)."""
    assert CalibrationBin(7, 9, 10, 8, 0.8).interval == pytest.approx((0.60158, 0.91377), abs=1e-4)
    assert CalibrationBin(7, 9, 1, 1, 0.8).interval == pytest.approx((0.3784, 1.0), abs=1e-4)


def test_tenths_are_all_that_can_be_said() -> None:
    graded = [(n / 100, True) for n in range(101)]

    assert [tenth.low for tenth in compute_calibration(graded, TENTHS)] == list(range(11))
    assert sum(tenth.n for tenth in compute_calibration(graded, TENTHS)) == len(graded)


def test_dates_met_on_the_day_or_before() -> None:
    day, after = date(2026, 4, 1), date(2026, 4, 2)

    assert compute_dates_met([(day, day), (after, day), (day, after), (day, None)]) == 0.5
    assert compute_dates_met([]) is None


def test_coverage_counts_the_bounds() -> None:
    assert compute_coverage([(1, 3, 1), (1, 3, 3), (1, 3, 4), (1, 3, 0.5)]) == 0.5
    assert compute_coverage([]) is None
