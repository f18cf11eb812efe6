"""The house style. All lengths are CSS pixels, as readers see them at 100 %; pictures are drawn at 2×.

The card is opaque and light, because an image in a comment cannot follow GitHub's theme: dark ink on a white
card with a visible edge reads the same on a white and on a nearly black page.

On a phone the card is shown about 400 px wide, half its size, so no text is smaller than 18.
"""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.font_manager import FontProperties

WIDTH, HEIGHT = 760, 400
PIXEL_RATIO = 2

# The contrast against the card is noted beside each ink; text needs 4.5. Blue, orange and grey differ for
# every kind of colour blindness, and each also differs in form: solid line, triangle, dashes.
CARD = "#ffffff"
EDGE = "#d1d9e0"
INK = "#1f2328"  # 15.8
QUIET_INK = "#59636e"  # 6.1
REMAINING = "#0a5bb5"  # 6.6
IDEAL = "#6a737d"  # 4.8
SCOPE = "#b34700"  # 5.7
GRID = "#e4e8ec"
BASELINE = "#9aa4ae"
DAY_OFF = "#f0f2f5"
TODAY = "#deedfc"
TODAY_LINE = "#8fbdea"
# Areas between lines, light enough for any ink to be read on them.
BAND, INNER_BAND, LATE_AREA = "#deedfc", "#b3d4f5", "#fdeee2"
WAITING_AREA, WORK_AREA, DONE_AREA, DROPPED_AREA = "#eceff2", "#fbdcc3", "#cfe3f8", "#d3d8de"

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
    ink: str
    font: FontProperties

    @property
    def cap_height(self) -> float:
        return CAP_HEIGHT * self.size

    @property
    def descent(self) -> float:
        return DESCENT * self.size


HEADLINE = Lettering(34, REMAINING, _BOLD)
HEADLINE_UNIT = Lettering(20, REMAINING, _REGULAR)
PLAN_LABEL = Lettering(20, REMAINING, _BOLD)
IDEAL_LABEL = Lettering(20, IDEAL, _REGULAR)
SCOPE_LABEL = Lettering(18, SCOPE, _BOLD)
TICK = Lettering(18, QUIET_INK, _REGULAR)
VALUE = Lettering(18, REMAINING, _BOLD)
VALUE_INSIDE = Lettering(18, CARD, _BOLD)
WARNING = Lettering(18, SCOPE, _BOLD)
NAME = Lettering(18, INK, _REGULAR)
ASIDE = Lettering(18, QUIET_INK, _BOLD)
TODAY_TICK = Lettering(18, INK, _BOLD)
