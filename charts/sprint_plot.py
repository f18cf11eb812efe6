"""Shared parts of charts of one sprint: its days as an axis, its state today, and the headline there."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, LabelSpace, Point
from charts.plot import (
    FARTHEST_HEADLINE,
    LEAST_WIDTH_FOR_DOTS,
    MARGIN,
    TOP,
    DayPlot,
    draw_dates,
    draw_day_grid,
    find_height,
    find_left_edge,
)
from charts.reading import is_over, quantity
from charts.themes import Ink
from sprints.burndown import Burndown

Headline = tuple[str, str]
"""A figure, and its unit."""


def lay_out_sprint(burndown: Burndown, headline: Headline | None, ticks: Sequence[float]) -> DayPlot:
    """Lay out the plot between the value labels and the headline, which stands beside its point."""
    left = find_left_edge(ticks)
    right, days = style.WIDTH - MARGIN - 4, max(1, len(burndown.days))
    if headline:
        headline_at = style.WIDTH - MARGIN - _Stacked(*headline).width
        beside_column = left + (headline_at - 10 - left) / (burndown.as_of_day + 1) * days
        beside_point = left + (headline_at - 15 - left) / count_days_passed(burndown) * days
        is_wide = (beside_column - left) / days / 2 > FARTHEST_HEADLINE
        right = min(right, beside_point if is_wide else beside_column)
    today = burndown.as_of_day if headline and not is_over(burndown) else None
    return DayPlot(left, right, ticks[-1], TOP, days, today)


def count_days_passed(burndown: Burndown) -> float:
    """Return the position of the last figures on the axis, in days."""
    return burndown.as_of_day + (1 if burndown.is_day_complete else 0.5)


def draw_sprint_ground(canvas: Canvas, burndown: Burndown, plot: DayPlot, ticks: Sequence[float]) -> None:
    """Draw the background of the lines, and the dates."""
    off = [not day.is_working_day for day in burndown.days]
    draw_day_grid(canvas, plot, ticks, off, count_days_passed(burndown))
    draw_dates(canvas, [day.date for day in burndown.days], plot)


def build_line_to_now(burndown: Burndown, plot: DayPlot, values: Sequence[Decimal | None]) -> list[Point]:
    """Return the points from point 0 to the last day with figures; empty before the sprint's start."""
    points = [(plot.x(i), plot.y(value)) for i, value in enumerate(values) if value is not None]
    return [*points[:-1], (plot.x(count_days_passed(burndown)), points[-1][1])] if len(points) > 1 else []


def draw_plan(canvas: Canvas, space: LabelSpace, burndown: Burndown, plot: DayPlot) -> None:
    """Draw the plan of a sprint without figures, or without days if it ends before it starts."""
    text = f"{quantity(burndown.committed, burndown.unit)} planned" if burndown.days else "no days to show"
    width, height = text_width(text, style.PLAN_LABEL), style.PLAN_LABEL.size
    x, y = plot.left, plot.y(burndown.committed if burndown.days else plot.highest / 2)
    corners = [(x + right, y + rise) for right in (24, 60, 100, 150, 250) for rise in (12, -10, -32, -54)]
    boxes = [Box(left, bottom, left + width, bottom + height) for left, bottom in corners]
    chosen = space.place(boxes, most_hits=1000)
    if chosen is not None:
        at = boxes[chosen].bottom + style.PLAN_LABEL.descent
        canvas.text(boxes[chosen].left, at, text, style.PLAN_LABEL)


def draw_end(
    canvas: Canvas,
    space: LabelSpace,
    headline: Headline,
    line: Sequence[Point],
    *,
    ideal: Sequence[Point],
    plot: DayPlot,
) -> None:
    """Draw a dot at the line's end, and the headline beside it, on the side away from the ideal line."""
    x, y = line[-1]
    if plot.day_width >= LEAST_WIDTH_FOR_DOTS:
        canvas.dots(line[:-1], 4.5, Ink.REMAINING)
    canvas.dots([(x, y)], 10, Ink.CARD)
    canvas.dots([(x, y)], 7.5, Ink.REMAINING)
    space.take(Box(x - 9, y - 9, x + 9, y + 9))
    forms = (_Stacked(*headline), InlineHeadline(*headline))
    column_ends = plot.x(plot.today + 1) if plot.today is not None else x
    right = column_ends + 10 if 5 < column_ends - x < FARTHEST_HEADLINE else x + 15
    above = [(form, right, y + rise) for rise in (8, 0, -8, 20, 36, 60) for form in forms]
    beside = [(form, right, y - form.height / 2) for form in forms]
    under = [(form, right, y - 6 - form.height) for form in forms]
    left_under = [(form, x - 15 - form.width, y - 7 - form.height) for form in forms]
    left_above = [(form, x - 15 - form.width, y + 14) for form in forms]
    if ideal and y < find_height(ideal, x):
        choices = under + beside + left_under + above + left_above
    else:
        choices = above + beside + left_above + under + left_under
    boxes = [Box(left, bottom, left + form.width, bottom + form.height) for form, left, bottom in choices]
    chosen = space.place(boxes, most_hits=1000)
    if chosen is not None:
        choices[chosen][0].draw(canvas, boxes[chosen])


@dataclass(frozen=True, slots=True)
class _Stacked:
    """The headline as a large figure above its unit."""

    figure: str
    words: str

    @property
    def width(self) -> float:
        return max(text_width(self.figure, style.HEADLINE), text_width(self.words, style.HEADLINE_UNIT))

    @property
    def height(self) -> float:
        return style.HEADLINE.cap_height + 8 + style.HEADLINE_UNIT.cap_height + style.HEADLINE_UNIT.descent

    def draw(self, canvas: Canvas, box: Box) -> None:
        figure_at = box.top - style.HEADLINE.cap_height
        canvas.text(box.left, figure_at, self.figure, style.HEADLINE)
        words_at = box.bottom + style.HEADLINE_UNIT.descent
        canvas.text(box.left, words_at, self.words, style.HEADLINE_UNIT)


@dataclass(frozen=True, slots=True)
class InlineHeadline:
    """The headline as a large figure before its unit."""

    figure: str
    words: str

    @property
    def _words_begin(self) -> float:
        return text_width(self.figure, style.HEADLINE) + 8

    @property
    def width(self) -> float:
        return self._words_begin + text_width(self.words, style.HEADLINE_UNIT)

    @property
    def height(self) -> float:
        return style.HEADLINE.cap_height + style.HEADLINE_UNIT.descent

    def draw(self, canvas: Canvas, box: Box) -> None:
        at = box.bottom + style.HEADLINE_UNIT.descent
        canvas.text(box.left, at, self.figure, style.HEADLINE)
        canvas.text(box.left + self._words_begin, at, self.words, style.HEADLINE_UNIT)
