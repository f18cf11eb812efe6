"""Charts of a team as Mermaid charts, or as Markdown tables where Mermaid has no such chart."""

from collections.abc import Sequence
from decimal import Decimal

from charts.mermaid import (
    BLUE,
    GREY,
    MOST_POINTS,
    ORANGE,
    Series,
    choose_labelled,
    count_names_with_room,
    make_distinct,
    name_unit,
    write_xychart,
)
from charts.reading import short_day, whole
from charts.values import Aging, Calibration, CycleScatter, ThroughputBars, VelocityBars
from sprints.cumulative_flow import CumulativeFlow
from sprints.numbering import ref

_MOST_BARS, _MOST_ROWS = 52, 10


def write_velocity(velocity: VelocityBars) -> str:
    """Write bars of completed work, and lines of committed work and of the median."""
    bars, unit = velocity.bars, name_unit(velocity.unit)
    series = [Series("bar", "completed", BLUE, [bar.completed for bar in bars])]
    title = f"{unit.capitalize()} completed (blue)"
    if len(bars) > 1:  # A line of one point is invisible.
        series.append(Series("line", "committed", ORANGE, [bar.committed for bar in bars]))
        title += ", committed (orange)"
    if velocity.median is not None:
        series.append(Series("line", "median", GREY, [velocity.median] * len(bars)))
        title += ", median (grey)"
    return _by_name(title, [short_day(bar.last_day) for bar in bars], unit, series)


def write_throughput(throughput: ThroughputBars) -> str:
    """Write bars of work done, and a line at the median; only the latest part of a long time."""
    bars = throughput.bars[-_MOST_BARS:]
    series = [Series("bar", "done", BLUE, [Decimal(bar.count) for bar in bars])]
    title = f"Throughput: items done per {throughput.span} (blue)"
    if throughput.median is not None and len(bars) > 1:
        series.append(Series("line", "median", GREY, [throughput.median] * len(bars)))
        title += ", median (grey)"
    return _by_name(title, [short_day(bar.first) for bar in bars], "items", series)


def write_cumulative_flow(flow: CumulativeFlow) -> str:
    """Write lines of the items that had arrived, were started, and had left."""
    days = flow.days
    shown = [days[n * (len(days) - 1) // (MOST_POINTS - 1)] for n in range(MOST_POINTS)]
    days = tuple(shown) if len(days) > MOST_POINTS else days
    lines = [
        (Series("line", "arrived", GREY, [Decimal(day.arrived) for day in days]), "arrived (grey)"),
        (Series("line", "started", ORANGE, [Decimal(day.started) for day in days]), "started (orange)"),
        (Series("line", "left", BLUE, [Decimal(day.done + day.dropped) for day in days]), "left (blue)"),
    ]
    # A line at 0 all the time is neither drawn nor named.
    drawn = [(line, words) for line, words in lines if any(line.values)] or lines[:1]
    series = [line for line, _ in drawn]
    if len(days) == 1:  # A line of one point is invisible.
        series = [Series("bar", line.name, line.ink, line.values) for line in series]
    title = f"Items {', '.join(words for _, words in drawn)}"
    return _by_name(title, [short_day(day.date) for day in days], "items", series)


def write_cycle_times(cycle: CycleScatter) -> str:
    """Write within how many days which share of the items was done. Mermaid has no scatter chart."""
    percentiles = ((50, cycle.p50), (85, cycle.p85), (95, cycle.p95))
    rows = [f"| {percent} % | {whole(days)} |" for percent, days in percentiles if days is not None]
    count = len(cycle.items)
    head = f"| Of {whole(count)} {'item' if count == 1 else 'items'} | done within days |"
    return "\n".join([head, "|--:|--:|", *rows])


def write_aging(aging: Aging) -> str:
    """Write the oldest items, which GitHub shows with titles. Mermaid would need a name for each bar."""
    rows = [
        f"| {ref(item.number)} | {whole(item.days)}{'+' * item.is_at_least} | {_share(item.days, aging)} |"
        for item in aging.items[:_MOST_ROWS]
    ]
    others = len(aging.items) - len(rows)
    if others > 0:
        rows.append(f"| {whole(others)} more | {whole(aging.items[_MOST_ROWS].days)} or less | |")
    return "\n".join(
        ["| Item | Days in progress | Of finished items, so many took less |", "|:--|--:|:--|", *rows]
    )


def write_calibration(calibration: Calibration) -> str:
    """Write bars of the observed shares beside a line of the forecast chances, in percent."""
    bins = calibration.bins
    names = [
        f"{group.low}/10, {group.n}x"
        if group.low == group.high
        else f"{group.low} to {group.high} in 10, {group.n}x"
        for group in bins
    ]
    series = [
        Series("bar", "came true", BLUE, [Decimal(100 * group.true) / group.n for group in bins]),
        Series("line", "said", ORANGE, [Decimal(100 * group.mean_chance) for group in bins]),
    ]
    title = "Percent that came true (blue), chance said (orange)"
    return write_xychart(title, make_distinct(names), "percent", series, top=Decimal(100))


def _share(days: int, aging: Aging) -> str:
    if aging.p85 is not None and days > aging.p85:
        return "more than 85 %"
    return "more than 50 %" if aging.p50 is not None and days > aging.p50 else ""


def _by_name(title: str, names: Sequence[str], y_name: str, series: Sequence[Series]) -> str:
    """Write a chart with a name for each value, or for some of them where these are many."""
    labelled = choose_labelled(len(names), count_names_with_room(names))
    labels = [name if place in labelled else "" for place, name in enumerate(names)]
    top = max((value for item in series for value in item.values), default=Decimal(0))
    return write_xychart(title, make_distinct(labels), y_name, series, top=top)
