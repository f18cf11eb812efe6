"""The burndown picture: remaining work day by day, the ideal line, and the scope changes on the way.

The horizontal axis is time: each day is a column with its date in the middle, and a value stands at the
column's right edge, the end of that day; a day under way has its value in the middle. Point 0, the
commitment, is the left edge of the first column.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, Point, Space
from charts.reading import (
    ScopeStep,
    in_groups,
    is_over,
    number,
    quantity,
    scope_steps,
    short_day,
    signed,
    unit_word,
)
from charts.scale import date_ticks, value_name, value_ticks
from sprints.burndown import Burndown, ideal_before

_MARGIN = 20.0
_PLOT_BOTTOM, _PLOT_TOP = 66.0, style.HEIGHT - 44.0
_DATES_AT, _PERIODS_AT = 41.0, 15.0
# Below these widths of a day's column days off are a flicker, dots on the line a smear, and a thick line
# hides its own wiggles.
_LEAST_WIDTH_TO_SHADE, _LEAST_WIDTH_FOR_DOTS, _LEAST_WIDTH_FOR_THICK_LINE = 3.0, 14.0, 3.0
# Scope changes closer together than this are summed up, so that each mark keeps its label.
_LEAST_WIDTH_BETWEEN_STEPS = 30.0
# Today's column is left free of the headline, unless that would then stand this far from its point.
_FARTHEST_HEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where days and values lie on the card. `today` is the index of today's column while the sprint runs."""

    left: float
    right: float
    days: int
    highest: float
    today: int | None

    @property
    def day_width(self) -> float:
        return (self.right - self.left) / self.days

    def x(self, days_passed: float) -> float:
        return self.left + days_passed * self.day_width

    def y(self, value: Decimal | float) -> float:
        return _PLOT_BOTTOM + float(value) / self.highest * (_PLOT_TOP - _PLOT_BOTTOM)


def draw(burndown: Burndown) -> bytes:
    """The picture as PNG at 2×: the same bytes for the same value. It holds dates and numbers, no names."""
    headline = _headline(burndown)
    ticks = value_ticks(_highest(burndown), whole=burndown.unit != "points")
    frame = _frame(burndown, headline, ticks)
    remaining, ideal = _remaining_line(burndown, frame), _ideal_line(burndown, frame)
    ghost = _ghost_line(burndown, frame)
    canvas = Canvas()
    if burndown.days:
        _draw_ground(canvas, burndown, frame, ticks)
        _draw_dates(canvas, [day.date for day in burndown.days], frame)
    if ghost:
        canvas.lines([ghost], style.IDEAL, 1.5, dashes=(1.5, 4))
    if ideal:
        canvas.lines([ideal], style.IDEAL, 2.5, dashes=(7, 5))
    if remaining:
        canvas.lines(
            [remaining], style.REMAINING, 4 if frame.day_width > _LEAST_WIDTH_FOR_THICK_LINE else 2.5
        )
    room = Box(frame.left + 4, _PLOT_BOTTOM + 2, style.WIDTH - _MARGIN / 2, style.HEIGHT - 6)
    space = Space(room, [remaining, ideal, ghost], [frame.y(tick) for tick in ticks])
    if headline:
        steps = _grouped_steps(burndown, frame)
        _draw_end(canvas, space, headline, remaining, ideal=ideal, frame=frame)
        _draw_scope_steps(canvas, space, steps, remaining)
    else:
        _draw_plan(canvas, space, burndown, frame)
    if ideal:
        _draw_label_beside(canvas, space, ideal, "ideal")
    if ghost:
        if frame.today is not None:
            x = frame.x(_days_passed(burndown))
            space.take(Box(x, _PLOT_BOTTOM, x, _PLOT_TOP))
        _draw_label_beside(canvas, space, ghost, "first plan")
    canvas.outline()
    return canvas.png()


def _headline(burndown: Burndown) -> tuple[str, str] | None:
    """What is left: a figure, and its unit."""
    latest = burndown.latest
    if latest is None or latest.remaining is None:
        return None
    return number(latest.remaining), f"{unit_word(latest.remaining, burndown.unit)} left"


def _highest(burndown: Burndown) -> float:
    values = [burndown.committed]
    for day in burndown.days:
        values.extend(value for value in (day.remaining, day.ideal) if value is not None)
    return float(max(values))


def _frame(burndown: Burndown, headline: tuple[str, str] | None, ticks: Sequence[float]) -> _Frame:
    """The plot between the value labels and a margin that leaves room for the headline beside its point."""
    left = _MARGIN + max(text_width(value_name(tick), style.TICK) for tick in ticks) + 10
    right, days = style.WIDTH - _MARGIN - 4, max(1, len(burndown.days))
    if headline:
        headline_at = style.WIDTH - _MARGIN - _Stacked(*headline).width
        beside_column = left + (headline_at - 10 - left) / (burndown.as_of_day + 1) * days
        beside_point = left + (headline_at - 15 - left) / _days_passed(burndown) * days
        is_wide = (beside_column - left) / days / 2 > _FARTHEST_HEADLINE
        right = min(right, beside_point if is_wide else beside_column)
    today = burndown.as_of_day if headline and not is_over(burndown) else None
    return _Frame(left, right, days, ticks[-1], today)


def _days_passed(burndown: Burndown) -> float:
    """How far along the axis the last figures lie."""
    return burndown.as_of_day + (1 if burndown.is_day_complete else 0.5)


def _remaining_line(burndown: Burndown, frame: _Frame) -> list[Point]:
    """From point 0 to the last day with figures; empty before the sprint's start."""
    values = [burndown.committed, *(day.remaining for day in burndown.days)]
    points = [(frame.x(i), frame.y(value)) for i, value in enumerate(values) if value is not None]
    return [*points[:-1], (frame.x(_days_passed(burndown)), points[-1][1])] if len(points) > 1 else []


def _ideal_line(burndown: Burndown, frame: _Frame) -> list[Point]:
    values = [burndown.committed, *(day.ideal for day in burndown.days)]
    points = [(frame.x(i), frame.y(value)) for i, value in enumerate(values) if value is not None]
    return points if len(points) > 1 else []


def _ghost_line(burndown: Burndown, frame: _Frame) -> list[Point]:
    """What was left of the first plan: it leaves the ideal line where the due date was moved."""
    at = [i for i, day in enumerate(burndown.days) if day.ghost is not None]
    if not at:
        return []
    values = [ideal_before(burndown, at[0]), *(burndown.days[i].ghost for i in at)]
    return [(frame.x(at[0] + i), frame.y(value)) for i, value in enumerate(values) if value is not None]


def _draw_ground(canvas: Canvas, burndown: Burndown, frame: _Frame, ticks: Sequence[float]) -> None:
    """What lies under the lines: days off, today's column, the grid and its values."""
    spans = list(_spans_off(burndown)) if frame.day_width >= _LEAST_WIDTH_TO_SHADE else []
    colours = [style.DAY_OFF] * len(spans)
    if frame.today is not None:
        spans.append((frame.today, frame.today + 1))
        colours.append(style.TODAY)
    canvas.areas([Box(frame.x(a), _PLOT_BOTTOM, frame.x(b), _PLOT_TOP) for a, b in spans], colours)
    grid = [((frame.left, frame.y(tick)), (frame.right, frame.y(tick))) for tick in ticks]
    canvas.lines(grid[1:], style.GRID, 1)
    canvas.lines(grid[:1], style.BASELINE, 1.5)
    if frame.today is not None and frame.day_width < _LEAST_WIDTH_FOR_DOTS:
        x = frame.x(_days_passed(burndown))
        canvas.lines([((x, _PLOT_BOTTOM), (x, _PLOT_TOP))], style.TODAY_LINE, 1.5)
    for tick in ticks:
        name = value_name(tick)
        left = frame.left - 10 - text_width(name, style.TICK)
        baseline = frame.y(tick) - style.TICK.cap_height / 2
        canvas.text(left, baseline, name, style.TICK)


def _spans_off(burndown: Burndown) -> Iterator[tuple[int, int]]:
    """Runs of days off, as days passed at their start and end."""
    for is_working, run in groupby(enumerate(burndown.days), key=lambda pair: pair[1].is_working_day):
        indices = [i for i, _ in run]
        if not is_working:
            yield indices[0], indices[-1] + 1


def _draw_dates(canvas: Canvas, days: Sequence[date], frame: _Frame) -> None:
    """Dates under their columns; below them months or years where they begin, and today in full."""
    ticks = date_ticks(days, frame.day_width)
    for tick in ticks:
        lettering = style.TODAY_TICK if tick.day == frame.today else style.TICK
        left = frame.x(tick.day + 0.5) - text_width(tick.name, lettering) / 2
        canvas.text(left, _DATES_AT, tick.name, lettering)
    taken = list[Box]()
    if frame.today is not None:
        is_long = len(days) > 366
        year = f" {days[frame.today].year}" if is_long else ""
        text = f"today, {short_day(days[frame.today])}{year}"
        box = _below(frame, frame.today, text_width(text, style.TODAY_TICK))
        canvas.text(box.left, _PERIODS_AT, text, style.TODAY_TICK)
        taken.append(Box(box.left - 12, 0, box.right + 12, 1))
    # From the right: where two periods begin side by side, the longer one keeps its name.
    for tick in reversed([tick for tick in ticks if tick.period]):
        box = _below(frame, tick.day, text_width(tick.period, style.TICK))
        if not any(map(box.overlaps, taken)):
            canvas.text(box.left, _PERIODS_AT, tick.period, style.TICK)
            taken.append(Box(box.left - 12, 0, box.right + 12, 1))


def _below(frame: _Frame, day: int, width: float) -> Box:
    """Room for a word in the lowest row, in the middle under a day but on the card."""
    left = frame.x(day + 0.5) - width / 2
    left = max(_MARGIN, min(left, style.WIDTH - _MARGIN - width))
    return Box(left, 0, left + width, 1)


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
class _InARow:
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


def _draw_end(
    canvas: Canvas,
    space: Space,
    headline: tuple[str, str],
    remaining: Sequence[Point],
    *,
    ideal: Sequence[Point],
    frame: _Frame,
) -> None:
    """Where the sprint stands: a dot, and what is left beside it, on the side away from the ideal line."""
    x, y = remaining[-1]
    if frame.day_width >= _LEAST_WIDTH_FOR_DOTS:
        canvas.dots(remaining[:-1], 4.5, style.REMAINING)
    canvas.dots([(x, y)], 10, style.CARD)
    canvas.dots([(x, y)], 7.5, style.REMAINING)
    space.take(Box(x - 9, y - 9, x + 9, y + 9))
    forms = (_Stacked(*headline), _InARow(*headline))
    column_ends = frame.x(frame.today + 1) if frame.today is not None else x
    right = column_ends + 10 if 5 < column_ends - x < _FARTHEST_HEADLINE else x + 15
    above = [(form, right, y + rise) for rise in (8, 0, -8, 20, 36, 60) for form in forms]
    beside = [(form, right, y - form.height / 2) for form in forms]
    under = [(form, right, y - 6 - form.height) for form in forms]
    left_under = [(form, x - 15 - form.width, y - 7 - form.height) for form in forms]
    left_above = [(form, x - 15 - form.width, y + 14) for form in forms]
    if ideal and y < _height_at(ideal, x):
        choices = under + beside + left_under + above + left_above
    else:
        choices = above + beside + left_above + under + left_under
    boxes = [Box(left, bottom, left + form.width, bottom + form.height) for form, left, bottom in choices]
    chosen = space.place(boxes, most_hits=1000)
    if chosen is not None:
        choices[chosen][0].draw(canvas, boxes[chosen])


def _draw_plan(canvas: Canvas, space: Space, burndown: Burndown, frame: _Frame) -> None:
    """Without figures there is only the plan. A sprint that ends before it starts has not even days."""
    text = f"{quantity(burndown.committed, burndown.unit)} planned" if burndown.days else "no days to show"
    width, height = text_width(text, style.PLAN_LABEL), style.PLAN_LABEL.size
    x, y = frame.left, frame.y(burndown.committed if burndown.days else frame.highest / 2)
    corners = [(x + right, y + rise) for right in (24, 60, 100, 150, 250) for rise in (12, -10, -32, -54)]
    boxes = [Box(left, bottom, left + width, bottom + height) for left, bottom in corners]
    chosen = space.place(boxes, most_hits=1000)
    if chosen is not None:
        at = boxes[chosen].bottom + style.PLAN_LABEL.descent
        canvas.text(boxes[chosen].left, at, text, style.PLAN_LABEL)


def _grouped_steps(burndown: Burndown, frame: _Frame) -> list[ScopeStep]:
    return in_groups(scope_steps(burndown), max(1, int(_LEAST_WIDTH_BETWEEN_STEPS / frame.day_width)))


def _draw_scope_steps(
    canvas: Canvas, space: Space, steps: Sequence[ScopeStep], remaining: Sequence[Point]
) -> None:
    """A triangle up or down where the scope changed, and by how much; the largest change names the matter."""
    if not steps:
        return
    at = [remaining[step.day + 1] for step in steps]
    if at[-1] == remaining[-1]:
        at[-1] = (at[-1][0], at[-1][1] + 21)  # above the dot at the line's end, not on it
    canvas.shapes([_triangle(point, step.amount) for point, step in zip(at, steps, strict=True)], style.SCOPE)
    for x, y in at:
        space.take(Box(x - 8, y - 7, x + 8, y + 7))
    largest_first = sorted(zip(steps, at, strict=True), key=lambda pair: -abs(pair[0].amount))
    for rank, (step, (x, y)) in enumerate(largest_first):
        text = f"scope {signed(step.amount)}" if rank == 0 else signed(step.amount)
        width = text_width(text, style.SCOPE_LABEL)
        height = style.SCOPE_LABEL.cap_height + 2
        sides = (x - width / 2, x - 8, x + 8 - width)
        rises = (13.0, -13 - height, 20.0, -20 - height, 32.0, -32 - height, 46.0)
        boxes = [Box(left, y + rise, left + width, y + rise + height) for rise in rises for left in sides]
        chosen = space.place(boxes)
        if chosen is not None:
            box = boxes[chosen]
            canvas.text(box.left, box.bottom + 1, text, style.SCOPE_LABEL)


def _triangle(at: Point, amount: Decimal) -> list[Point]:
    (x, y), tip = at, 10 if amount > 0 else -10
    return [(x - 9, y - tip * 0.6), (x + 9, y - tip * 0.6), (x, y + tip)]


def _draw_label_beside(canvas: Canvas, space: Space, line: Sequence[Point], words: str) -> None:
    """Words beside a falling line, where there is room."""
    width, height = text_width(words, style.IDEAL_LABEL), style.IDEAL_LABEL.cap_height + 1
    boxes = list[Box]()
    for share in (0.75, 0.7, 0.8, 0.6, 0.85, 0.45, 0.3, 0.15, 0.92):
        x = line[0][0] + share * (line[-1][0] - line[0][0])
        y = _height_at(line, x)
        corners = ((x + 6, y + 6), (x - width - 6, y - height - 6), (x - width / 2, y + 10))
        boxes.extend(Box(left, bottom, left + width, bottom + height) for left, bottom in corners)
    chosen = space.place(boxes, most_hits=4)
    if chosen is not None:
        canvas.text(boxes[chosen].left, boxes[chosen].bottom, words, style.IDEAL_LABEL)


def _height_at(line: Sequence[Point], x: float) -> float:
    """The height of a line at `x`; beyond its end, that of its end."""
    for (x1, y1), (x2, y2) in pairwise(line):
        if x <= x2:
            return y1 + (y2 - y1) * (x - x1) / (x2 - x1)
    return line[-1][1]
