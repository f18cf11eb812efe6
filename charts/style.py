"""The house style. All lengths are CSS pixels, as readers see them at 100 %; pictures are drawn at 2×.

On a phone the card is shown about 400 px wide, half its size, so no text is smaller than 18.
"""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.font_manager import FontProperties

from charts.themes import CARD_HEIGHT, CARD_WIDTH, Ink

WIDTH, HEIGHT = CARD_WIDTH, CARD_HEIGHT
PIXEL_RATIO = 2

# Height of a capital or digit, and depth below the baseline, as shares of the font size.
CAP_HEIGHT, DESCENT = 0.73, 0.24

# DejaVu comes with matplotlib, so a picture is the same on every machine. Naming the file avoids a search.
_FONTS = Path(mpl.get_data_path(), "fonts", "ttf")
_REGULAR = FontProperties(fname=_FONTS / "DejaVuSans.ttf")
_BOLD = FontProperties(fname=_FONTS / "DejaVuSans-Bold.ttf")


@dataclass(frozen=True, slots=True)
class Lettering:
    """The style of a kind of label: size, ink and font."""

    size: int
    ink: Ink
    font: FontProperties

    @property
    def cap_height(self) -> float:
        return CAP_HEIGHT * self.size

    @property
    def descent(self) -> float:
        return DESCENT * self.size


HEADLINE = Lettering(34, Ink.REMAINING, _BOLD)
HEADLINE_UNIT = Lettering(20, Ink.REMAINING, _REGULAR)
PLAN_LABEL = Lettering(20, Ink.REMAINING, _BOLD)
IDEAL_LABEL = Lettering(20, Ink.IDEAL, _REGULAR)
SCOPE_LABEL = Lettering(18, Ink.SCOPE, _BOLD)
TICK = Lettering(18, Ink.QUIET_TEXT, _REGULAR)
VALUE = Lettering(18, Ink.REMAINING, _BOLD)
VALUE_INSIDE = Lettering(18, Ink.CARD, _BOLD)
WARNING = Lettering(18, Ink.SCOPE, _BOLD)
NAME = Lettering(18, Ink.TEXT, _REGULAR)
ASIDE = Lettering(18, Ink.QUIET_TEXT, _BOLD)
TODAY_TICK = Lettering(18, Ink.TEXT, _BOLD)
