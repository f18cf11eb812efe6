"""The forecast picture: work done so far, and a fan of what may be done by the end of each coming day."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, Point, Space, spread
from charts.plot import (
    BOTTOM,
    MARGIN,
    TITLED_TOP,
    DayPlot,
    draw_dates,
    draw_day_grid,
    draw_title,
    left_edge,
    place_words,
)
from charts.reading import is_over, number, quantity, short_day
from charts.scale import value_ticks
from charts.sprint_plot import InARow, days_passed
from charts.values import ForecastFan
from sprints.burnup import Burnup
from sprints.calendar import days_between
from sprints.forecast_amounts import Band
from sprints.forecast_words import in_words

_GROUNDS = (style.CARD, style.DAY_OFF, style.TODAY, style.BAND, style.INNER_BAND)
_LINE_HEIGHT = 23.0


def draw(fan: ForecastFan) -> bytes:
    """The picture as PNG at 2×. It holds dates and numbers, no names."""
    dates = _dates(fan)
    ticks = value_ticks(_highest(fan), whole=fan.sprint.unit != "points")
    plot = _plot(fan, len(dates), ticks)
    canvas = Canvas(_GROUNDS)
    title = _draw_title(canvas, fan, dates)
    draw_day_grid(canvas, plot, ticks, _days_off(fan, dates), max(0.0, days_passed(fan.sprint)))
    done, scope = _line(fan, plot, Burnup(fan.sprint).done), _line(fan, plot, Burnup(fan.sprint).scope)
    edges = _edges(fan, plot, dates, done[-1])
    ahead = [scope[-1], (plot.right, scope[-1][1])]
    _draw_bands(canvas, edges)
    canvas.lines([scope], style.SCOPE, min(3.0, plot.line_width))
    canvas.lines([ahead], style.SCOPE, 2.5, dashes=(7, 5))
    canvas.lines([done], style.REMAINING, plot.line_width)
    canvas.dots(done[-1:], 10, style.CARD)
    canvas.dots(done[-1:], 7.5, style.REMAINING)
    room = replace(plot.room, right=plot.right)
    space = Space(room, [done, scope, ahead, *edges], [plot.y(tick) for tick in ticks])
    space.take(title)
    _label_lines(canvas, space, fan, done, scope)
    _draw_ends(canvas, fan, plot)
    draw_dates(canvas, dates, plot, "" if fan.sprint.is_open_ended else f"due {short_day(dates[-1])}")
    canvas.outline()
    return canvas.png()


def _dates(fan: ForecastFan) -> list[date]:
    """The sprint's days, and beyond them those of the fan."""
    days = [day.date for day in fan.sprint.days] + [day.date for day in fan.days]
    return days_between(min(days), max(days))


def _days_off(fan: ForecastFan, dates: Sequence[date]) -> list[bool]:
    """Beyond the sprint's days, all working days are in the fan."""
    known, foretold = fan.sprint.days, {day.date for day in fan.days}
    return [not day.is_working_day for day in known] + [day not in foretold for day in dates[len(known) :]]


def _highest(fan: ForecastFan) -> float:
    values = [value for value in (*Burnup(fan.sprint).scope, *Burnup(fan.sprint).done) if value is not None]
    return max([*map(float, values), *(day.done.p90 for day in fan.days)])


def _plot(fan: ForecastFan, days: int, ticks: Sequence[float]) -> DayPlot:
    """The plot; on its right there is room for the words at the fan's end."""
    widest = max((text_width(words, style.VALUE) for _, words in _ends(fan)), default=-4)
    today = fan.sprint.as_of_day if fan.sprint.latest and not is_over(fan.sprint) else None
    return DayPlot(left_edge(ticks), style.WIDTH - MARGIN - 8 - widest, ticks[-1], TITLED_TOP, days, today)


def _draw_title(canvas: Canvas, fan: ForecastFan, dates: Sequence[date]) -> Box:
    """The chance, if it is known, or what is drawn."""
    unit = "Points" if fan.sprint.unit == "points" else "Items"
    if fan.chance is None:
        return draw_title(canvas, f"{unit} done, and the chances of so many and more")
    by = "" if fan.sprint.is_open_ended else f" by {short_day(dates[-1])}"
    form = InARow(in_words(fan.chance), f"that all is done{by}")
    bottom = style.HEIGHT - 14 - form.height
    box = Box(MARGIN, bottom, MARGIN + form.width, bottom + form.height)
    form.draw(canvas, box)
    return box


def _line(fan: ForecastFan, plot: DayPlot, values: Sequence[Decimal | None]) -> list[Point]:
    """From point 0 to the latest figures, or point 0 alone."""
    known = [value for value in values if value is not None]
    points = [(plot.x(n), plot.y(value)) for n, value in enumerate(known)]
    return [*points[:-1], (plot.x(days_passed(fan.sprint)), points[-1][1])] if len(points) > 1 else points


def _edges(fan: ForecastFan, plot: DayPlot, dates: Sequence[date], now: Point) -> list[list[Point]]:
    """The percentiles from below, each from now on, level on days off."""
    bands = {day.date: day.done for day in fan.days}

    def edge(level: Callable[[Band], float]) -> list[Point]:
        points, y = [now], now[1]
        for n, day in enumerate(dates):
            if plot.x(n + 1) > now[0] + 0.01:
                y = plot.y(level(bands[day])) if day in bands else y
                points.append((plot.x(n + 1), y))
        return points

    levels: list[Callable[[Band], float]] = [
        *(lambda band: band.p10, lambda band: band.p25, lambda band: band.p50),
        *(lambda band: band.p75, lambda band: band.p90),
    ]
    return [edge(level) for level in levels]


def _draw_bands(canvas: Canvas, edges: Sequence[Sequence[Point]]) -> None:
    """The outer band, in which 8 of 10 cases lie, the inner one, and the median."""
    low, lower, middle, upper, high = edges
    outlines = [[*low, *reversed(high)], [*lower, *reversed(upper)]]
    canvas.bands(outlines, [style.BAND, style.INNER_BAND])
    canvas.lines([middle], style.REMAINING, 2.5, dashes=(7, 5))


def _label_lines(
    canvas: Canvas, space: Space, fan: ForecastFan, done: Sequence[Point], scope: Sequence[Point]
) -> None:
    """What is done and what is in scope, in words beside the ends of their lines."""
    latest, unit = fan.sprint.latest, fan.sprint.unit
    amounts = (latest.done, latest.scope) if latest else (None, fan.sprint.committed)
    for value, word, (x, y), lettering in (
        (amounts[1], "in scope", scope[-1], style.SCOPE_LABEL),
        (amounts[0], "done", done[-1], style.VALUE),
    ):
        if value is None:
            continue

        def beside(width: float, height: float, x: float = x, y: float = y) -> list[Point]:
            rises = (10.0, -height - 10, 18.0, -height - 18, 34.0, -height - 34)
            lefts = (x - width - 8, x - width / 2, x + 4, x + 30)
            return [(left, y + rise) for left in lefts for rise in rises]

        place_words(canvas, space, f"{quantity(value, unit)} {word}", lettering, beside, most_hits=12)


def _ends(fan: ForecastFan) -> list[tuple[float, str]]:
    """Amounts at the fan's end, in ascending order, and in words the chance of so much or more."""
    if not fan.days:
        return []
    band = fan.days[-1].done
    return [
        (value, f"≥ {number(Decimal(value), 1)}: {chance} in 10")
        for value, chance in ((band.p10, 9), (band.p50, 5), (band.p90, 1))
    ]


def _draw_ends(canvas: Canvas, fan: ForecastFan, plot: DayPlot) -> None:
    ends = _ends(fan)
    placed = spread([plot.y(value) for value, _ in ends], _LINE_HEIGHT, BOTTOM + 7, plot.top)
    for n, (y, (_, words)) in enumerate(zip(placed, ends, strict=True)):
        lettering = style.VALUE if n == 1 else style.TICK
        canvas.text(plot.right + 8, y - lettering.cap_height / 2, words, lettering)
