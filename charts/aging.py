"""The aging picture: the items in progress by their age, beside how long finished ones took."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box
from charts.plot import MARGIN, TITLED_TOP, draw_title
from charts.reading import whole
from charts.scale import choose_value_ticks, write_value
from charts.themes import Ink, Theme
from charts.values import Aging, AgingItem
from sprints.numbering import ref

# The number of items with a row each; the others share the last row.
_MOST_ROWS = 8
_TALLEST_ROW, _SHARE_OF_ROW = 46.0, 0.66
_BOTTOM, _TICKS_AT, _LIMITS_AT = 42.0, 16.0, TITLED_TOP + 8
_DOT, _LARGEST_DOT = 4.5, 12.0
_LIMIT_DASHES = (7.0, 5.0)
# Bars longer than this many times the 85th percentile are broken, because they would squeeze all others.
_FAR_OUT = 4


def draw(aging: Aging, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×: a bar for each item, the oldest on top. It holds numbers, no titles."""
    rows = aging.items if len(aging.items) <= _MOST_ROWS + 1 else aging.items[:_MOST_ROWS]
    others = aging.items[len(rows) :]
    names = [ref(item.number) for item in rows] + ([f"{len(others)} more"] if others else [])
    ticks = choose_value_ticks(_highest(aging), whole=True)
    plot = _row_plot(names, [_age(item) for item in rows], ticks[-1])
    canvas = Canvas(theme, (Ink.CARD, Ink.DAY_OFF, Ink.LATE_AREA))
    draw_title(canvas, "Days in progress, the oldest items first")
    _draw_ground(canvas, plot, aging, ticks)
    _draw_bars(canvas, plot, rows, aging)
    _draw_others(canvas, plot, len(rows), others, aging.p85)
    for row, name in enumerate(names):
        left = plot.left - 10 - text_width(name, style.NAME)
        canvas.text(left, plot.middle(row) - style.NAME.cap_height / 2, name, style.NAME)
    canvas.outline()
    return canvas.png()


def _highest(aging: Aging) -> int:
    """Return the least upper end of the axis in days: the oldest item unless it is far out."""
    oldest = aging.items[0].days if aging.items else 0
    if aging.p85 is None or oldest <= _FAR_OUT * aging.p85:
        return max(oldest, aging.p85 or 0)
    usual = [item.days for item in aging.items if item.days <= _FAR_OUT * aging.p85]
    return max([*usual, aging.p85 * 2])


@dataclass(frozen=True, slots=True)
class _RowPlot:
    """The positions of days and rows on the card."""

    left: float
    right: float
    highest: float
    row_height: float

    def x(self, days: float) -> float:
        return self.left + min(1.0, days / self.highest) * (self.right - self.left)

    def middle(self, row: int) -> float:
        return TITLED_TOP - (row + 0.5) * self.row_height


def _row_plot(names: Sequence[str], ages: Sequence[str], highest: float) -> _RowPlot:
    left = MARGIN + max((text_width(name, style.NAME) for name in names), default=0) + 10
    right = style.WIDTH - MARGIN - 8 - max((text_width(age, style.VALUE) for age in ages), default=0)
    return _RowPlot(left, right, highest, min(_TALLEST_ROW, (TITLED_TOP - _BOTTOM) / max(1, len(names))))


def _age(item: AgingItem) -> str:
    return f"{whole(item.days)}{'+' if item.is_at_least else ''}"


def _draw_ground(canvas: Canvas, plot: _RowPlot, aging: Aging, ticks: Sequence[float]) -> None:
    """Draw the grid and the zones: white up to the median, then grey, and late beyond the 85th percentile."""
    ends = [plot.right if days is None else plot.x(days) for days in (aging.p50, aging.p85)]
    edge = plot.right if aging.p85 is None else style.WIDTH - MARGIN / 2
    zones = [Box(ends[0], _BOTTOM, ends[1], TITLED_TOP), Box(ends[1], _BOTTOM, edge, TITLED_TOP)]
    canvas.areas(zones, [Ink.DAY_OFF, Ink.LATE_AREA])
    grid = [((plot.x(tick), _BOTTOM), (plot.x(tick), TITLED_TOP)) for tick in ticks]
    canvas.lines(grid[1:], Ink.GRID, 1)
    canvas.lines(grid[:1], Ink.BASELINE, 1.5)
    for tick in ticks:
        name = write_value(tick)
        canvas.text(plot.x(tick) - text_width(name, style.TICK) / 2, _TICKS_AT, name, style.TICK)
    _draw_limits(canvas, plot, aging)


def _draw_limits(canvas: Canvas, plot: _RowPlot, aging: Aging) -> None:
    """Label the lines within which half, and 85 %, of the finished items were done, above the plot."""
    if aging.p50 is None or aging.p85 is None:
        return
    lines = [((plot.x(days), _BOTTOM), (plot.x(days), TITLED_TOP)) for days in (aging.p50, aging.p85)]
    canvas.lines(lines[1:], Ink.TEXT, 2.5, _LIMIT_DASHES)
    most = f"85 % done in {whole(aging.p85)} {'day' if aging.p85 == 1 else 'days'}"
    width = text_width(most, style.TODAY_TICK)
    left = min(plot.x(aging.p85) - width / 2, style.WIDTH - MARGIN - width)
    if aging.p50 == aging.p85:  # The zone between the two has no width.
        canvas.text(max(MARGIN, left), _LIMITS_AT, most, style.TODAY_TICK)
        return
    canvas.lines(lines[:1], Ink.IDEAL, 2, _LIMIT_DASHES)
    half = f"50 % in {whole(aging.p50)}"
    half_width = text_width(half, style.TICK)
    half_left = max(MARGIN, min(plot.x(aging.p50) - half_width / 2, left - 14 - half_width))
    canvas.text(half_left, _LIMITS_AT, half, style.TICK)
    canvas.text(max(left, half_left + half_width + 14), _LIMITS_AT, most, style.TODAY_TICK)


def _draw_bars(canvas: Canvas, plot: _RowPlot, rows: Sequence[AgingItem], aging: Aging) -> None:
    """Draw a bar for each item with its age at the end, in another colour if it is late."""
    half = plot.row_height * _SHARE_OF_ROW / 2
    middles = [plot.middle(row) for row in range(len(rows))]
    boxes = [
        Box(plot.left, y - half, plot.x(item.days), y + half) for y, item in zip(middles, rows, strict=True)
    ]
    late = [_is_late(item, aging.p85) for item in rows]
    canvas.areas(boxes, [Ink.SCOPE if is_late else Ink.REMAINING for is_late in late])
    broken = [y for y, item in zip(middles, rows, strict=True) if item.days > plot.highest]
    canvas.lines([((plot.right - 26, y - half), (plot.right - 14, y + half)) for y in broken], Ink.CARD, 5)
    for box, y, item, is_late in zip(boxes, middles, rows, late, strict=True):
        lettering = style.WARNING if is_late else style.VALUE
        left = _beside_limits(box.right + 8, text_width(_age(item), lettering), plot, aging)
        canvas.text(left, y - lettering.cap_height / 2, _age(item), lettering)


def _beside_limits(left: float, width: float, plot: _RowPlot, aging: Aging) -> float:
    """Move words that would begin at `left` to the right of a limit that would strike them through."""
    for days in (aging.p50, aging.p85):
        if days is not None and left - 4 < plot.x(days) < left + width + 4:
            left = plot.x(days) + 7
    return left


def _draw_others(
    canvas: Canvas, plot: _RowPlot, row: int, others: Sequence[AgingItem], limit: int | None
) -> None:
    """Draw one row of dots for the younger items, which grow with the number of items of an age."""
    counts = Counter(item.days for item in others)
    for days, count in sorted(counts.items()):
        centre, radius = (plot.x(days), plot.middle(row)), min(_LARGEST_DOT, _DOT * count**0.5)
        is_late = limit is not None and days > limit
        canvas.dots([centre], radius + 1.5, Ink.CARD)
        canvas.dots([centre], radius, Ink.SCOPE if is_late else Ink.REMAINING)


def _is_late(item: AgingItem, limit: int | None) -> bool:
    return limit is not None and item.days > limit
