"""The cumulative flow picture: items that wait, are in progress and have left, at the end of each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Box, LabelSpace, Point, spread_heights
from charts.plot import (
    BOTTOM,
    MARGIN,
    TITLED_TOP,
    DayPlot,
    Plot,
    draw_dates,
    draw_grid,
    draw_title,
    find_left_edge,
    place_needed_words,
)
from charts.reading import whole
from charts.scale import choose_value_ticks
from charts.themes import Ink, Theme
from sprints.cumulative_flow import CumulativeFlow

_GROUNDS = (Ink.CARD, Ink.WAITING_AREA, Ink.WORK_AREA, Ink.DONE_AREA)
_LINE_HEIGHT = 23.0
# Half of the last date stands to the right of the plot.
_LEAST_ROOM = 30.0
_NOTHING = "no item was here in these days"


@dataclass(frozen=True, slots=True)
class _Layer:
    """One state: its counts by day, and its style."""

    counts: Sequence[int]
    words: str
    area: Ink
    ink: Ink
    lettering: style.Lettering

    @property
    def label(self) -> str:
        return f"{whole(self.counts[-1])} {self.words}"


def draw(flow: CumulativeFlow, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×: layers with edges that never fall, labelled with current
    counts."""
    layers = _layers(flow)
    ticks = choose_value_ticks(flow.days[-1].arrived, whole=True)
    room = max((text_width(layer.label, style.VALUE) for layer in layers), default=_LEAST_ROOM) + 8
    plot = Plot(find_left_edge(ticks), style.WIDTH - MARGIN / 2 - 4 - room, ticks[-1], TITLED_TOP)
    axis = _lay_out_days(plot, len(flow.days))
    edges = _edges(axis, layers)
    canvas = Canvas(theme, _GROUNDS, (Ink.DROPPED_AREA,))
    title = draw_title(canvas, "Items by state at the end of each day")
    outlines = [[*low, *reversed(high)] for low, high in pairwise(edges)]
    canvas.bands(outlines, [layer.area for layer in layers])
    draw_grid(canvas, plot, ticks)
    for edge, layer in zip(edges[1:], layers, strict=True):
        canvas.lines([edge], layer.ink, 2.5)
    _draw_labels(canvas, plot, edges, layers)
    space = LabelSpace(Box(plot.left + 4, BOTTOM + 2, plot.right, style.HEIGHT - 6), edges, [])
    space.take(title)
    _label_ended(canvas, space, edges, layers)
    if not layers:
        left = (plot.left + plot.right - text_width(_NOTHING, style.NAME)) / 2
        canvas.text(left, (BOTTOM + TITLED_TOP) / 2, _NOTHING, style.NAME)
    draw_dates(canvas, [day.date for day in flow.days], axis)
    canvas.outline()
    return canvas.png()


def _lay_out_days(plot: Plot, days: int) -> DayPlot:
    """Lay out columns whose middles are the ends of the days, from the left edge to the right one.

    A single day has the whole width.
    """
    half = (plot.right - plot.left) / (days - 1) / 2 if days > 1 else 0.0
    return DayPlot(plot.left - half, plot.right + half, plot.highest, plot.top, days)


def _layers(flow: CumulativeFlow) -> list[_Layer]:
    """List the layers from the ground up. A state has one only if any item ever was in it."""
    days, blue = flow.days, Ink.REMAINING
    done, dropped = [day.done for day in days], [day.dropped for day in days]
    layers = [
        _Layer(done, "done", Ink.DONE_AREA, blue, style.VALUE),
        _Layer(dropped, "dropped", Ink.DROPPED_AREA, Ink.QUIET_TEXT, style.ASIDE),
        _Layer([day.in_progress for day in days], "in progress", Ink.WORK_AREA, Ink.SCOPE, style.WARNING),
        _Layer([day.waiting for day in days], "waiting", Ink.WAITING_AREA, Ink.IDEAL, style.ASIDE),
    ]
    return [layer for layer in layers if any(layer.counts)]


def _edges(axis: DayPlot, layers: Sequence[_Layer]) -> list[list[Point]]:
    """Return the ground line, and the upper edge of each layer."""
    heights = [0] * axis.days
    edges = [_edge(axis, heights)]
    for layer in layers:
        heights = [height + more for height, more in zip(heights, layer.counts, strict=True)]
        edges.append(_edge(axis, heights))
    return edges


def _edge(axis: DayPlot, heights: Sequence[int]) -> list[Point]:
    points = [(axis.x(n + 0.5), axis.y(height)) for n, height in enumerate(heights)]
    return points if len(points) > 1 else [(axis.left, points[0][1]), (axis.right, points[0][1])]


def _draw_labels(
    canvas: Canvas, plot: Plot, edges: Sequence[Sequence[Point]], layers: Sequence[_Layer]
) -> None:
    """Label the end of each layer in which items are now with their number."""
    bands = zip(pairwise(edges), layers, strict=True)
    middles = [((low[-1][1] + high[-1][1]) / 2, layer) for (low, high), layer in bands if layer.counts[-1]]
    placed = spread_heights([middle for middle, _ in middles], _LINE_HEIGHT, BOTTOM + 8, plot.top)
    for y, (_, layer) in zip(placed, middles, strict=True):
        canvas.text(plot.right + 8, y - layer.lettering.cap_height / 2, layer.label, layer.lettering)


def _label_ended(
    canvas: Canvas, space: LabelSpace, edges: Sequence[Sequence[Point]], layers: Sequence[_Layer]
) -> None:
    """Name each layer in which no item is now where it was highest: within it, or else above it."""
    for (low, high), layer in zip(pairwise(edges), layers, strict=True):
        if layer.counts[-1]:
            continue
        peak = max(range(len(high)), key=lambda n: (high[n][1] - low[n][1], n))
        x, middle, top = high[peak][0], (low[peak][1] + high[peak][1]) / 2, high[peak][1]
        corners = partial(_list_places, x, middle, top)
        anchor = (x, middle)
        place_needed_words(canvas, space, layer.words, layer.lettering, corners, anchor=anchor)


def _list_places(x: float, middle: float, top: float, width: float, height: float) -> list[Point]:
    """List places for words within a layer around `x`, and above it."""
    lefts = (x - width / 2, x - 0.8 * width, x - 0.2 * width, x - width - 6, x + 6)
    return [(left, bottom) for bottom in (middle - height / 2, top + 8, top + 24) for left in lefts]
