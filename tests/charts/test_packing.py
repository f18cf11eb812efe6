"""Stored charts contain enough to draw them again."""

import msgspec
import pytest
from hypothesis import given, settings

from charts.locales import ENGLISH, find_locale
from charts.packing import PackedForm, pack, read_form, unpack
from charts.render import Chart, compute_content_key, render
from charts.sample import SAMPLE
from charts.themes import Theme
from tests.support.charts.family import CASES, CHARTS


@settings(deadline=None)
@given(CHARTS)
def test_any_chart_comes_back_as_it_was(chart: Chart) -> None:
    again, _, _ = unpack(pack(chart))
    assert again == chart
    assert compute_content_key(again) == compute_content_key(chart)


@pytest.mark.parametrize("name", ["fan", "velocity"])
def test_the_same_picture_is_drawn_again(name: str) -> None:
    assert render(*unpack(pack(CASES[name]))) == render(CASES[name])


def test_the_locale_is_kept_and_what_was_kept_without_one_is_english() -> None:
    german = find_locale("de")
    assert unpack(pack(SAMPLE, german)) == (SAMPLE, german, Theme.LIGHT)
    old = pack(SAMPLE).replace(b',"locale":"en"', b"")
    assert unpack(old) == (SAMPLE, ENGLISH, Theme.LIGHT)


def test_the_theme_is_kept_and_what_was_kept_without_one_is_light() -> None:
    inputs = pack(SAMPLE, theme=Theme.DARK)
    assert unpack(inputs) == (SAMPLE, ENGLISH, Theme.DARK)
    assert read_form(inputs) == PackedForm("Burndown", Theme.DARK)
    assert unpack(inputs.replace(b',"theme":"dark"', b"")) == (SAMPLE, ENGLISH, Theme.LIGHT)
    assert read_form(b"{") == PackedForm(None, Theme.LIGHT)
    assert compute_content_key(SAMPLE, theme=Theme.DARK) != compute_content_key(SAMPLE)
    assert render(SAMPLE, theme=Theme.DARK) != render(SAMPLE)


def test_it_is_small_and_says_what_it_is() -> None:
    inputs = pack(SAMPLE)
    assert inputs.startswith(b'{"kind":"Burndown","chart":{"unit":"points","committed":"34",')
    assert len(inputs) < 2500


def test_what_is_not_known_is_reported() -> None:
    with pytest.raises(msgspec.ValidationError, match="no chart called Pie"):
        unpack(b'{"kind":"Pie","chart":{}}')
