"""The stored picture that stands in for a chart that could not be drawn: `ACCEPT_PICTURES=1` draws it again."""

import os
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from charts import style
from charts.canvas import Canvas, text_width
from charts.placeholder import find_placeholder_file, load_placeholder
from charts.themes import Theme
from tests.support.charts.comparing import MOST_DIFFERENCE


@pytest.mark.parametrize("theme", Theme)
def test_the_stored_picture_says_that_the_chart_could_not_be_drawn(theme: Theme) -> None:
    picture = _draw(theme)
    if os.environ.get("ACCEPT_PICTURES"):
        find_placeholder_file(theme).write_bytes(picture)
    difference = _read_pixels(picture) - _read_pixels(load_placeholder(theme))
    assert np.sqrt((difference**2).mean()) < MOST_DIFFERENCE


def _read_pixels(png: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"), dtype=np.float64)


def _draw(theme: Theme) -> bytes:
    """Draw the lines in the middle of an empty card."""
    canvas = Canvas(theme)
    lines = (
        ("This chart could not be drawn.", style.TODAY_TICK),
        ("Something went wrong on our side; it has been noted.", style.TICK),
        ("Reload the page in a few minutes to try again.", style.TICK),
    )
    for (text, lettering), baseline in zip(lines, (230, 194, 166), strict=True):
        canvas.text((style.WIDTH - text_width(text, lettering)) / 2, baseline, text, lettering)
    canvas.outline()
    return canvas.png()
