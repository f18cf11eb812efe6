"""The picture of a forecast: its labels never contradict its headline, and its fan is smooth and plausible."""

import re
from dataclasses import astuple, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charts.canvas import Canvas
from charts.curves import interpolate
from charts.fan import draw
from charts.fan_levels import (
    compute_bands,
    compute_highest,
    compute_levels,
    get_done,
    get_scope,
    is_scope_cut,
)
from charts.labels import Point
from charts.locales import find_locale
from charts.render import compute_content_key, describe_chart, write_markdown
from charts.values import ForecastFan
from sprints.forecast import FanDay
from sprints.forecast_amounts import Band
from sprints.forecast_wording import in_words, round_to_tenths
from tests.support.charts.builders import burndown
from tests.support.charts.comparing import words_on
from tests.support.charts.family import CASES, fan, fans

RUNNING = burndown(40, [34, 34, 34, 29, 24, 20, 17, 14], days=12, scope={4: -1})


def with_band(band: Band, chance: float | None, scope: int = 39) -> ForecastFan:
    """25 points are done of a scope, on the last day but three."""
    sprint = burndown(scope, [scope, scope, scope - 10, scope - 25], days=7)
    return ForecastFan(sprint, (FanDay(sprint.days[4].date, band),), chance)


def labels_on(chart: ForecastFan) -> list[str]:
    """The labels beside the fan's end, from below."""
    return [words for words, _ in words_on(chart) if words.startswith("≥")]


BANDS = st.lists(st.floats(0, 80), min_size=5, max_size=5).map(lambda values: Band(*sorted(values)))
CHANCES = st.floats(0, 1) | st.sampled_from([0.0, 0.05, 0.1, 0.15, 0.5, 0.9, 0.95, 1.0])


@given(BANDS, CHANCES, st.integers(25, 90))
def test_no_label_contradicts_the_chance_to_finish(band: Band, chance: float, scope: int) -> None:
    chart = with_band(band, chance, scope)
    levels = compute_levels(chart)

    assert levels
    for level in levels:
        if level.amount == scope:
            assert in_words(level.chance) == in_words(chance)
        elif level.amount < scope:
            assert round_to_tenths(level.chance) >= round_to_tenths(chance)
        else:
            assert round_to_tenths(level.chance) <= round_to_tenths(chance)


@given(fans())
def test_no_label_contradicts_another(chart: ForecastFan) -> None:
    levels = compute_levels(chart)

    assert [level.amount for level in levels] == sorted({level.amount for level in levels})
    assert all(lower.chance >= higher.chance for lower, higher in pairwise(levels))
    assert len({in_words(level.chance) for level in levels}) == len(levels)
    assert all(level.amount > get_done(chart) for level in levels), "what is done is certain"


@given(BANDS)
def test_a_label_is_true_of_the_band(band: Band) -> None:
    """So much or more is done at least as often as the percentiles around it say, and no more often."""
    percentiles = list(
        zip(astuple(compute_bands(with_band(band, None))[-1]), (0.9, 0.75, 0.5, 0.25, 0.1), strict=True)
    )

    for level in compute_levels(with_band(band, None)):
        for value, chance in percentiles:
            if level.amount <= value:
                assert level.chance >= chance - 1e-9
            if level.amount > value:
                assert level.chance <= chance + 1e-9


def test_the_whole_scope_has_the_chance_of_the_headline() -> None:
    """The headline said 2 in 10 beside a label “≥ 39: 1 in 10” where 39 was everything."""
    chart = with_band(Band(34, 34, 35.5, 37, 39), 0.22)

    assert labels_on(chart) == ["≥ 34: 9 in 10", "≥ 36: 4 in 10", "≥ 39: 2 in 10"]
    assert "4 in 10 that at least 36 are, 2 in 10 that at least 39 are." in describe_chart(chart)


def test_amounts_are_rounded_so_that_they_stay_true() -> None:
    assert labels_on(with_band(Band(33.9, 35, 37.1, 40, 43.6), 0.3)) == [
        "≥ 33: 9 in 10", "≥ 37: 5 in 10", "≥ 43: 1 in 10",
    ]  # fmt: skip


def test_percentiles_of_one_amount_have_one_label() -> None:
    assert labels_on(with_band(Band(38.1, 38.2, 38.4, 38.6, 38.9), 0.08)) == ["≥ 38: 9 in 10"]
    assert labels_on(with_band(Band(25, 25.1, 25.2, 25.5, 25.9), 0.02, 60)) == ["≥ 26: < 1 in 10"]
    assert labels_on(with_band(Band(39, 39, 39, 39, 39), 0.96)) == ["≥ 39: > 9 in 10"]


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("fan")])
def test_the_story_tells_the_amounts_of_the_labels(name: str) -> None:
    chart = CASES[name]
    assert isinstance(chart, ForecastFan)
    amounts = [words.split(":")[0].removeprefix("≥ ") for words in labels_on(chart)]
    assert re.findall(r"at least ([\d,.]*\d)", describe_chart(chart)) == amounts


@given(fans())
def test_the_fan_begins_at_what_is_done_and_never_falls(chart: ForecastFan) -> None:
    bands = compute_bands(chart)

    assert len(bands) == len(chart.days)
    for before, after in pairwise([Band(*[float(get_done(chart))] * 5), *bands]):
        assert all(low <= high for low, high in zip(astuple(before), astuple(after), strict=True))
        assert list(astuple(after)) == sorted(astuple(after))


def test_the_fan_of_a_falling_forecast_ends_at_the_band_of_the_forecast() -> None:
    """Whatever comes before, the last day has the band of the words beside the picture."""
    days = [day.date for day in RUNNING.days[7:]]
    wide, last = Band(20, 30, 60, 70, 90), Band(27, 29, 33, 36, 38)
    chart = ForecastFan(RUNNING, (*(FanDay(day, wide) for day in days[:-1]), FanDay(days[-1], last)), 0.1)

    assert compute_bands(chart)[-1] == last
    assert compute_highest(chart) < 45


@given(st.lists(st.tuples(st.floats(0.05, 3), st.floats(0, 50)), min_size=1, max_size=30), st.integers(1, 9))
def test_curves_rise_where_their_points_rise_and_have_no_kink(
    steps: list[tuple[float, float]], pieces: int
) -> None:
    times = np.cumsum([0.0, *(width for width, _ in steps)])
    values = np.cumsum([3.0, *(rise for _, rise in steps)])
    at = np.linspace(0, times[-1], pieces * 40)
    curve = interpolate(times, list(values), at)

    assert interpolate(times, list(values), times) == pytest.approx(values)
    assert np.all(np.diff(curve) >= -1e-9)
    for knot in times[1:-1]:
        left, middle, right = interpolate(times, list(values), np.array([knot - 1e-8, knot, knot + 1e-8]))
        assert (middle - left) / 1e-8 == pytest.approx((right - middle) / 1e-8, abs=1e-2, rel=1e-2)


def drawn_lines(chart: ForecastFan, monkeypatch: pytest.MonkeyPatch) -> list[list[Point]]:
    """The outlines of the fan."""
    outlines = list[list[Point]]()
    monkeypatch.setattr(Canvas, "bands", lambda _, shapes, __: outlines.extend(map(list, shapes)))
    draw(chart)
    return outlines


def test_the_fan_is_level_on_days_off(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = fan(burndown(34, [34, 31, 31, 29], days=12), 0.4)
    outer, _ = drawn_lines(chart, monkeypatch)

    xs = sorted({round(x, 2) for x, _ in outer})
    widths = [(after - before) for before, after in pairwise(xs)]
    day = max(widths)
    ends = [n for n, width in enumerate(widths) if width == pytest.approx(day, abs=0.1)]
    assert len(ends) == 2, "a day off is one level piece, a working day several"
    heights = {round(x, 2): round(y, 2) for x, y in outer[: len(outer) // 2]}
    assert all(heights[xs[n]] == heights[xs[n + 1]] for n in ends)


def test_a_scope_far_above_does_not_press_the_fan_flat() -> None:
    """511 points open and 37 expected: the fan has its place, and an arrow tells of the scope."""
    chart = CASES["fan_far_below"]
    assert isinstance(chart, ForecastFan)

    words = [text for text, _ in words_on(chart)]
    assert "↑ 534 points in scope" in words
    assert {"0", "10", "20", "30", "40"} <= set(words)
    assert "600" not in words
    assert is_scope_cut(chart)
    assert not is_scope_cut(with_band(Band(34, 34, 35.5, 37, 39), 0.22))


@given(fans())
def test_the_axis_ends_where_something_is(chart: ForecastFan) -> None:
    highest = compute_highest(chart)
    may_be_done = max([float(get_done(chart)), *(band.p90 for band in compute_bands(chart))])

    assert highest >= may_be_done
    assume(may_be_done)
    done = [float(day.done) for day in chart.sprint.days if day.done is not None]
    assert highest <= 2 * max([may_be_done, *done])


def test_the_twin_of_a_scope_far_above_names_it() -> None:
    text = write_markdown(CASES["fan_far_below"])

    assert 'title "Points done (blue), 9 and 1 in 10 (grey), scope 534"' in text
    assert 'y-axis "points" 0 --> 37' in text
    assert 'line "scope"' not in text
    assert 'line "scope"' in write_markdown(CASES["fan"])


def test_the_title_and_the_due_date_tell_another_year() -> None:
    words = [text for text, _ in words_on(CASES["fan_new_year"], find_locale("en", date(2026, 12, 28)))]

    assert "that all is done by 4 Jan 2027" in words
    assert "due 4 Jan 2027" in words


def test_the_point_of_now_moves_through_the_day() -> None:
    chart = CASES["fan"]
    assert isinstance(chart, ForecastFan)
    evening = replace(chart.sprint, as_of=chart.sprint.as_of.replace(hour=19))

    assert compute_content_key(replace(chart, sprint=evening)) != compute_content_key(chart)
    assert draw(replace(chart, sprint=evening)) != draw(chart)
    assert get_scope(chart) == Decimal(39)
