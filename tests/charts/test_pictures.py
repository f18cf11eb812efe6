"""What people see. Accept changed pictures with `ACCEPT_PICTURES=1 python -m pytest tests/charts`, then look
at each one in tests/charts/accepted/ before you commit it, and count up STYLE_VERSION."""

import os
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray
from PIL import Image

from charts import style
from charts.burndown import draw
from sprints.burndown import Burndown
from tests.charts.builders import CASES
from tests.charts.strategies import burndowns

ACCEPTED = Path(__file__).parent / "accepted"
# Pictures are compared at a quarter of their size, which forgives stray pixels. A word with two letters
# swapped is 1.2, a shade of colour 2, a headline that moved by 2 CSS pixels 4, another number 12.
MOST_DIFFERENCE = 1.0
MOST_BYTES = 60_000


@pytest.mark.parametrize("name", CASES)
def test_picture_is_the_accepted_one(name: str) -> None:
    picture = _small(draw(CASES[name]))
    path = ACCEPTED / f"{name}.png"
    if os.environ.get("ACCEPT_PICTURES") and (not path.exists() or _difference(picture, path) > 0):
        picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
    assert _difference(picture, path) < MOST_DIFFERENCE, f"{name} looks different; see the top of this file"


def test_another_number_is_a_difference() -> None:
    """The tolerance is not so wide that a wrong label passes."""
    changed = _small(draw(_with_last(CASES["behind"], "18")))
    assert _difference(changed, ACCEPTED / "behind.png") > MOST_DIFFERENCE


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


def _small(png: bytes) -> Image.Image:
    return (
        Image.open(BytesIO(png))
        .convert("RGB")
        .resize((style.WIDTH // 2, style.HEIGHT // 2), Image.Resampling.BOX)
    )


def _difference(picture: Image.Image, accepted: Path) -> float:
    """The root mean square difference per channel, of 255."""
    if not accepted.exists():
        return 255.0
    difference = _pixels(picture.quantize(64, dither=Image.Dither.NONE)) - _pixels(Image.open(accepted))
    return float(np.sqrt((difference**2).mean()))


def _pixels(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image.convert("RGB"), dtype=np.float64)
