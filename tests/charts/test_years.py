"""Dates of another year show their year in every text, picture and locale."""

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charts.alt_text import long_day
from charts.locales import LOCALES, find_locale, use_locale
from charts.packing import pack, unpack
from charts.reading import MONTHS, short_day
from charts.render import Chart, compute_content_key, describe_chart, render, write_markdown
from charts.scale import choose_date_ticks, name_month_periods
from commands.formatting.wording import full_day, weekday, weekdays
from tests.support.charts.comparing import misplaced, words_on
from tests.support.charts.family import CASES, CHARTS
from tests.support.charts.years import DATE_WITHOUT_YEAR

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
FAR = date(2031, 1, 1)


@given(DAYS, DAYS, st.sampled_from(sorted(LOCALES)))
def test_a_date_has_its_year_if_and_only_if_it_is_not_the_present_one(
    day: date, today: date, name: str
) -> None:
    with use_locale(find_locale(name, today)):
        for text in (short_day(day), weekday(day), long_day(day)):
            assert (str(day.year) in text) == (day.year != today.year)
        assert str(day.year) in full_day(day)


@given(DAYS, st.integers(0, 400), st.sampled_from(sorted(LOCALES)))
def test_a_span_across_new_year_has_both_years(first: date, days: int, name: str) -> None:
    last = first + timedelta(days=days)
    with use_locale(find_locale(name, first)):
        text = weekdays(first, last, " – ")
    assert str(last.year) in text or first.year == last.year
    assert (str(first.year) in text) == (first.year != last.year)


@given(DAYS, st.integers(1, 40), DAYS)
def test_each_month_of_an_axis_can_be_dated(first: date, count: int, today: date) -> None:
    days = [first + timedelta(days=n) for n in range(count)]
    with use_locale(find_locale("en", today)):
        periods = name_month_periods(days)
        assert [tick.period for tick in choose_date_ticks(days, 40.0)] == periods
    year = today.year
    for day, period in zip(days, periods, strict=True):
        if period:
            assert period == MONTHS[day.month - 1] + (f" {day.year}" if day.year != year else "")
            year = day.year
    begins = [n for n, (entry, other) in enumerate(pairwise(days), 1) if entry.month != other.month]
    assert [n for n, period in enumerate(periods) if period] == [0, *begins]


@pytest.mark.parametrize("name", ["en", "en-US", "ja"])
@pytest.mark.parametrize("case", CASES)
def test_every_chart_tells_years_in_its_story_and_its_twin(case: str, name: str) -> None:
    with use_locale(find_locale(name, FAR)):
        assert DATE_WITHOUT_YEAR.findall(describe_chart(CASES[case])) == []
        assert DATE_WITHOUT_YEAR.findall(write_markdown(CASES[case])) == []


@pytest.mark.parametrize("case", [name for name in CASES if not name.startswith(("aging", "calibration"))])
def test_every_picture_with_dates_tells_the_year(case: str) -> None:
    words = [text for text, _ in words_on(CASES[case], find_locale("en", FAR))]
    dated = [text for text in words if any(month in text for month in MONTHS)]
    assert [text for text in dated if DATE_WITHOUT_YEAR.search(text)] == []
    if dated:
        assert any(re.search(r"\b20\d\d\b", text) for text in words)


@settings(max_examples=25, deadline=None)
@given(CHARTS)
def test_years_lie_on_no_other_words(chart: Chart) -> None:
    assert misplaced(chart, find_locale("en", FAR)) == []


def test_a_picture_has_another_name_only_where_its_years_show() -> None:
    chart, present = CASES["velocity"], date(2026, 11, 20)
    assert compute_content_key(chart, find_locale("en", present)) == compute_content_key(chart)
    assert compute_content_key(chart, find_locale("en", FAR)) != compute_content_key(chart)


def test_a_picture_that_is_drawn_again_tells_the_years_of_its_first_time() -> None:
    locale = find_locale("de", FAR)
    chart, again, _ = unpack(pack(CASES["fan"], locale))
    assert again == locale
    assert render(chart, again) == render(CASES["fan"], locale)
