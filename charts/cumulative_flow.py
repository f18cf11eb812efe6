"""The cumulative flow picture: items that wait, are in progress and have left, at the end of each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from charts import style
from charts.canvas import Canvas, text_width
from charts.labels import Point, spread_heights
from charts.plot import BOTTOM, MARGIN, TITLED_TOP, DayPlot, draw_dates, draw_grid, draw_title, find_left_edge
from charts.reading import whole
from charts.scale import choose_value_ticks
from charts.themes import Ink, Theme
from sprints.cumulative_flow import CumulativeFlow

_GROUNDS = (Ink.CARD, Ink.WAITING_AREA, Ink.WORK_AREA, Ink.DONE_AREA)
_LINE_HEIGHT = 23.0


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
    room = max(text_width(layer.label, style.VALUE) for layer in layers) + 8
    right = style.WIDTH - MARGIN / 2 - 4 - room
    # The end of the first day is the left edge; a single day has two equal edges.
    columns = max(1, len(flow.days) - 1)
    plot = DayPlot(find_left_edge(ticks), right, ticks[-1], TITLED_TOP, columns)
    edges = _edges(plot, layers)
    canvas = Canvas(theme, _GROUNDS, (Ink.DROPPED_AREA,))
    draw_title(canvas, "Items by state at the end of each day")
    outlines = [[*low, *reversed(high)] for low, high in pairwise(edges)]
    canvas.bands(outlines, [layer.area for layer in layers])
    draw_grid(canvas, plot, ticks)
    for edge, layer in zip(edges[1:], layers, strict=True):
        canvas.lines([edge], layer.ink, 2.5)
    _draw_labels(canvas, plot, edges, layers)
    draw_dates(canvas, [day.date for day in flow.days[-columns:]], plot)
    canvas.outline()
    return canvas.png()


def _layers(flow: CumulativeFlow) -> list[_Layer]:
    """List the layers from the ground up. Dropped items have one only if there are any."""
    days, blue = flow.days, Ink.REMAINING
    done, dropped = [day.done for day in days], [day.dropped for day in days]
    layers = [
        _Layer(done, "done", Ink.DONE_AREA, blue, style.VALUE),
        _Layer(dropped, "dropped", Ink.DROPPED_AREA, Ink.QUIET_TEXT, style.ASIDE),
        _Layer([day.in_progress for day in days], "in progress", Ink.WORK_AREA, Ink.SCOPE, style.WARNING),
        _Layer([day.waiting for day in days], "waiting", Ink.WAITING_AREA, Ink.IDEAL, style.ASIDE),
    ]
    return layers if any(dropped) else [layers[0], *layers[2:]]


def _edges(plot: DayPlot, layers: Sequence[_Layer]) -> list[list[Point]]:
    """Return the ground line, and the upper edge of each layer."""
    count = len(layers[0].counts)
    heights = [0] * count
    edges = [_edge(plot, heights)]
    for layer in layers:
        heights = [height + more for height, more in zip(heights, layer.counts, strict=True)]
        edges.append(_edge(plot, heights))
    return edges


def _edge(plot: DayPlot, heights: Sequence[int]) -> list[Point]:
    points = [(plot.x(n), plot.y(height)) for n, height in enumerate(heights)]
    return points if len(points) > 1 else [*points, (plot.right, points[0][1])]


def _draw_labels(
    canvas: Canvas, plot: DayPlot, edges: Sequence[Sequence[Point]], layers: Sequence[_Layer]
) -> None:
    """Label each layer's end with its current count."""
    middles = [(low[-1][1] + high[-1][1]) / 2 for low, high in pairwise(edges)]
    placed = spread_heights(middles, _LINE_HEIGHT, BOTTOM + 8, plot.top)
    for y, layer in zip(placed, layers, strict=True):
        canvas.text(plot.right + 8, y - layer.lettering.cap_height / 2, layer.label, layer.lettering)
