"""The size of charts, and their colours by purpose in a light and a dark theme.

`<picture>` follows the reader's system and not GitHub's own switch, so each card may stand on a white and on
a nearly black page: it is opaque, with an edge that shows on both. Text has a contrast of at least 4.5 on its
ground, lines and bars of at least 3. Blue, orange and grey differ for every kind of colour blindness, and
each also differs in form: solid line, triangle, dashes. tests/charts/test_themes.py computes all of this.
"""

from collections.abc import Mapping
from enum import StrEnum, auto
from types import MappingProxyType

# In CSS pixels.
CARD_WIDTH, CARD_HEIGHT = 760, 400


class Theme(StrEnum):
    """A theme, by its name in stored pictures."""

    LIGHT = auto()
    DARK = auto()


class Ink(StrEnum):
    """A colour by its purpose; each theme has its own."""

    CARD = auto()
    EDGE = auto()
    # Words, lines, bars and markers.
    TEXT = auto()
    QUIET_TEXT = auto()
    REMAINING = auto()
    IDEAL = auto()
    SCOPE = auto()
    # Thin lines behind everything.
    GRID = auto()
    BASELINE = auto()
    TODAY_LINE = auto()
    # Areas, so close to the card that words can be read on them.
    DAY_OFF = auto()
    TODAY = auto()
    BAND = auto()
    INNER_BAND = auto()
    LATE_AREA = auto()
    WAITING_AREA = auto()
    WORK_AREA = auto()
    DONE_AREA = auto()
    DROPPED_AREA = auto()


Palette = Mapping[Ink, str]

_LIGHT: Palette = {
    Ink.CARD: "#ffffff",
    Ink.EDGE: "#d1d9e0",
    Ink.TEXT: "#1f2328",
    Ink.QUIET_TEXT: "#59636e",
    Ink.REMAINING: "#0a5bb5",
    Ink.IDEAL: "#5f6872",
    Ink.SCOPE: "#b34700",
    Ink.GRID: "#e4e8ec",
    Ink.BASELINE: "#848d97",
    Ink.TODAY_LINE: "#4a90d9",
    Ink.DAY_OFF: "#f0f2f5",
    Ink.TODAY: "#deedfc",
    Ink.BAND: "#deedfc",
    Ink.INNER_BAND: "#b3d4f5",
    Ink.LATE_AREA: "#fdeee2",
    Ink.WAITING_AREA: "#eceff2",
    Ink.WORK_AREA: "#fbdcc3",
    Ink.DONE_AREA: "#cfe3f8",
    Ink.DROPPED_AREA: "#d3d8de",
}
_DARK: Palette = {
    Ink.CARD: "#151b23",
    Ink.EDGE: "#4b535d",
    Ink.TEXT: "#f0f6fc",
    Ink.QUIET_TEXT: "#a8b1bb",
    Ink.REMAINING: "#6cb6ff",
    Ink.IDEAL: "#9da7b3",
    Ink.SCOPE: "#f69d50",
    Ink.GRID: "#2a313a",
    Ink.BASELINE: "#6e7681",
    Ink.TODAY_LINE: "#3f86d6",
    Ink.DAY_OFF: "#1f262f",
    Ink.TODAY: "#17304b",
    Ink.BAND: "#17304b",
    Ink.INNER_BAND: "#1d4670",
    Ink.LATE_AREA: "#332419",
    Ink.WAITING_AREA: "#252c35",
    Ink.WORK_AREA: "#4d3320",
    Ink.DONE_AREA: "#183a5c",
    Ink.DROPPED_AREA: "#3a424c",
}
PALETTES: Mapping[Theme, Palette] = MappingProxyType({Theme.LIGHT: _LIGHT, Theme.DARK: _DARK})
