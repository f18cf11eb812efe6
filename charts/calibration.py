"""The calibration picture: how often forecasts came true, beside their chances."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, LabelSpace, Point
from charts.plot import (
    DATES_AT,
    MARGIN,
    PERIODS_AT,
    TITLED_TOP,
    Plot,
    draw_grid,
    draw_title,
    find_left_edge,
    place_words,
)
from charts.reading import whole
from charts.themes import Ink, Theme
from charts.values import Calibration
from sprints.forecast_scores import CalibrationBin

_TICKS = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
_LEAST_DOT, _LARGEST_DOT = 5.0, 16.0
# The number of forecasts of the largest dot: fewer prove little, so their dots are smaller.
_MANY = 30
_TITLE = "Forecasts that came true, by the chance that was said; 80 % intervals"


def draw(calibration: Calibration, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×: a dot for each chance, larger for more forecasts. The diagonal is ideal.

    A line through each dot is the 80 % interval of its true rate; below is the number of forecasts.
    """
    plot = _ChancePlot(find_left_edge(_TICKS, _percent), style.WIDTH - MARGIN - 10, 100.0, TITLED_TOP)
    canvas, bins = Canvas(theme, (Ink.CARD,)), calibration.bins
    title = draw_title(canvas, _TITLE)
    draw_grid(canvas, plot, _TICKS, _percent)
    for tenths in (1, 3, 5, 7, 9):
        name = f"{tenths} in 10"
        canvas.text(plot.x(tenths / 10) - text_width(name, style.TICK) / 2, DATES_AT, name, style.TICK)
    diagonal = [(plot.x(0), plot.y(0)), (plot.x(1), plot.y(100))]
    canvas.lines([diagonal], Ink.IDEAL, 2.5, dashes=(7, 5))
    intervals = [_interval(plot, group) for group in bins]
    canvas.lines(intervals, Ink.TODAY_LINE, 4)
    centres = [(plot.x(group.mean_chance), plot.y(100 * group.share)) for group in bins]
    _draw_dots(canvas, centres, bins)
    space = LabelSpace(plot.room, [diagonal, *intervals], [plot.y(tick) for tick in _TICKS])
    space.take(title)
    _draw_counts(canvas, plot, bins)
    _label_diagonal(canvas, space, plot, zip(centres, _radii(bins), strict=True))
    canvas.outline()
    return canvas.png()


@dataclass(frozen=True, slots=True)
class _ChancePlot(Plot):
    """A plot with chances from 0 to 1 on its horizontal axis."""

    def x(self, chance: float) -> float:
        return self.left + chance * (self.right - self.left)


def _percent(value: float) -> str:
    return f"{value:.0f} %"


def _interval(plot: _ChancePlot, group: CalibrationBin) -> list[Point]:
    low, high = group.interval
    x = plot.x(group.mean_chance)
    return [(x, plot.y(100 * low)), (x, plot.y(100 * high))]


def _radii(bins: Sequence[CalibrationBin]) -> list[float]:
    """Return the radii of dots whose areas grow with the number of forecasts."""
    most = max([_MANY, *(group.n for group in bins)])
    return [max(_LEAST_DOT, _LARGEST_DOT * (group.n / most) ** 0.5) for group in bins]


def _draw_dots(canvas: Canvas, centres: Sequence[Point], bins: Sequence[CalibrationBin]) -> None:
    for centre, radius in sorted(zip(centres, _radii(bins), strict=True), key=lambda pair: -pair[1]):
        canvas.dots([centre], radius + 2, Ink.CARD)
        canvas.dots([centre], radius, Ink.REMAINING)


def _draw_counts(canvas: Canvas, plot: _ChancePlot, bins: Sequence[CalibrationBin]) -> None:
    """Draw the number of forecasts below each dot. Where not all fit, the largest numbers are drawn."""
    if not bins:
        return
    name = "n ="
    taken = [Box(0, 0, plot.left - 10, 1)]
    canvas.text(plot.left - 10 - text_width(name, style.TICK), PERIODS_AT, name, style.TICK)
    for group in sorted(bins, key=lambda group: -group.n):
        words = whole(group.n)
        width = text_width(words, style.VALUE)
        left = max(plot.x(group.mean_chance) - width / 2, plot.left - 2)
        left = min(left, style.WIDTH - MARGIN / 2 - width)
        box = Box(left - 3, 0, left + width + 3, 1)
        if not any(map(box.overlaps, taken)):
            canvas.text(left, PERIODS_AT, words, style.VALUE)
            taken.append(box)


def _label_diagonal(
    canvas: Canvas, space: LabelSpace, plot: _ChancePlot, dots: Iterable[tuple[Point, float]]
) -> None:
    """Label the diagonal beside it."""
    for (x, y), radius in dots:
        space.take(Box(x - radius, y - radius, x + radius, y + radius))

    def along(width: float, height: float) -> list[Point]:
        spots = [(plot.x(share), plot.y(100 * share)) for share in (0.36, 0.65, 0.5, 0.2, 0.88)]
        return [spot for x, y in spots for spot in ((x - width - 12, y + 4), (x + 12, y - height - 4))]

    place_words(canvas, space, "as said", style.IDEAL_LABEL, along, most_hits=3)
