"""Pictures compared with accepted ones, and the words on a picture with their places."""

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, Point
from charts.locales import ENGLISH, Locale
from charts.render import Chart, render
from charts.themes import Ink
from sprints.burndown import Burndown

ACCEPTED = Path(__file__).parents[2] / "charts/accepted"
# Pictures are compared at a quarter of their size, which forgives stray pixels. A word with two letters
# swapped is 1.2, a shade of colour 2, a headline that moved by 2 CSS pixels 4, another number 12.
MOST_DIFFERENCE = 1.0
MOST_BYTES = 60_000


def difference_from_accepted(png: bytes, name: str) -> float:
    """The root mean square difference per channel, of 255."""
    return _difference(_small(png), ACCEPTED / f"{name}.png")


def accept_if_asked(png: bytes, name: str) -> None:
    """With ACCEPT_PICTURES in the environment, a picture that changed becomes the accepted one."""
    picture, path = _small(png), ACCEPTED / f"{name}.png"
    if os.environ.get("ACCEPT_PICTURES") and (not path.exists() or _difference(picture, path) > 0):
        picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def words_on(chart: Chart, locale: Locale = ENGLISH) -> list[tuple[str, Box]]:
    """What is written on a picture, and where: from the baseline to the height of capitals."""
    result = list[tuple[str, Box]]()

    def note(_: Canvas, x: float, y: float, text: str, lettering: style.Lettering) -> None:
        result.append((text, Box(x, y, x + text_width(text, lettering), y + lettering.cap_height)))

    with patch.object(Canvas, "text", note):
        render(chart, locale)
    return result


def days_of_scope_markers(chart: Burndown) -> list[int]:
    """The days at which the picture of a burndown marks a change of scope, by the places of its triangles."""
    triangles, line = list[Sequence[Point]](), list[Point]()

    def note_shapes(_: Canvas, shapes: Sequence[Sequence[Point]], ink: Ink) -> None:
        triangles.extend(shapes if ink is Ink.SCOPE else ())

    def note_lines(_: Canvas, lines: Sequence[Sequence[Point]], ink: Ink, *__: object, **___: object) -> None:
        line.extend(lines[0] if ink is Ink.REMAINING else ())

    with patch.object(Canvas, "shapes", note_shapes), patch.object(Canvas, "lines", note_lines):
        render(chart)
    places = [sum(x for x, _ in triangle[:2]) / 2 for triangle in triangles]
    # The line begins with the commitment; then it has a point for each day.
    return [min(range(1, len(line)), key=lambda n: abs(line[n][0] - place)) - 1 for place in places]


def misplaced(chart: Chart, locale: Locale = ENGLISH) -> list[str]:
    """Words that are not wholly on the card, or that lie on others."""
    card, words = Box(2, 3, style.WIDTH - 2, style.HEIGHT - 3), words_on(chart, locale)
    outside = [f"{text} leaves the card" for text, box in words if not box.is_within(card)]
    overlapping = [
        f"{text} lies on {other}"
        for n, (text, box) in enumerate(words)
        for other, taken in words[:n]
        if box.overlaps(taken)
    ]
    return outside + overlapping


def _small(png: bytes) -> Image.Image:
    return (
        Image.open(BytesIO(png))
        .convert("RGB")
        .resize((style.WIDTH // 2, style.HEIGHT // 2), Image.Resampling.BOX)
    )


def _difference(picture: Image.Image, accepted: Path) -> float:
    if not accepted.exists():
        return 255.0
    difference = _pixels(picture.quantize(64, dither=Image.Dither.NONE)) - _pixels(Image.open(accepted))
    return float(np.sqrt((difference**2).mean()))


def _pixels(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image.convert("RGB"), dtype=np.float64)
