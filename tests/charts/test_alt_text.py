from dataclasses import replace

import pytest
from hypothesis import given

from charts.alt_text import describe_burndown
from sprints.burndown import Burndown
from tests.support.charts.builders import CASES, burndown
from tests.support.charts.strategies import burndowns

UNCHANGED = "Scope is unchanged since the start."
STORIES = {
    "behind": "Burndown: 17 of 39 points remain on 23 November, day 8 of 14; "
    "the ideal line goes from 17 to 13.6 that day, so the sprint is on the line. "
    "Scope grew by 5 points after the start.",
    "ahead": "Burndown: 6 of 30 points remain on 23 November, day 8 of 14; "
    "the ideal line goes from 17 to 13.6 that day, so the sprint is 7.6 points ahead. "
    "Scope shrank by 4 points after the start.",
    "unfinished": "Burndown: 11 of 26 points were left at the end on 29 November, day 14. "
    "Scope grew by 5 points after the start.",
    "finished": f"Burndown: 0 of 21 points were left at the end on 29 November, day 14. {UNCHANGED}",
    "last_day": "Burndown: 5 of 34 points remain on 29 November, day 14 of 14; "
    f"the ideal line is at 0, so the sprint is 5 points behind. {UNCHANGED}",
    "half_points": "Burndown: 0.5 of 0.5 points remain on 17 November, day 2 of 5; "
    f"the ideal line goes from 0.4 to 0.3 that day, so the sprint is 0.1 points behind. {UNCHANGED}",
    "items": "Burndown: 6 of 10 items remain on 20 November, day 5 of 14; "
    "the ideal line goes from 5.4 to 4.5 that day, so the sprint is 0.6 items behind. "
    "Scope grew by 1 item after the start.",
    "open_ended": "Burndown: 7 of 14 points remain on 23 November, day 8; "
    "without a due date there is no ideal line. Scope grew by 2 points after the start.",
    "moved": "Burndown: 22 of 37 points remain on 23 November, day 8 of 18; "
    "the ideal line goes from 17 to 15.1 that day, so the sprint is 5 points behind. "
    "Scope grew by 3 points after the start; the due date was first moved on 23 November.",
    "not_started": "Burndown: 30 points planned from 16 November to 29 November. "
    "The sprint has no figures yet.",
    "open_not_started": "Burndown: 12 points planned, without a due date. There are no figures yet.",
    "no_days": "Burndown: 8 points planned. The sprint has no days.",
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    assert describe_burndown(CASES[name]) == STORIES[name]


def test_a_finished_day_is_compared_with_its_end() -> None:
    """While the day was under way, 17 was on the line; when it is over, the ideal is 13.6."""
    at_day_end = replace(CASES["behind"], is_day_complete=True)
    assert "the ideal line is at 13.6, so the sprint is 3.4 points behind" in describe_burndown(at_day_end)


def test_thousands() -> None:
    assert "1,234.5 of 2,000 points remain" in describe_burndown(burndown(2000, ["1234.5"]))


def test_one_point_remains() -> None:
    assert "Burndown: 1 of 26 points remains on" in describe_burndown(burndown(26, ["1"]))
    one_hidden = replace(burndown(26, ["1"]), hidden=2)
    assert "1 of 26 points and 2 items worth no points remain on" in describe_burndown(one_hidden)


@given(burndowns())
def test_is_two_plain_sentences(value: Burndown) -> None:
    text = describe_burndown(value)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;−")
    assert text.endswith(".")
    assert text.count(". ") == 1
