"""The velocity picture: committed and completed work of the last sprints, and the median completed."""

from collections.abc import Sequence

from charts import style
from charts.bars import draw_bars, draw_column_dates, draw_numbers, lay_out_bars, place_bar
from charts.canvas import HOUSE_GROUNDS, Canvas
from charts.labels import Box, LabelSpace, Point
from charts.plot import BOTTOM, DayPlot, draw_grid, draw_title, place_needed_words
from charts.scale import choose_value_ticks
from charts.themes import Ink, Theme
from charts.values import VelocityBars

# The width of the commitment's mark, as a multiple of its bar's width.
_MARK_SHARE = 1.24


def draw(velocity: VelocityBars, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×: a bar of completed work per sprint, with a mark at the commitment."""
    bars = velocity.bars
    highest = max((max(bar.committed, bar.completed) for bar in bars), default=0)
    ticks = choose_value_ticks(float(highest), whole=velocity.unit != "points")
    plot = lay_out_bars(len(bars), ticks, velocity.median)
    canvas = Canvas(theme, HOUSE_GROUNDS)
    unit = "Points" if velocity.unit == "points" else "Items"
    title = draw_title(canvas, f"{unit} completed per sprint, by its last day")
    _draw_band(canvas, plot, velocity)
    draw_grid(canvas, plot, ticks)
    boxes = draw_bars(canvas, plot, [bar.completed for bar in bars], velocity.median)
    marks = [place_bar(plot, n, bar.committed, _MARK_SHARE) for n, bar in enumerate(bars)]
    lines = [((box.left, box.top), (box.right, box.top)) for box in marks]
    canvas.lines(lines, Ink.CARD, 7)
    canvas.lines(lines, Ink.TEXT, 3)
    numbers = draw_numbers(canvas, plot, [bar.completed for bar in bars], marks=marks)
    rules = [*map(plot.y, ticks), *([] if velocity.median is None else [plot.y(velocity.median)])]
    space = LabelSpace(Box(plot.left + 4, BOTTOM, plot.right + 6, style.HEIGHT), [], rules)
    marked = [Box(mark.left, mark.top - 3, mark.right, mark.top + 3) for mark in marks]
    for box in (title, *marked, *boxes, *numbers):
        space.take(box)
    _label_marks(canvas, space, marks)
    draw_column_dates(canvas, plot, [bar.last_day for bar in bars])
    canvas.outline()
    return canvas.png()


def _draw_band(canvas: Canvas, plot: DayPlot, velocity: VelocityBars) -> None:
    """Draw the range from the least to the most that a sprint completed."""
    if velocity.least is not None and velocity.most is not None:
        band = Box(plot.left, plot.y(velocity.least), plot.right, plot.y(velocity.most))
        canvas.areas([band], [Ink.BAND])


def _label_marks(canvas: Canvas, space: LabelSpace, marks: Sequence[Box]) -> None:
    """Label the marks, the latest first, each above its mark if there is room."""

    def above(width: float, _: float) -> list[Point]:
        lefts = [
            (mark, left)
            for mark in reversed(marks)
            for left in ((mark.left + mark.right - width) / 2, mark.left, mark.right - width)
        ]
        return [(left, mark.top + 6) for mark, left in lefts]

    if marks:
        anchor = ((marks[-1].left + marks[-1].right) / 2, marks[-1].top)
        place_needed_words(canvas, space, "committed", style.NAME, above, anchor=anchor)
