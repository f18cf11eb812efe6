"""The cycle time picture: each finished item by the day on which it was done, and how long it took."""

from collections import Counter
from collections.abc import Sequence

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, LabelSpace, Point, spread_heights
from charts.plot import (
    BOTTOM,
    MARGIN,
    TITLED_TOP,
    DayPlot,
    draw_dates,
    draw_grid,
    draw_title,
    find_left_edge,
    place_needed_words,
)
from charts.reading import whole
from charts.scale import choose_value_ticks
from charts.themes import Ink, Theme
from charts.values import CycleScatter
from sprints.calendar import days_between

# Items that took longer than this many times the 85th percentile would squeeze all others.
_FAR_OUT = 4
_DOT, _SMALL_DOT, _LARGEST_DOT = 5.5, 4.0, 13.0
_MANY = 120
_Percentile = tuple[int, str, style.Lettering]


def draw(cycle: CycleScatter, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×: dots for items, horizontal lines for percentiles. It holds no names."""
    ticks = choose_value_ticks(_highest(cycle), whole=True)
    days = days_between(cycle.first, cycle.last)
    percentiles = _percentiles(cycle)
    widest = max((text_width(words, lettering) for _, words, lettering in percentiles), default=-8)
    plot = DayPlot(find_left_edge(ticks), style.WIDTH - MARGIN - widest - 8, ticks[-1], TITLED_TOP, len(days))
    canvas = Canvas(theme, (Ink.CARD,))
    title = draw_title(canvas, "Days from start to done, by the day when done")
    draw_grid(canvas, plot, ticks)
    _draw_percentiles(canvas, plot, percentiles)
    dots = _draw_items(canvas, plot, cycle)
    space = LabelSpace(Box(MARGIN, BOTTOM, plot.right, style.HEIGHT), [[dot] for dot in dots], [])
    space.take(title)
    _draw_far_out(canvas, space, plot, cycle)
    draw_dates(canvas, days, plot)
    canvas.outline()
    return canvas.png()


def _highest(cycle: CycleScatter) -> float:
    """Return the least upper end of the axis in days: the longest item unless it is far out."""
    longest = max((item.days for item in cycle.items), default=0)
    if cycle.p85 is None or longest <= _FAR_OUT * cycle.p85:
        return longest
    usual = max(item.days for item in cycle.items if item.days <= _FAR_OUT * cycle.p85)
    return usual * 1.2  # leaves a row for what is marked as far out


def _percentiles(cycle: CycleScatter) -> list[_Percentile]:
    """List the percentiles as days, words, and lettering; of equal ones only the highest."""
    named = dict[int, _Percentile]()
    for percent, days in ((50, cycle.p50), (85, cycle.p85), (95, cycle.p95)):
        if days is not None:
            lettering = style.TODAY_TICK if percent == 85 else style.TICK
            named[days] = (days, f"{percent} % in {whole(days)} {'day' if days == 1 else 'days'}", lettering)
    return list(named.values())


def _draw_percentiles(canvas: Canvas, plot: DayPlot, percentiles: Sequence[_Percentile]) -> None:
    """Draw horizontal lines with their labels at the ends, pushed apart where they are close."""
    for days, _, lettering in percentiles:
        if days <= plot.highest:
            y = plot.y(days)
            ink, width = (Ink.TEXT, 2.5) if lettering is style.TODAY_TICK else (Ink.IDEAL, 2)
            canvas.lines([((plot.left, y), (plot.right, y))], ink, width, dashes=(7, 5))
    label_heights = [plot.y(days) if days <= plot.highest else plot.top + 16 for days, _, _ in percentiles]
    for y, (_, words, lettering) in zip(
        spread_heights(label_heights, 22, BOTTOM, style.HEIGHT), percentiles, strict=True
    ):
        canvas.text(plot.right + 8, y - lettering.cap_height / 2, words, lettering)


def _draw_items(canvas: Canvas, plot: DayPlot, cycle: CycleScatter) -> list[Point]:
    """Draw dots that grow with the number of items at one point, and return their centres."""
    column = {day: n for n, day in enumerate(days_between(cycle.first, cycle.last))}
    items_at_point = Counter(
        (column[item.finished], item.days) for item in cycle.items if item.days <= plot.highest
    )
    usual = _DOT if len(items_at_point) <= _MANY else _SMALL_DOT
    centres = {point: (plot.x(point[0] + 0.5), plot.y(point[1])) for point in items_at_point}
    for count in sorted(set(items_at_point.values()), reverse=True):
        equal = [centres[point] for point, n in items_at_point.items() if n == count]
        radius = min(_LARGEST_DOT, usual * count**0.5)
        canvas.dots(equal, radius + 1.5, Ink.CARD)
        canvas.dots(equal, radius, Ink.REMAINING)
    return list(centres.values())


def _draw_far_out(canvas: Canvas, space: LabelSpace, plot: DayPlot, cycle: CycleScatter) -> None:
    """Draw triangles at the upper edge for items that took much longer, and label them with their days."""
    outside = [item for item in cycle.items if item.days > plot.highest]
    if not outside:
        return
    positions, y = [plot.x((item.finished - cycle.first).days + 0.5) for item in outside], plot.top - 2
    canvas.shapes([[(x - 9, y - 6), (x + 9, y - 6), (x, y + 10)] for x in positions], Ink.SCOPE)
    for x in positions:
        space.take(Box(x - 8, y - 6, x + 8, y + 8))
    longest = max(item.days for item in outside)
    words = (
        f"{whole(longest)} days"
        if len(outside) == 1
        else f"{len(outside)} longer, up to {whole(longest)} days"
    )

    def beside(width: float, _: float) -> list[Point]:
        lefts = [left for x in reversed(positions) for left in (x - width / 2, x - width - 14, x + 14)]
        return [(left, y + rise) for left in lefts for rise in (-25.0, -7.0, 13.0)]

    anchor = (positions[-1], y)
    place_needed_words(canvas, space, words, style.WARNING, beside, anchor=anchor, most_hits=3)
