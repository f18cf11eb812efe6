"""The burndown picture: remaining work day by day, the ideal line, and the scope changes on the way.

Its axis of days is described in plot.py; point 0 is the commitment.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from charts import style
from charts.canvas import Canvas
from charts.labels import Box, LabelSpace, Point
from charts.plot import BOTTOM, DayPlot, draw_label_beside, place_needed_words, place_words
from charts.reading import ScopeStep, group_steps, list_scope_steps, number, signed, unit_word
from charts.scale import choose_value_ticks
from charts.sprint_plot import (
    build_line_to_now,
    count_days_passed,
    draw_end,
    draw_plan,
    draw_sprint_ground,
    lay_out_sprint,
)
from charts.themes import Ink, Theme
from sprints.burndown import Burndown, ideal_before

# Scope changes closer together than this are summed up, so that each mark keeps its label.
_LEAST_WIDTH_BETWEEN_STEPS = 30.0


def draw(burndown: Burndown, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×: equal values give equal bytes. It holds dates and numbers, no names."""
    headline = _headline(burndown)
    ticks = choose_value_ticks(_highest(burndown), whole=burndown.unit != "points")
    plot = lay_out_sprint(burndown, headline, ticks)
    remaining = build_line_to_now(
        burndown, plot, [burndown.committed, *(day.remaining for day in burndown.days)]
    )
    ideal, ghost = _ideal_line(burndown, plot), _ghost_line(burndown, plot)
    canvas = Canvas(theme)
    if burndown.days:
        draw_sprint_ground(canvas, burndown, plot, ticks)
    if ghost:
        canvas.lines([ghost], Ink.IDEAL, 1.5, dashes=(1.5, 4))
    if ideal:
        canvas.lines([ideal], Ink.IDEAL, 2.5, dashes=(7, 5))
    if remaining:
        canvas.lines([remaining], Ink.REMAINING, plot.line_width)
    space = LabelSpace(plot.room, [remaining, ideal, ghost], [plot.y(tick) for tick in ticks])
    if headline:
        steps = _grouped_steps(burndown, plot)
        draw_end(canvas, space, headline, remaining, ideal=ideal, plot=plot)
        _draw_scope_steps(canvas, space, steps, remaining)
    else:
        draw_plan(canvas, space, burndown, plot)
    if ideal:
        draw_label_beside(canvas, space, ideal, "ideal")
    if ghost:
        if plot.today is not None:
            x = plot.x(count_days_passed(burndown))
            space.take(Box(x, BOTTOM, x, plot.top))
        draw_label_beside(canvas, space, ghost, "first plan")
    canvas.outline()
    return canvas.png()


def _headline(burndown: Burndown) -> tuple[str, str] | None:
    """Return the remaining work: a figure, and its unit."""
    latest = burndown.latest
    if latest is None or latest.remaining is None:
        return None
    if burndown.hidden:
        return number(Decimal(burndown.hidden)), f"{unit_word(Decimal(burndown.hidden), 'count')} left"
    return number(latest.remaining), f"{unit_word(latest.remaining, burndown.unit)} left"


def _highest(burndown: Burndown) -> float:
    values = [burndown.committed]
    for day in burndown.days:
        values.extend(value for value in (day.remaining, day.ideal) if value is not None)
    return float(max(values))


def _ideal_line(burndown: Burndown, plot: DayPlot) -> list[Point]:
    values = [burndown.committed, *(day.ideal for day in burndown.days)]
    points = [(plot.x(i), plot.y(value)) for i, value in enumerate(values) if value is not None]
    return points if len(points) > 1 else []


def _ghost_line(burndown: Burndown, plot: DayPlot) -> list[Point]:
    """Return the rest of the first plan, which leaves the ideal line where the due date was moved."""
    indices = [i for i, day in enumerate(burndown.days) if day.ghost is not None]
    if not indices:
        return []
    values = [ideal_before(burndown, indices[0]), *(burndown.days[i].ghost for i in indices)]
    return [(plot.x(indices[0] + i), plot.y(value)) for i, value in enumerate(values) if value is not None]


def _grouped_steps(burndown: Burndown, plot: DayPlot) -> list[ScopeStep]:
    return group_steps(list_scope_steps(burndown), max(1, int(_LEAST_WIDTH_BETWEEN_STEPS / plot.day_width)))


def _draw_scope_steps(
    canvas: Canvas, space: LabelSpace, steps: Sequence[ScopeStep], remaining: Sequence[Point]
) -> None:
    """Draw a triangle up or down and the amount where the scope changed; the largest is labelled “scope”.

    Where not all amounts have room, the latest and the largest keep theirs.
    """
    if not steps:
        return
    points = [remaining[step.day + 1] for step in steps]
    if points[-1] == remaining[-1]:
        points[-1] = (points[-1][0], points[-1][1] + 21)  # above the dot at the line's end, not on it
    canvas.shapes(
        [_triangle(point, step.amount) for point, step in zip(points, steps, strict=True)], Ink.SCOPE
    )
    for x, y in points:
        space.take(Box(x - 8, y - 7, x + 8, y + 7))
    largest_first = sorted(zip(steps, points, strict=True), key=lambda pair: -abs(pair[0].amount))
    latest, largest = (steps[-1], points[-1]), largest_first[0]
    for step, point in dict.fromkeys((latest, largest, *largest_first)):
        words = f"scope {signed(step.amount)}" if (step, point) == largest else signed(step.amount)
        corners = _around(point)
        if (step, point) in {latest, largest}:
            place_needed_words(canvas, space, words, style.SCOPE_LABEL, corners, anchor=point)
        else:
            place_words(canvas, space, words, style.SCOPE_LABEL, corners)


def _around(point: Point) -> Callable[[float, float], list[Point]]:
    """Return a function that lists places for words above and below a triangle."""
    x, y = point

    def places(width: float, height: float) -> list[Point]:
        lefts = (x - width / 2, x - 8, x + 8 - width)
        rises = (13.0, -13 - height, 20.0, -20 - height, 32.0, -32 - height, 46.0)
        return [(left, y + rise) for rise in rises for left in lefts]

    return places


def _triangle(at: Point, amount: Decimal) -> list[Point]:
    (x, y), tip = at, 10 if amount > 0 else -10
    return [(x - 9, y - tip * 0.6), (x + 9, y - tip * 0.6), (x, y + tip)]
