"""Shared parts of bar charts: the columns, their numbers and names, and the median beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box
from charts.plot import BOTTOM, MARGIN, TITLED_TOP, DayPlot, draw_ticks, find_left_edge
from charts.reading import MONTHS, number
from charts.scale import DateTick, name_month_periods
from charts.themes import Ink

_WIDEST_BAR, _SHARE_OF_COLUMN = 80.0, 0.66
# Bars of at least this height have their number inside.
_HEIGHT_INSIDE = 26.0
_ROOM_FOR_DAY, _ROOM_FOR_MONTH = 36.0, 56.0


def lay_out_bars(bars: int, ticks: Sequence[float], median: Decimal | None) -> DayPlot:
    """Lay out a column for each bar, with room for the median on the right if there is one."""
    right = style.WIDTH - MARGIN - 4
    if median is not None:
        right -= (
            max(text_width(number(median), style.HEADLINE), text_width("median", style.HEADLINE_UNIT)) + 10
        )
    return DayPlot(find_left_edge(ticks), right, ticks[-1], TITLED_TOP, max(1, bars))


def place_bar(plot: DayPlot, column: int, value: Decimal | float, share: float = 1.0) -> Box:
    """Return the box of a bar in the middle of its column, with this share of the usual width."""
    width = min(_WIDEST_BAR, plot.day_width * (_SHARE_OF_COLUMN if plot.day_width > 4 else 0.9)) * share
    middle = plot.x(column + 0.5)
    return Box(middle - width / 2, BOTTOM, middle + width / 2, plot.y(value))


def draw_bars(
    canvas: Canvas,
    plot: DayPlot,
    values: Sequence[Decimal | int],
    median: Decimal | None,
    inks: Sequence[Ink] = (),
) -> list[Box]:
    """Draw the bars, with a line at the median behind them and, thinner, on them; and its value beside it."""
    boxes = [place_bar(plot, n, value) for n, value in enumerate(values)]
    if median is not None:
        y = plot.y(median)
        canvas.lines([((plot.left, y), (plot.right, y))], Ink.REMAINING, 2.5)
    canvas.areas(boxes, inks or [Ink.REMAINING] * len(boxes))
    if median is not None:
        across = [((box.left, y), (box.right, y)) for box in boxes if box.top > y + 3]
        canvas.lines(across, Ink.CARD, 1.5)
        _draw_median(canvas, plot, median)
    return boxes


def draw_numbers(
    canvas: Canvas,
    plot: DayPlot,
    values: Sequence[Decimal | int],
    *,
    marks: Sequence[Box] = (),
    pale: Sequence[bool] = (),
) -> list[Box]:
    """Draw the value of each bar at its foot, or above a low one; none if not all have room.

    In a pale bar the number is dark. Returns the boxes of numbers that are not in their bars.
    """
    above = list[Box]()
    names = [number(Decimal(value)) for value in values]
    if max((text_width(name, style.VALUE) for name in names), default=0) + 4 > plot.day_width:
        return above
    for column, name in enumerate(names):
        box, width = place_bar(plot, column, values[column]), text_width(name, style.VALUE)
        left = min(plot.x(column + 0.5) - width / 2, style.WIDTH - MARGIN - width)
        mark = marks[column].top if marks else box.top
        # A mark at the very bottom, where nothing was committed, is not in the way.
        lowest = box.top if mark == BOTTOM else min(box.top, mark)
        if lowest - BOTTOM > _HEIGHT_INSIDE and width + 4 < box.right - box.left:
            is_pale = pale and pale[column]
            canvas.text(left, BOTTOM + 8, name, style.VALUE if is_pale else style.VALUE_INSIDE)
        else:
            is_clear = mark - box.top > _HEIGHT_INSIDE or mark <= box.top
            bottom = (box.top if is_clear else mark) + 8
            canvas.text(left, bottom, name, style.VALUE)
            above.append(Box(left, bottom, left + width, bottom + style.VALUE.cap_height))
    return above


def _draw_median(canvas: Canvas, plot: DayPlot, median: Decimal) -> None:
    height = style.HEADLINE.cap_height + 8 + style.HEADLINE_UNIT.cap_height
    top = max(BOTTOM + height, min(plot.top, plot.y(median) + style.HEADLINE.cap_height / 2))
    canvas.text(plot.right + 10, top - style.HEADLINE.cap_height, number(median), style.HEADLINE)
    canvas.text(plot.right + 10, top - height, "median", style.HEADLINE_UNIT)


def draw_column_dates(
    canvas: Canvas, plot: DayPlot, days: Sequence[date], notes: Mapping[int, str] = MappingProxyType({})
) -> None:
    """Draw a date under each column and the month where it begins; in narrow columns some months, and years.

    `notes` replace the month under some columns.
    """
    if plot.day_width >= _ROOM_FOR_DAY:
        periods = enumerate(zip(days, name_month_periods(days, notes), strict=True))
        ticks = [DateTick(column, str(day.day), period) for column, (day, period) in periods]
    else:
        ticks = _sparse_month_ticks(plot, days)
    draw_ticks(canvas, [replace(tick, period=notes.get(tick.day, tick.period)) for tick in ticks], plot)


def _sparse_month_ticks(plot: DayPlot, days: Sequence[date]) -> list[DateTick]:
    ticks, year = list[DateTick](), None
    for column, day in enumerate(days):
        if ticks and (column - ticks[-1].day) * plot.day_width < _ROOM_FOR_MONTH:
            continue
        ticks.append(DateTick(column, MONTHS[day.month - 1], "" if day.year == year else str(day.year)))
        year = day.year
    return ticks
