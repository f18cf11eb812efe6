"""Shared parts of charts: positions of values and days on the card, the grid, dates, and labels.

A horizontal axis of days is time: each day is a column with its date in the middle, and a value stands at the
column's right edge, the end of that day; the value of the current day stands in the middle. Point 0 is the
left edge of the first column.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise, product
from math import hypot

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, LabelSpace, Point
from charts.reading import short_day
from charts.scale import ROOM_FOR_DAY, DateTick, choose_date_ticks, write_value
from charts.themes import Ink

MARGIN = 20.0
BOTTOM, TOP = 66.0, style.HEIGHT - 44.0
DATES_AT, PERIODS_AT = 41.0, 15.0
# The top of a plot with a title, and the title's baseline.
TITLED_TOP, _TITLE_AT = style.HEIGHT - 66.0, style.HEIGHT - 30.0
# On a longer axis a day and its month are not unique.
_A_YEAR = 366
# Below these widths of a day's column, shaded days off flicker, dots on the line merge, and a thick line
# hides its own shape.
_LEAST_WIDTH_TO_SHADE, LEAST_WIDTH_FOR_DOTS, _LEAST_WIDTH_FOR_THICK_LINE = 3.0, 14.0, 3.0
# The headline stays out of today's column, unless it would then be this far from its point.
FARTHEST_HEADLINE = 60.0
# Marks of days that are closer look like a bar.
_LEAST_WIDTH_FOR_MARKS = 4.0
# The distance of the places that are tried for words for which no better place is free.
_GRID = 12.0
_ANY_HITS = 10_000


@dataclass(frozen=True, slots=True)
class Plot:
    """The positions of values on the card: from 0 at the bottom to `highest` at the `top`."""

    left: float
    right: float
    highest: float
    top: float

    def y(self, value: Decimal | float) -> float:
        return BOTTOM + float(value) / self.highest * (self.top - BOTTOM)

    @property
    def room(self) -> Box:
        """The room for labels: the plot, and beside and above it."""
        return Box(self.left + 4, BOTTOM + 2, style.WIDTH - MARGIN / 2, style.HEIGHT - 6)


@dataclass(frozen=True, slots=True)
class DayPlot(Plot):
    """A plot with one column for each of `days` days. `today` is the index of today's column, if shown."""

    days: int
    today: int | None = None

    @property
    def day_width(self) -> float:
        return (self.right - self.left) / self.days

    def x(self, days_passed: float) -> float:
        return self.left + days_passed * self.day_width

    @property
    def line_width(self) -> float:
        """The width of the main line."""
        return 4 if self.day_width > _LEAST_WIDTH_FOR_THICK_LINE else 2.5


def find_left_edge(ticks: Sequence[float], name: Callable[[float], str] = write_value) -> float:
    """Return the left edge of a plot beside the names of its values."""
    return MARGIN + max(text_width(name(tick), style.TICK) for tick in ticks) + 10


def draw_title(canvas: Canvas, words: str) -> Box:
    """Draw a title in the corner above the plot, and return its box."""
    canvas.text(MARGIN, _TITLE_AT, words, style.TICK)
    right = MARGIN + text_width(words, style.TICK)
    return Box(MARGIN, _TITLE_AT - style.TICK.descent, right, _TITLE_AT + style.TICK.cap_height)


def draw_grid(
    canvas: Canvas, plot: Plot, ticks: Sequence[float], name: Callable[[float], str] = write_value
) -> None:
    """Draw the grid and its values."""
    _draw_rules(canvas, plot, ticks)
    _draw_values(canvas, plot, ticks, name)


def draw_day_grid(
    canvas: Canvas, plot: DayPlot, ticks: Sequence[float], off: Sequence[bool], line_at: float
) -> None:
    """Draw the background of the lines: days off, today's column, the grid and its values.

    `line_at` is the number of days passed at which a line marks today where columns are too narrow.
    """
    spans = list(_spans_off(off)) if plot.day_width >= _LEAST_WIDTH_TO_SHADE else []
    colours = [Ink.DAY_OFF] * len(spans)
    if plot.today is not None:
        spans.append((plot.today, plot.today + 1))
        colours.append(Ink.TODAY)
    canvas.areas([Box(plot.x(a), BOTTOM, plot.x(b), plot.top) for a, b in spans], colours)
    _draw_rules(canvas, plot, ticks)
    if plot.today is not None and plot.day_width < LEAST_WIDTH_FOR_DOTS:
        x = plot.x(line_at)
        canvas.lines([((x, BOTTOM), (x, plot.top))], Ink.TODAY_LINE, 1.5)
    _draw_values(canvas, plot, ticks, write_value)


def _draw_rules(canvas: Canvas, plot: Plot, ticks: Sequence[float]) -> None:
    grid = [((plot.left, plot.y(tick)), (plot.right, plot.y(tick))) for tick in ticks]
    canvas.lines(grid[1:], Ink.GRID, 1)
    canvas.lines(grid[:1], Ink.BASELINE, 1.5)


def _draw_values(canvas: Canvas, plot: Plot, ticks: Sequence[float], name: Callable[[float], str]) -> None:
    for tick in ticks:
        left = plot.left - 10 - text_width(name(tick), style.TICK)
        baseline = plot.y(tick) - style.TICK.cap_height / 2
        canvas.text(left, baseline, name(tick), style.TICK)


def _spans_off(off: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield runs of days off, as days passed at their start and end."""
    for is_off, run in groupby(enumerate(off), key=lambda pair: pair[1]):
        indices = [i for i, _ in run]
        if is_off:
            yield indices[0], indices[-1] + 1


def draw_dates(canvas: Canvas, days: Sequence[date], plot: DayPlot, last: str = "") -> None:
    """Draw dates under their columns; below them months or years where they begin, and today in full.

    `last` is the text under the last day.
    """
    _draw_day_marks(canvas, plot)
    today = ""
    if plot.today is not None:
        today = f"today, {short_day(days[plot.today], with_year=len(days) > _A_YEAR)}"
    draw_ticks(canvas, choose_date_ticks(days, plot.day_width), plot, today, last)


def _draw_day_marks(canvas: Canvas, plot: DayPlot) -> None:
    """Draw a short mark below each day where not all have a date but each has room for a mark."""
    if _LEAST_WIDTH_FOR_MARKS <= plot.day_width < ROOM_FOR_DAY:
        middles = [plot.x(day + 0.5) for day in range(plot.days)]
        canvas.lines([((x, BOTTOM), (x, BOTTOM - 5)) for x in middles], Ink.BASELINE, 1)


def draw_ticks(
    canvas: Canvas, ticks: Sequence[DateTick], plot: DayPlot, today: str = "", last: str = ""
) -> None:
    """Draw names under columns, below them the periods that begin there, and texts under special days."""
    for tick in ticks:
        lettering = style.TODAY_TICK if tick.day == plot.today else style.TICK
        left = plot.x(tick.day + 0.5) - text_width(tick.name, lettering) / 2
        canvas.text(left, DATES_AT, tick.name, lettering)
    taken = list[Box]()
    if plot.today is not None and today:
        box = _below(plot, plot.today, text_width(today, style.TODAY_TICK))
        canvas.text(box.left, PERIODS_AT, today, style.TODAY_TICK)
        taken.append(Box(box.left - 12, 0, box.right + 12, 1))
    if last:
        box = _below(plot, plot.days - 1, text_width(last, style.TICK))
        if not any(map(box.overlaps, taken)):
            canvas.text(box.left, PERIODS_AT, last, style.TICK)
            taken.append(Box(box.left - 12, 0, box.right + 12, 1))
    # Years first, then from the right: of two neighbouring periods the longer one keeps its name.
    periods = reversed([tick for tick in ticks if tick.period])
    for tick in sorted(periods, key=lambda tick: not tick.period[-4:].isdigit()):
        box = _below(plot, tick.day, text_width(tick.period, style.TICK))
        if not any(map(box.overlaps, taken)):
            canvas.text(box.left, PERIODS_AT, tick.period, style.TICK)
            taken.append(Box(box.left - 12, 0, box.right + 12, 1))


def _below(plot: DayPlot, day: int, width: float) -> Box:
    """Return the box of a text in the lowest row, centred under a day but within the card."""
    left = plot.x(day + 0.5) - width / 2
    left = max(MARGIN, min(left, style.WIDTH - MARGIN - width))
    return Box(left, 0, left + width, 1)


def place_words(
    canvas: Canvas,
    space: LabelSpace,
    words: str,
    lettering: style.Lettering,
    corners: Callable[[float, float], Iterable[Point]],
    most_hits: int = 0,
) -> bool:
    """Draw words at the best of the places that `corners` returns, best first; nowhere if none is free.

    `corners` takes the width and height of the words and returns possible lower left corners. Returns whether
    the words were drawn.
    """
    width, height = text_width(words, lettering), lettering.cap_height + 2
    boxes = [Box(left, bottom, left + width, bottom + height) for left, bottom in corners(width, height)]
    chosen = space.place(boxes, most_hits)
    if chosen is not None:
        canvas.text(boxes[chosen].left, boxes[chosen].bottom + 1, words, lettering)
    return chosen is not None


def place_needed_words(
    canvas: Canvas,
    space: LabelSpace,
    words: str,
    lettering: style.Lettering,
    corners: Callable[[float, float], Iterable[Point]],
    *,
    anchor: Point,
    most_hits: int = 0,
) -> None:
    """Draw words without which a chart cannot be understood, as `place_words` does.

    If none of their places is free, they are drawn at the nearest free place around their anchor, with a thin
    line to it.
    """
    if place_words(canvas, space, words, lettering, corners, most_hits):
        return
    width, height = text_width(words, lettering), lettering.cap_height + 2
    boxes = [
        Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2) for x, y in _spots_around(anchor)
    ]
    chosen = space.place(boxes, _ANY_HITS)
    if chosen is not None:
        box = boxes[chosen]
        nearest = (min(max(anchor[0], box.left), box.right), min(max(anchor[1], box.bottom), box.top))
        canvas.lines([(anchor, nearest)], lettering.ink, 1)
        canvas.text(box.left, box.bottom + 1, words, lettering)


def _spots_around(anchor: Point) -> Iterator[Point]:
    """Yield the points of a grid over the whole card, the nearest to the anchor first."""
    columns = range(-int(style.WIDTH / _GRID), int(style.WIDTH / _GRID) + 1)
    rows = range(-int(style.HEIGHT / _GRID), int(style.HEIGHT / _GRID) + 1)
    for column, row in sorted(product(columns, rows), key=lambda cell: (hypot(*cell), cell)):
        yield anchor[0] + column * _GRID, anchor[1] + row * _GRID


def draw_label_beside(canvas: Canvas, space: LabelSpace, line: Sequence[Point], words: str) -> None:
    """Draw words beside a falling line, where there is room."""
    width, height = text_width(words, style.IDEAL_LABEL), style.IDEAL_LABEL.cap_height + 1
    boxes = list[Box]()
    for share in (0.75, 0.7, 0.8, 0.6, 0.85, 0.45, 0.3, 0.15, 0.92):
        x = line[0][0] + share * (line[-1][0] - line[0][0])
        y = find_height(line, x)
        corners = ((x + 6, y + 6), (x - width - 6, y - height - 6), (x - width / 2, y + 10))
        boxes.extend(Box(left, bottom, left + width, bottom + height) for left, bottom in corners)
    chosen = space.place(boxes, most_hits=4)
    if chosen is not None:
        canvas.text(boxes[chosen].left, boxes[chosen].bottom, words, style.IDEAL_LABEL)


def find_height(line: Sequence[Point], x: float) -> float:
    """Return the height of a line at `x`; beyond its end, that of its end."""
    for (x1, y1), (x2, y2) in pairwise(line):
        if x <= x2:
            return y1 + (y2 - y1) * (x - x1) / (x2 - x1)
    return line[-1][1]
