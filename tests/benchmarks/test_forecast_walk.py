"""The walk through the demo's sprint: its order, its texts, and that it is reproducible."""

import pytest

from benchmarks.forecast.walk import NOW, Step, problems_of, step_at, walk
from charts.fan_levels import compute_bands
from charts.locales import find_locale
from charts.render import render
from commands.framework.outcome import Reply
from sprints.forecast_wording import in_words


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    """Some of the steps: nothing open, little, as in the demo, much, and far too much."""
    return walk(points=(0, 1, 14, 40, 511), not_estimated=(0, 2))


def test_the_chance_never_rises_with_open_work_and_nothing_open_is_called_done(steps: list[Step]) -> None:
    assert list(problems_of(steps)) == []


def test_the_trivial_is_likely_and_the_impossible_is_not(steps: list[Step]) -> None:
    chances = {(step.points, step.not_estimated): step.chance or 0 for step in steps}

    assert chances[0, 0] == 1
    assert chances[1, 0] > 0.85
    assert chances[511, 0] < 0.1
    assert chances[511, 2] < 0.1


def test_all_cards_say_one_chance(steps: list[Step]) -> None:
    for step in steps:
        if step.open_items and step.chance is not None:
            words = in_words(step.chance).capitalize()
            assert all(f"**{words}**" in text for text in step.texts.values()), step.points


def test_the_picture_ends_with_the_band_of_the_words_beside_it(steps: list[Step]) -> None:
    for step in steps:
        if step.fan:
            band = compute_bands(step.fan)[-1]
            words = step.texts["/forecast"]
            assert f"between {int(band.p10)} and" in words or f"At the end {int(band.p10)}" in words
            assert render(step.fan, find_locale("en", NOW.date())).startswith(b"\x89PNG")


def test_a_step_is_the_same_each_time() -> None:
    again = step_at(14, 2)

    assert again.texts == step_at(14, 2).texts
    assert "25 of 39 points" in again.texts["/sprint status"]


def test_what_is_wrong_is_found() -> None:
    card = {"/forecast": Reply(("Everything in the sprint is done.",))}
    less, more = Step(14, 0, 0.2, "points", {}), Step(511, 0, 0.4, "points", card)

    assert list(problems_of([less, more])) == [
        "14 points and 0 items without an estimate: the chance is 0.200, but 0.400 with 511 points and 0 such items",
        "511 points and 0 items without an estimate: /forecast says “Everything in the sprint is done”",
    ]
