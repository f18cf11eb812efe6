"""What people see. Accept changed pictures with `ACCEPT_PICTURES=1 python -m pytest tests/charts`, then look
at each one in tests/charts/accepted/ before you commit it, and count up STYLE_VERSION."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given, settings
from PIL import Image

from charts import style
from charts.burndown import draw
from sprints.burndown import Burndown
from tests.support.charts.builders import CASES
from tests.support.charts.comparing import (
    MOST_BYTES,
    MOST_DIFFERENCE,
    accept_if_asked,
    difference_from_accepted,
)
from tests.support.charts.strategies import burndowns


@pytest.mark.parametrize("name", CASES)
def test_picture_is_the_accepted_one(name: str) -> None:
    picture = draw(CASES[name])
    accept_if_asked(picture, name)
    difference = difference_from_accepted(picture, name)
    assert difference < MOST_DIFFERENCE, f"{name} looks different; see the top of this file"


def test_another_number_is_a_difference() -> None:
    """The tolerance is not so wide that a wrong label passes."""
    changed = draw(_with_last(CASES["behind"], "18"))
    assert difference_from_accepted(changed, "behind") > MOST_DIFFERENCE


@pytest.mark.parametrize("name", CASES)
def test_size_format_and_grounds(name: str) -> None:
    png = draw(CASES[name])
    image = Image.open(BytesIO(png))
    assert image.size == (2 * style.WIDTH, 2 * style.HEIGHT)
    assert len(png) <= MOST_BYTES
    assert not image.info, "no time, software or resolution that would differ between machines"
    ground = image.convert("RGB").getpixel((8, 8))
    assert ground == (255, 255, 255), "the palette keeps the card's white exact"


def test_same_value_same_bytes() -> None:
    case = CASES["busy_scope"]
    assert draw(case) == draw(case)


@settings(max_examples=25, deadline=None)
@given(burndowns(longest=900))
def test_every_burndown_can_be_drawn(burndown: Burndown) -> None:
    assert draw(burndown).startswith(b"\x89PNG")


def _with_last(burndown: Burndown, value: str) -> Burndown:
    days = list(burndown.days)
    days[burndown.as_of_day] = replace(days[burndown.as_of_day], remaining=Decimal(value))
    return replace(burndown, days=tuple(days))
