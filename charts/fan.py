"""The forecast picture: work done so far, and a fan of the likely amounts by the end of each coming day."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import numpy as np

from charts import style
from charts.canvas import Canvas, text_width
from charts.curves import interpolate
from charts.fan_levels import (
    compute_bands,
    compute_highest,
    compute_levels,
    get_done,
    get_scope,
    is_scope_cut,
)
from charts.labels import Box, LabelSpace, Point, spread_heights
from charts.plot import (
    BOTTOM,
    MARGIN,
    TITLED_TOP,
    DayPlot,
    draw_dates,
    draw_day_grid,
    draw_title,
    find_left_edge,
    place_needed_words,
)
from charts.reading import is_over, number, quantity, short_day
from charts.scale import choose_value_ticks
from charts.sprint_plot import InlineHeadline, count_days_passed
from charts.themes import Ink, Theme
from charts.values import ForecastFan
from sprints.burnup import Burnup
from sprints.calendar import days_between
from sprints.forecast_wording import in_words

_GROUNDS = (Ink.CARD, Ink.DAY_OFF, Ink.TODAY, Ink.BAND, Ink.INNER_BAND)
_LINE_HEIGHT = 23.0
# The number of straight pieces in a day's curve, enough to look round.
_PIECES = 8


def draw(fan: ForecastFan, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×. It holds dates and numbers, no names."""
    dates = _dates(fan)
    ticks = choose_value_ticks(compute_highest(fan), whole=fan.sprint.unit != "points")
    plot = _plot(fan, len(dates), ticks)
    canvas = Canvas(theme, _GROUNDS)
    title = _draw_title(canvas, fan, dates)
    draw_day_grid(canvas, plot, ticks, _days_off(fan, dates), max(0.0, _days_passed(fan)))
    done, scope = _line(fan, plot, Burnup(fan.sprint).done), _line(fan, plot, Burnup(fan.sprint).scope)
    edges = _edges(fan, plot, dates, done[-1])
    ahead = [scope[-1], (plot.right, scope[-1][1])]
    _draw_bands(canvas, edges)
    canvas.lines(_below(scope, plot.top), Ink.SCOPE, min(3.0, plot.line_width))
    canvas.lines(_below(ahead, plot.top), Ink.SCOPE, 2.5, dashes=(7, 5))
    canvas.lines([done], Ink.REMAINING, plot.line_width)
    canvas.dots(done[-1:], 10, Ink.CARD)
    canvas.dots(done[-1:], 7.5, Ink.REMAINING)
    room = replace(plot.room, right=plot.right)
    space = LabelSpace(
        room,
        [done, *_below(scope, plot.top), *_below(ahead, plot.top), *edges],
        [plot.y(tick) for tick in ticks],
    )
    space.take(title)
    _label_lines(canvas, space, fan, done[-1], _last_shown(scope, plot.top))
    _draw_ends(canvas, fan, plot)
    draw_dates(canvas, dates, plot, "" if fan.sprint.is_open_ended else f"due {short_day(dates[-1])}")
    canvas.outline()
    return canvas.png()


def _dates(fan: ForecastFan) -> list[date]:
    """List the sprint's days, and beyond them those of the fan."""
    days = [day.date for day in fan.sprint.days] + [day.date for day in fan.days]
    return days_between(min(days), max(days))


def _days_off(fan: ForecastFan, dates: Sequence[date]) -> list[bool]:
    """Return for each date whether it is a day off. Beyond the sprint, all working days are in the fan."""
    sprint_days, forecast_days = fan.sprint.days, {day.date for day in fan.days}
    beyond = [day not in forecast_days for day in dates[len(sprint_days) :]]
    return [not day.is_working_day for day in sprint_days] + beyond


def _plot(fan: ForecastFan, days: int, ticks: Sequence[float]) -> DayPlot:
    """Lay out the plot, with room on the right for the labels at the fan's end."""
    widest = max((text_width(words, style.VALUE) for _, words in _ends(fan)), default=-4)
    today = fan.sprint.as_of_day if fan.sprint.latest and not is_over(fan.sprint) else None
    return DayPlot(
        find_left_edge(ticks), style.WIDTH - MARGIN - 8 - widest, ticks[-1], TITLED_TOP, days, today
    )


def _draw_title(canvas: Canvas, fan: ForecastFan, dates: Sequence[date]) -> Box:
    """Draw the chance, or without one a title."""
    unit = "Points" if fan.sprint.unit == "points" else "Items"
    if fan.chance in {0.0, 1.0}:  # Nothing is open, or no day is left: there is nothing to forecast.
        return draw_title(canvas, f"{unit} done")
    if fan.chance is None:
        return draw_title(canvas, f"{unit} done, and the chances of so many and more")
    by = "" if fan.sprint.is_open_ended else f" by {short_day(dates[-1])}"
    form = InlineHeadline(in_words(fan.chance), f"that all is done{by}")
    bottom = style.HEIGHT - 14 - form.height
    box = Box(MARGIN, bottom, MARGIN + form.width, bottom + form.height)
    form.draw(canvas, box)
    return box


def _days_passed(fan: ForecastFan) -> float:
    """Return the position of now on the axis, with the part of today that is over.

    So the fan opens evenly. The position is never quite at the beginning or end of today, so that its figures
    do not seem to be another day's.
    """
    sprint = fan.sprint
    if sprint.is_day_complete or not sprint.latest or sprint.as_of.date() != sprint.latest.date:
        return count_days_passed(sprint)
    part = (sprint.as_of.hour + sprint.as_of.minute / 60) / 24
    return sprint.as_of_day + min(max(part, 0.15), 0.85)


def _line(fan: ForecastFan, plot: DayPlot, values: Sequence[Decimal | None]) -> list[Point]:
    """Return the points from point 0 to the latest figures, or point 0 alone."""
    figures = [value for value in values if value is not None]
    points = [(plot.x(n), plot.y(value)) for n, value in enumerate(figures)]
    return [*points[:-1], (plot.x(_days_passed(fan)), points[-1][1])] if len(points) > 1 else points


def _edges(fan: ForecastFan, plot: DayPlot, dates: Sequence[date], now: Point) -> list[list[Point]]:
    """Return the percentiles from below, each from now on: smooth over working days, level on days off."""
    working = [day.date for day in fan.days]
    ahead = [(day in working, plot.x(n + 1)) for n, day in enumerate(dates) if plot.x(n + 1) > now[0] + 0.01]
    bands = compute_bands(fan)[-sum(works for works, _ in ahead) :] if ahead else []
    levels = zip(*(astuple(band) for band in bands), strict=True)
    return [_edge(plot, now, ahead, list(level)) for level in levels] or [[now]] * 5


def _edge(
    plot: DayPlot, now: Point, ahead: Sequence[tuple[bool, float]], values: Sequence[float]
) -> list[Point]:
    """Return the points of one percentile from `now` on, through its values at the ends of the working days.

    `ahead` holds for each coming day whether it is a working day, and the position of its end.
    """
    widths = [
        right - left for (_, left), (is_working, right) in pairwise([(False, now[0]), *ahead]) if is_working
    ]
    times = np.concatenate([[0.0], np.cumsum(widths)])
    heights = [now[1], *(plot.y(value) for value in values)]
    points, passed = [now], 0
    for is_working, right in ahead:
        left, y = points[-1]
        if not is_working:
            points.append((right, y))
            continue
        at = np.linspace(0, 1, _PIECES + 1)[1:]
        curve = interpolate(times, heights, times[passed] + at * (right - left))
        points += zip(left + at * (right - left), curve, strict=True)
        passed += 1
    return points


def _below(line: Sequence[Point], top: float) -> list[list[Point]]:
    """Return the parts of a line that do not lie above the plot's top."""
    parts, part = list[list[Point]](), list[Point]()
    for (x1, y1), (x2, y2) in pairwise([line[0], *line]):
        if (y1 > top) != (y2 > top):
            part.append((x1 + (x2 - x1) * (top - y1) / (y2 - y1), top))
        if y2 <= top + 0.01:
            part.append((x2, y2))
        elif part:
            parts, part = [*parts, part], []
    return [*parts, part] if part else parts


def _draw_bands(canvas: Canvas, edges: Sequence[Sequence[Point]]) -> None:
    """Draw the outer band, in which 8 of 10 cases lie, the inner one, and the median."""
    low, lower, middle, upper, high = edges
    outlines = [[*low, *reversed(high)], [*lower, *reversed(upper)]]
    canvas.bands(outlines, [Ink.BAND, Ink.INNER_BAND])
    canvas.lines([low, high], Ink.TODAY_LINE, 1)
    canvas.lines([middle], Ink.REMAINING, 2.5, dashes=(7, 5))


def _last_shown(line: Sequence[Point], top: float) -> Point:
    """Return where a line ends, or leaves the plot; if it never was within, its end on the plot's top."""
    parts = _below(line, top)
    return parts[-1][-1] if parts else (line[-1][0], top)


def _label_lines(canvas: Canvas, space: LabelSpace, fan: ForecastFan, done: Point, scope: Point) -> None:
    """Label the lines of work done and of scope at their ends.

    An arrow says that the scope lies above the picture.
    """
    unit, arrow = fan.sprint.unit, "↑ " if is_scope_cut(fan) else ""
    words = f"{arrow}{quantity(get_scope(fan), unit)} in scope"
    beside = _beside(scope, is_above=True)
    place_needed_words(canvas, space, words, style.SCOPE_LABEL, beside, anchor=scope, most_hits=12)
    if fan.sprint.latest:
        words = f"{quantity(get_done(fan), unit)} done"
        beside = _beside(done, is_above=False)
        place_needed_words(canvas, space, words, style.VALUE, beside, anchor=done, most_hits=12)


def _beside(end: Point, *, is_above: bool) -> Callable[[float, float], list[Point]]:
    """Return a function that lists places for words at a line's end: above left, or below right."""
    x, y = end

    def places(width: float, height: float) -> list[Point]:
        lefts = (x - width - 8, x - width - 40, x - width / 2, x + 4, x + 30)
        if not is_above:
            lefts = (x + 4, x - width / 2, x + 30, x - width - 8, x - width - 40)
        pairs = [(gap, -height - gap) for gap in (10.0, 18.0, 34.0)]
        rises = [rise for pair in pairs for rise in (pair if is_above else reversed(pair))]
        return [(left, y + rise) for left in lefts for rise in rises]

    return places


def _ends(fan: ForecastFan) -> list[tuple[float, str]]:
    """List the amounts at the fan's end, ascending, each with its chance of at least that amount in words."""
    return [
        (float(level.amount), f"≥ {number(level.amount, 1)}: {_short(level.chance)}")
        for level in compute_levels(fan)
    ]


def _short(chance: float) -> str:
    """Word a chance as short as the room beside the plot requires."""
    return in_words(chance).replace("less than", "<").replace("more than", ">")


def _draw_ends(canvas: Canvas, fan: ForecastFan, plot: DayPlot) -> None:
    ends = _ends(fan)
    placed = spread_heights([plot.y(value) for value, _ in ends], _LINE_HEIGHT, BOTTOM + 7, plot.top)
    for n, (y, (_, words)) in enumerate(zip(placed, ends, strict=True)):
        lettering = style.VALUE if n == (len(ends) - 1) // 2 else style.TICK
        canvas.text(plot.right + 8, y - lettering.cap_height / 2, words, lettering)
