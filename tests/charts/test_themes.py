"""Both themes are readable, on white and on nearly black pages, also for people with colour blindness."""

from collections.abc import Callable
from io import BytesIO
from itertools import combinations
from unittest.mock import patch

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from charts import style
from charts.canvas import Canvas
from charts.labels import Box
from charts.render import Chart, describe_chart, render
from charts.themes import PALETTES, Ink, Theme
from tests.support.charts.builders import CASES as BURNDOWNS
from tests.support.charts.family import CASES as OTHERS

CASES: dict[str, Chart] = {**BURNDOWNS, **OTHERS}
# GitHub's own pages, light and dark.
PAGES = ("#ffffff", "#0d1117")
AREAS = (
    *(Ink.CARD, Ink.DAY_OFF, Ink.TODAY, Ink.BAND, Ink.INNER_BAND, Ink.LATE_AREA),
    *(Ink.WAITING_AREA, Ink.WORK_AREA, Ink.DONE_AREA, Ink.DROPPED_AREA),
)
# What a chart cannot be understood without.
GRAPHICS = (Ink.TEXT, Ink.QUIET_TEXT, Ink.REMAINING, Ink.IDEAL, Ink.SCOPE)
Rgb = NDArray[np.float64]


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("ink", GRAPHICS)
def test_words_and_lines_stand_out_from_the_card_and_lines_from_every_area(theme: Theme, ink: Ink) -> None:
    palette = PALETTES[theme]
    assert contrast(palette[ink], palette[Ink.CARD]) >= 4.5
    for area in AREAS:
        assert contrast(palette[ink], palette[area]) >= 3, area


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("ink", [Ink.BASELINE, Ink.TODAY_LINE])
def test_thin_lines_that_say_something_stand_out_from_the_card(theme: Theme, ink: Ink) -> None:
    assert contrast(PALETTES[theme][ink], PALETTES[theme][Ink.CARD]) >= 3


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("page", PAGES)
def test_the_card_ends_visibly_on_either_page(theme: Theme, page: str) -> None:
    palette = PALETTES[theme]
    assert max(contrast(palette[Ink.CARD], page), contrast(palette[Ink.EDGE], page)) >= 1.4


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("name", CASES)
def test_every_word_is_readable_where_it_is_written(name: str, theme: Theme) -> None:
    """Compare each word with the colours that are really below it."""
    words, ground = _draw_without_words(CASES[name], theme)
    palette = PALETTES[theme]
    unreadable = [
        f"{text}: {contrast(palette[ink], colour):.1f} on {colour}"
        for text, ink, box in words
        if contrast(palette[ink], colour := _most_common_colour(ground, box)) < 4.5
    ]
    assert unreadable == []


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("kind", ["usual", "protanopia", "deuteranopia", "tritanopia"])
def test_what_differs_by_colour_differs_for_everybody(theme: Theme, kind: str) -> None:
    """The lines of work, plan and scope, and the areas that touch each other in a cumulative flow."""
    palette, see = PALETTES[theme], _SIGHTS[kind]
    for first, second in combinations((Ink.REMAINING, Ink.SCOPE, Ink.IDEAL), 2):
        assert _distance(see(palette[first]), see(palette[second])) > 15, (first, second)
    layers = (Ink.DONE_AREA, Ink.DROPPED_AREA, Ink.WORK_AREA, Ink.WAITING_AREA)
    for first, second in combinations(layers, 2):
        assert _distance(see(palette[first]), see(palette[second])) > 4, (first, second)


@pytest.mark.parametrize("name", ["behind", "flow_drops", "aging", "velocity", "fan", "calibration"])
def test_both_themes_show_the_same_words_at_the_same_places(name: str) -> None:
    light, dark = (_draw_without_words(CASES[name], theme)[0] for theme in Theme)
    assert light == dark
    assert describe_chart(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_a_dark_picture_is_dark_opaque_and_small(name: str) -> None:
    png = render(CASES[name], theme=Theme.DARK)
    image = Image.open(BytesIO(png))
    assert image.mode == "P", "no transparency: the page below may be white"
    assert "transparency" not in image.info
    assert len(png) <= 100_000
    card = tuple(round(255 * channel) for channel in to_rgb(PALETTES[Theme.DARK][Ink.CARD]))
    assert image.convert("RGB").getpixel((8, 8)) == card


def contrast(first: str, second: str) -> float:
    """The contrast of two colours as WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    return float(_linear(colour) @ [0.2126, 0.7152, 0.0722])


def _linear(colour: str) -> Rgb:
    channels = np.asarray(to_rgb(colour))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _draw_without_words(chart: Chart, theme: Theme) -> tuple[list[tuple[str, Ink, Box]], NDArray[np.uint8]]:
    """Draw a chart without its words; return these with their inks and places, and the pixels."""
    words = list[tuple[str, Ink, Box]]()

    def note(_: Canvas, x: float, y: float, text: str, lettering: style.Lettering) -> None:
        width = max(1.0, lettering.size * 0.5 * len(text))
        words.append((text, lettering.ink, Box(x, y, x + width, y + lettering.cap_height)))

    with patch.object(Canvas, "text", note):
        png = render(chart, theme=theme)
    return words, np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def _most_common_colour(pixels: NDArray[np.uint8], box: Box) -> str:
    ratio = style.PIXEL_RATIO
    rows = slice(round((style.HEIGHT - box.top) * ratio), round((style.HEIGHT - box.bottom) * ratio))
    columns = slice(max(0, round(box.left * ratio)), round(box.right * ratio))
    colours, counts = np.unique(pixels[rows, columns].reshape(-1, 3), axis=0, return_counts=True)
    red, green, blue = colours[counts.argmax()]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _simulate(matrix: Rgb) -> Callable[[str], Rgb]:
    """How a colour looks with a colour blindness (Machado, Oliveira and Fernandes 2009, full severity)."""
    return lambda colour: np.clip(matrix @ _linear(colour), 0, 1)


_SIGHTS = {
    "usual": _simulate(np.eye(3)),
    "protanopia": _simulate(
        np.array(
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ]
        )
    ),
    "deuteranopia": _simulate(
        np.array(
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
        )
    ),
    "tritanopia": _simulate(
        np.array(
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ]
        )
    ),
}


def _distance(first: Rgb, second: Rgb) -> float:
    """The distance of two linear colours in CIELAB; 2 is just visible."""
    return float(np.linalg.norm(_lab(first) - _lab(second)))


def _lab(linear: Rgb) -> Rgb:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratios = to_xyz @ linear / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(ratios > (6 / 29) ** 3, np.cbrt(ratios), ratios / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
