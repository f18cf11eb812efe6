"""The throughput picture: how many items were done each week or day, none included, and their median."""

from datetime import timedelta

from charts.bars import draw_bars, draw_column_dates, draw_numbers, lay_out_bars
from charts.canvas import HOUSE_GROUNDS, Canvas
from charts.labels import Box
from charts.plot import BOTTOM, DayPlot, draw_dates, draw_grid, draw_title
from charts.scale import choose_value_ticks
from charts.themes import Ink, Theme
from charts.values import ThroughputBars

# Where columns are narrower than this, months are named and not the weeks.
_ROOM_FOR_WEEK = 40.0


def draw(throughput: ThroughputBars, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG at 2×: a bar for each week or day. A week that is partly outside is pale."""
    bars = throughput.bars
    counts = [bar.count for bar in bars]
    ticks = choose_value_ticks(max(counts, default=0), whole=True)
    plot = lay_out_bars(len(bars), ticks, throughput.median)
    canvas = Canvas(theme, (*HOUSE_GROUNDS, Ink.INNER_BAND))
    draw_title(canvas, f"Items done per {throughput.span}")
    off = [n for n, bar in enumerate(bars) if bar.is_off]
    canvas.areas([Box(plot.x(n), BOTTOM, plot.x(n + 1), plot.top) for n in off], [Ink.DAY_OFF] * len(off))
    draw_grid(canvas, plot, ticks)
    is_partial = [not bar.is_whole for bar in bars]
    inks = [Ink.INNER_BAND if partial else Ink.REMAINING for partial in is_partial]
    boxes = draw_bars(canvas, plot, counts, throughput.median, inks)
    partial = [
        box for box, is_part in zip(boxes, is_partial, strict=True) if is_part and box.top > BOTTOM + 4
    ]
    canvas.frames(partial, Ink.REMAINING)
    draw_numbers(canvas, plot, counts, pale=is_partial)
    _draw_names(canvas, plot, throughput)
    canvas.outline()
    return canvas.png()


def _draw_names(canvas: Canvas, plot: DayPlot, throughput: ThroughputBars) -> None:
    firsts = [bar.first for bar in throughput.bars]
    if throughput.span == "day":
        draw_dates(canvas, firsts, plot)
    elif plot.day_width >= _ROOM_FOR_WEEK:
        whole = [bar.is_whole for bar in throughput.bars]
        notes = {n: "so far" if n == len(whole) - 1 else "in part" for n in range(len(whole)) if not whole[n]}
        draw_column_dates(canvas, plot, firsts, notes)
    else:
        days = [monday + timedelta(days=n) for monday in firsts for n in range(7)]
        draw_dates(canvas, days, DayPlot(plot.left, plot.right, plot.highest, plot.top, len(days)))
