"""All kinds of charts: what people see, that words are readable, and what goes with the pictures.

Accept changed pictures as test_pictures.py says.
"""

import re
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given, settings
from PIL import Image

from charts import style
from charts.render import Chart, compute_content_key, describe_chart, render, write_markdown
from charts.values import VelocityBars
from sprints.burnup import Burnup
from tests.support.charts.comparing import (
    MOST_DIFFERENCE,
    accept_if_asked,
    difference_from_accepted,
    misplaced,
)
from tests.support.charts.family import CASES, CHARTS

# Narrow bars have more edges than a line.
MOST_BYTES = 100_000
# Numbers of more than five digits and a card of fixed width: there is no room for all words, but no harm.
CROWDED = {name for name in CASES if name.endswith("_huge")}


@pytest.mark.parametrize("name", CASES)
def test_picture_is_the_accepted_one(name: str) -> None:
    png = render(CASES[name])
    accept_if_asked(png, name)
    difference = difference_from_accepted(png, name)
    assert difference < MOST_DIFFERENCE, f"{name} looks different; see the top of test_pictures.py"
    image = Image.open(BytesIO(png))
    assert image.size == (2 * style.WIDTH, 2 * style.HEIGHT)
    assert len(png) <= MOST_BYTES
    assert not image.info, "no time, software or resolution that would differ between machines"
    assert image.convert("RGB").getpixel((8, 8)) == (255, 255, 255), "the card's white is exact"


@pytest.mark.parametrize("name", [name for name in CASES if name not in CROWDED])
def test_words_are_on_the_card_and_not_on_each_other(name: str) -> None:
    assert misplaced(CASES[name]) == []


@settings(max_examples=120, deadline=None)
@given(CHARTS)
def test_words_of_any_chart_are_on_the_card_and_not_on_each_other(chart: Chart) -> None:
    assert misplaced(chart) == []


@pytest.mark.parametrize("name", ["velocity", "cycle_time", "fan", "flow_drops"])
def test_same_value_same_bytes(name: str) -> None:
    assert render(CASES[name]) == render(replace(CASES[name]))


@settings(deadline=None)
@given(CHARTS)
def test_stories_are_two_plain_sentences(chart: Chart) -> None:
    text = describe_chart(chart)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;−")
    assert text.endswith(".")
    assert text.count(". ") == 1


NUMBER = r"\d+(?:\.\d+)?"
INK = r"#\w{6}"
BLOCK = re.compile(
    r"```mermaid\n"
    rf'%%\{{init: \{{"themeVariables": \{{"xyChart": \{{"plotColorPalette": "{INK}(?:, {INK})*"\}}\}}\}}\}}%%\n'
    r"xychart-beta\n"
    r'    title "[\w (),:]{5,62}"\n'
    r"    x-axis \[(?P<names>.+)\]\n"
    rf'    y-axis "\w+" 0 --> (?P<top>{NUMBER})\n'
    rf'(?P<series>(?:    (?:line|bar) "[\w ]+" \[{NUMBER}(?:, {NUMBER})*\]\n)+)'
    r"```"
)


@settings(deadline=None)
@given(CHARTS)
def test_twins_are_mermaid_that_github_draws_or_tables(chart: Chart) -> None:
    text = write_markdown(chart)
    if text == "There are no figures yet.":
        return
    if text.startswith("|"):
        assert len({line.count("|") for line in text.splitlines()}) == 1
        return
    match = BLOCK.fullmatch(text)
    assert match, text
    names = re.findall(r'"([^"]*)"', match["names"])
    assert len(names) == len(set(names)), "categories of one name fall together"
    assert all(names), "each has a name, if only one that cannot be seen"
    assert len(names) <= 60
    for values in re.findall(r"\[([^\]]*)\]", match["series"]):
        numbers = [Decimal(value) for value in values.split(", ")]
        assert len(numbers) <= len(names) or len(numbers) == 2
        assert max(numbers) <= Decimal(match["top"])


def test_stories() -> None:
    assert [describe_chart(CASES[name]) for name in STORIES] == list(STORIES.values())


def test_every_case_has_a_name_of_its_own() -> None:
    keys = {compute_content_key(chart) for chart in CASES.values()}
    assert len(keys) == len(CASES)
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


def test_key_stays_while_nothing_visible_changes() -> None:
    velocity = CASES["velocity"]
    assert isinstance(velocity, VelocityBars)
    written_otherwise = replace(velocity, median=Decimal("31.00"))
    assert compute_content_key(written_otherwise) == compute_content_key(velocity)
    burnup = CASES["burnup_behind"]
    assert isinstance(burnup, Burnup)
    later = replace(burnup.sprint, as_of=burnup.sprint.as_of.replace(minute=59))
    assert compute_content_key(Burnup(later)) == compute_content_key(burnup)


STORIES = {
    "velocity": "Velocity: the last 7 sprints completed 19 to 38 points, the median is 31. "
    "The latest, which ended on 20 November, completed 38 and had committed 36.",
    "velocity_one": "Velocity: the only closed sprint completed 17 points. "
    "The latest, which ended on 20 November, completed 17 and had committed 20; a median needs more sprints.",
    "burnup_behind": "Burnup: 22 of 39 points are done on 23 November, day 8 of 14; the ideal line goes from 17 "
    "to 20.4 that day, so the sprint is 1.6 points ahead. Scope grew by 5 points after the start.",
    "throughput": "Throughput: 40 items were done in 13 weeks from 31 August, the median week had 3.5. "
    "The most was 6 in the week of 31 August; none of the whole weeks was empty; the latest week has 0 so far.",
    "throughput_days": "Throughput: 16 items were done in 15 days from 9 November, the median day had 1. "
    "The most was 3 on 11 November; 2 of the working days had none.",
    "aging": "Age of work: 6 items are in progress, the oldest is number 100 with at least 14 days. "
    "2 of them are older than the 9 days within which 85 percent of finished items were done.",
    "fan": "Forecast: 22 of 39 points are done, and the chance that all will be done is 7 in 10. "
    "The chances for 27 November: 9 in 10 that at least 34 are done, 5 in 10 that at least 42 are, "
    "1 in 10 that at least 50 are.",
    "fan_of_little": "Forecast: 33 of 34 points are done, and the chance that all will be done is more than "
    "9 in 10. The chances for 27 November: more than 9 in 10 that at least 34 are done.",
    "calibration": "Calibration: of at most 3 in 10, 2 of 9 came true; of 4 to 6 in 10, 6 of 14; "
    "of 7 to 9 in 10, 17 of 22; of more than 9 in 10, 12 of 12. "
    "In all 37 came true, and 38 were expected.",
}
