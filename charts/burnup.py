"""The burnup picture: scope and work done day by day, and the ideal line up to the commitment."""

from collections.abc import Sequence

from charts import style
from charts.canvas import Canvas
from charts.labels import LabelSpace, Point
from charts.plot import DayPlot, find_height, place_needed_words, place_words
from charts.reading import number, quantity, unit_word
from charts.scale import choose_value_ticks
from charts.sprint_plot import build_line_to_now, draw_end, draw_plan, draw_sprint_ground, lay_out_sprint
from charts.themes import Ink, Theme
from sprints.burnup import Burnup


def draw(burnup: Burnup, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×. It holds dates and numbers, no names."""
    sprint = burnup.sprint
    headline = _headline(burnup)
    values = [
        value for line in (burnup.scope, burnup.done, burnup.ideal) for value in line if value is not None
    ]
    ticks = choose_value_ticks(float(max(values)), whole=sprint.unit != "points")
    plot = lay_out_sprint(sprint, headline, ticks)
    scope, done = (build_line_to_now(sprint, plot, line) for line in (burnup.scope, burnup.done))
    ideal = _ideal_line(burnup, plot)
    canvas = Canvas(theme)
    if sprint.days:
        draw_sprint_ground(canvas, sprint, plot, ticks)
    if ideal:
        canvas.lines([ideal], Ink.IDEAL, 2.5, dashes=(7, 5))
    if scope:
        canvas.lines([scope], Ink.SCOPE, min(3.0, plot.line_width))
        canvas.lines([done], Ink.REMAINING, plot.line_width)
    space = LabelSpace(plot.room, [scope, done, ideal], [plot.y(tick) for tick in ticks])
    if headline:
        canvas.dots(scope[-1:], 5, Ink.SCOPE)
        draw_end(canvas, space, headline, done, ideal=ideal, plot=plot)
        _label_scope(canvas, space, burnup, scope)
    else:
        draw_plan(canvas, space, sprint, plot)
    if ideal:
        _label_ideal(canvas, space, ideal)
    canvas.outline()
    return canvas.png()


def _headline(burnup: Burnup) -> tuple[str, str] | None:
    """Return the work done: a figure, and its unit."""
    latest = burnup.sprint.latest
    if latest is None or latest.done is None:
        return None
    return number(latest.done), f"{unit_word(latest.done, burnup.sprint.unit)} done"


def _ideal_line(burnup: Burnup, plot: DayPlot) -> list[Point]:
    points = [(plot.x(i), plot.y(value)) for i, value in enumerate(burnup.ideal) if value is not None]
    return points if len(points) > 1 else []


def _label_scope(canvas: Canvas, space: LabelSpace, burnup: Burnup, scope: Sequence[Point]) -> None:
    """Label the end of the scope's line with its amount."""
    latest, (x, y) = burnup.sprint.latest, scope[-1]
    if latest is None or latest.scope is None:
        return

    def beside(width: float, height: float) -> list[Point]:
        rises = (10.0, -height / 2, 18.0, -height - 10, 30.0, -height - 22)
        lefts = (x - 4, x + 12, x - width / 2, x - width, x - width - 12)
        return [(left, y + rise) for rise in rises for left in lefts]

    words = f"{quantity(latest.scope, burnup.sprint.unit)} in scope"
    place_needed_words(canvas, space, words, style.SCOPE_LABEL, beside, anchor=scope[-1], most_hits=12)


def _label_ideal(canvas: Canvas, space: LabelSpace, ideal: Sequence[Point]) -> None:
    """Label the rising line, above its left or below its right side."""

    def along(width: float, height: float) -> list[Point]:
        corners = list[Point]()
        for share in (0.75, 0.68, 0.82, 0.6, 0.9, 0.45, 0.3, 0.97):
            x = ideal[0][0] + share * (ideal[-1][0] - ideal[0][0])
            y = find_height(ideal, x)
            corners += [(x - width - 7, y + 5), (x + 7, y - height - 5), (x - width / 2, y + 9)]
        return corners

    place_words(canvas, space, "ideal", style.IDEAL_LABEL, along, most_hits=4)
