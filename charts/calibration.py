"""The calibration picture: how often forecasts came true, beside the chance that they had said."""

from collections.abc import Sequence
from dataclasses import dataclass

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, Point, Space
from charts.plot import (
    DATES_AT,
    MARGIN,
    PERIODS_AT,
    TITLED_TOP,
    Plot,
    draw_grid,
    draw_title,
    left_edge,
    place_words,
)
from charts.reading import whole
from charts.values import Calibration
from sprints.forecast_grades import Bin

_TICKS = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
_LEAST_DOT, _LARGEST_DOT = 7.0, 20.0
_SAID = "chance that was said"


def draw(calibration: Calibration) -> bytes:
    """The picture as PNG at 2×: dots for what was said, larger for more forecasts. The diagonal is ideal."""
    plot = _ChancePlot(left_edge(_TICKS, _percent), style.WIDTH - MARGIN - 10, 100.0, TITLED_TOP)
    canvas = Canvas((style.CARD,))
    title = draw_title(canvas, "Forecasts that came true")
    draw_grid(canvas, plot, _TICKS, _percent)
    for tenths in (1, 3, 5, 7, 9):
        name = f"{tenths} in 10"
        canvas.text(plot.x(tenths / 10) - text_width(name, style.TICK) / 2, DATES_AT, name, style.TICK)
    middle = plot.x(0.5) - text_width(_SAID, style.TICK) / 2
    canvas.text(middle, PERIODS_AT, _SAID, style.TICK)
    diagonal = [(plot.x(0), plot.y(0)), (plot.x(1), plot.y(100))]
    canvas.lines([diagonal], style.IDEAL, 2.5, dashes=(7, 5))
    centres = [(plot.x(one.mean_chance), plot.y(100 * one.share)) for one in calibration.bins]
    _draw_dots(canvas, centres, calibration.bins)
    space = Space(plot.room, [diagonal], [plot.y(tick) for tick in _TICKS])
    space.take(title)
    _label(canvas, space, plot, centres, calibration.bins)
    canvas.outline()
    return canvas.png()


@dataclass(frozen=True, slots=True)
class _ChancePlot(Plot):
    """One with chances from 0 to 1 on its level axis."""

    def x(self, chance: float) -> float:
        return self.left + chance * (self.right - self.left)


def _percent(value: float) -> str:
    return f"{value:.0f} %"


def _radii(bins: Sequence[Bin]) -> list[float]:
    """Dots whose areas tell how many forecasts they stand for."""
    most = max((one.n for one in bins), default=1)
    return [max(_LEAST_DOT, _LARGEST_DOT * (one.n / most) ** 0.5) for one in bins]


def _draw_dots(canvas: Canvas, centres: Sequence[Point], bins: Sequence[Bin]) -> None:
    for centre, radius in sorted(zip(centres, _radii(bins), strict=True), key=lambda pair: -pair[1]):
        canvas.dots([centre], radius + 2, style.CARD)
        canvas.dots([centre], radius, style.REMAINING)


def _label(
    canvas: Canvas, space: Space, plot: _ChancePlot, centres: Sequence[Point], bins: Sequence[Bin]
) -> None:
    """How many of how many came true beside each dot, and what the diagonal is."""
    dots = list(zip(centres, _radii(bins), strict=True))
    for (x, y), radius in dots:
        space.take(Box(x - radius, y - radius, x + radius, y + radius))
    for ((x, y), radius), one in zip(dots, bins, strict=True):

        def around(
            width: float, height: float, x: float = x, y: float = y, r: float = radius + 8
        ) -> list[Point]:
            beside = [(x + r, y - height / 2), (x - r - width, y - height / 2)]
            return [*beside, (x - width / 2, y - r - height), (x - width / 2, y + r)]

        place_words(canvas, space, f"{whole(one.true)} of {whole(one.n)}", style.VALUE, around, most_hits=5)

    def along(width: float, height: float) -> list[Point]:
        spots = [(plot.x(share), plot.y(100 * share)) for share in (0.36, 0.65, 0.5, 0.2, 0.88)]
        return [spot for x, y in spots for spot in ((x - width - 12, y + 4), (x + 12, y - height - 4))]

    place_words(canvas, space, "as said", style.IDEAL_LABEL, along, most_hits=3)
