"""The stored picture that stands in for a chart that could not be drawn: `ACCEPT_PICTURES=1` draws it again."""

import os
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from charts import style
from charts.canvas import Canvas, text_width
from charts.placeholder import PLACEHOLDER_FILE, load_placeholder
from tests.support.charts.comparing import MOST_DIFFERENCE


def test_the_stored_picture_says_that_the_chart_could_not_be_drawn() -> None:
    picture = _draw()
    if os.environ.get("ACCEPT_PICTURES"):
        PLACEHOLDER_FILE.write_bytes(picture)
    difference = _read_pixels(picture) - _read_pixels(load_placeholder())
    assert np.sqrt((difference**2).mean()) < MOST_DIFFERENCE


def _read_pixels(png: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"), dtype=np.float64)


def _draw() -> bytes:
    """Draw the lines in the middle of an empty card."""
    canvas = Canvas()
    lines = (
        ("This chart could not be drawn.", style.TODAY_TICK),
        ("Something went wrong on our side; it has been noted.", style.TICK),
        ("Reload the page in a few minutes to try again.", style.TICK),
    )
    for (text, lettering), baseline in zip(lines, (230, 194, 166), strict=True):
        canvas.text((style.WIDTH - text_width(text, lettering)) / 2, baseline, text, lettering)
    canvas.outline()
    return canvas.png()
