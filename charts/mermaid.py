"""Sprint pictures as Mermaid charts, for repositories where readers' browsers must draw them.

Mermaid's XY chart limits them (syntax: https://mermaid.js.org/syntax/xyChart.html). A numeric axis stretches
a short line over its whole width, so the axis lists categories. A line with fewer values than there are
categories ends early, as the future requires (in 10.9 and 11.17 alike). Categories of equal name collapse
into one, all names are written below the axis, and many of them overlap. A title of more than some sixty
characters is cut at both ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from charts.fan_levels import compute_bands, compute_highest, get_scope, is_scope_cut
from charts.reading import number, short_day
from charts.values import ForecastFan
from sprints.burndown import Burndown
from sprints.burnup import Burnup

MOST_POINTS = 60
# How many dates have room below the axis.
_MOST_DATES, _MOST_DATES_WITH_YEAR = 9, 5
_LONGEST_WITHOUT_YEAR = len("20 Nov")
# In a sprint of more days, the same day and month may occur twice.
_LONG = 330
# Invisible digits: names of categories must differ, and most of these should not be visible.
_INVISIBLE_DIGITS = {"0": "\u200b", "1": "\u200c"}
# Mermaid draws on GitHub's own background, light or dark: inks that are visible on both.
GREY, BLUE, ORANGE = "#8b949e", "#2f81f7", "#d1742f"


@dataclass(frozen=True, slots=True)
class Series:
    """A series of values, drawn as a `line` or as a `bar` each. No value is negative."""

    kind: str
    name: str
    ink: str
    values: Sequence[Decimal]


def write_xychart(
    title: str, names: Sequence[str], y_name: str, series: Sequence[Series], *, top: Decimal
) -> str:
    """Write a fenced `mermaid` block; words without categories. Category names must differ (`distinct`)."""
    if not names:  # A chart without data is an error.
        return "There are no figures yet."
    inks = ", ".join(item.ink for item in series)
    quoted = ", ".join(f'"{name}"' for name in names)
    text = [
        f'%%{{init: {{"themeVariables": {{"xyChart": {{"plotColorPalette": "{inks}"}}}}}}}}%%',
        "xychart-beta",
        f'    title "{title}"',
        f"    x-axis [{quoted}]",
        # An axis from 0 to 0 would put all lines in the middle.
        f'    y-axis "{y_name}" 0 --> {_numbers([top or Decimal(1)])}',
        *(f'    {item.kind} "{item.name}" [{_numbers(item.values)}]' for item in series),
    ]
    return "\n".join(["```mermaid", *text, "```"])


def make_distinct(names: Sequence[str]) -> list[str]:
    """Make names differ: invisible characters follow empty and repeated ones."""
    return [
        name if name and name not in names[:place] else f"{name}{_invisible(place)}"
        for place, name in enumerate(names)
    ]


def write_burndown(burndown: Burndown) -> str:
    """Write a fenced `mermaid` block with the remaining line, cut at the last figures, and the ideal line.

    Long sprints are thinned to at most `MOST_POINTS` points. The remaining line always ends with the latest
    figure, if need be one point away from its day.
    """
    points = _chosen_points(len(burndown.days) + 1)
    remaining = _thinned([burndown.committed, *(day.remaining for day in burndown.days)], points)
    ideal = _thinned([burndown.committed, *(day.ideal for day in burndown.days)], points)
    unit = name_unit(burndown.unit)
    series, legend = list[Series](), list[str]()
    if len(ideal) > 1:
        series.append(Series("line", "ideal", GREY, ideal))
        legend.append("ideal (grey)")
    if len(remaining) > 1:
        series.append(Series("line", "left", BLUE, remaining))
        legend.insert(0, f"{unit} left (blue)")
    title, top = f"Burndown: {', '.join(legend)}", max([burndown.committed, *remaining, *ideal, Decimal(0)])
    if not series:
        return _planned("Burndown", burndown, points)
    return write_xychart(title, _categories(burndown, points), unit, series, top=top)


def write_burnup(burnup: Burnup) -> str:
    """Write a fenced `mermaid` block with the lines of scope and work done, and the ideal line."""
    sprint = burnup.sprint
    points, unit = _chosen_points(len(sprint.days) + 1), name_unit(sprint.unit)
    lines = [
        Series("line", "ideal", GREY, _thinned(burnup.ideal, points)),
        Series("line", "scope", ORANGE, _thinned(burnup.scope, points)),
        Series("line", "done", BLUE, _thinned(burnup.done, points)),
    ]
    legend = ["ideal (grey)", "scope (orange)", f"{unit} done (blue)"]
    drawn = [(line, words) for line, words in zip(lines, legend, strict=True) if len(line.values) > 1]
    if not drawn:
        return _planned("Burnup", sprint, points)
    title = f"Burnup: {', '.join(words for _, words in reversed(drawn))}"
    top = max(value for line, _ in drawn for value in line.values)
    return write_xychart(title, _categories(sprint, points), unit, [line for line, _ in drawn], top=top)


def write_fan(fan: ForecastFan) -> str:
    """Write a fenced `mermaid` block: the line of work done goes on as the 10th, 50th and 90th percentile.

    A scope far above them has no line; the title names it.
    """
    done = [value for value in Burnup(fan.sprint).done if value is not None]
    last = fan.sprint.days[len(done) - 2].date if len(done) > 1 else None
    # The fan replaces the figures of the current day, on which it begins.
    days = [day.date for day in fan.days if last is None or day.date >= last]
    bands = compute_bands(fan)[len(fan.days) - len(days) :]
    past = done[:-1] if days and days[0] == last else done
    length, top = len(past) + len(days), Decimal(str(compute_highest(fan)))
    names = ["start", *(short_day(day.date) for day in fan.sprint.days[: len(past) - 1])]
    names += [short_day(day) for day in days]
    scope = [min(value, top) for value in Burnup(fan.sprint).scope if value is not None]
    levels = [
        ("scope", ORANGE, (scope + [scope[-1]] * length)[:length]),
        ("1 in 10", GREY, [*past, *(Decimal(band.p90) for band in bands)]),
        ("9 in 10", GREY, [*past, *(Decimal(band.p10) for band in bands)]),
        ("5 in 10", BLUE, [*past, *(Decimal(band.p50) for band in bands)]),
    ]
    unit, scope_words = name_unit(fan.sprint.unit), "scope (orange)"
    if is_scope_cut(fan):
        levels, scope_words = levels[1:], f"scope {number(get_scope(fan), 0)}"
    points = _chosen_points(length)
    series = [Series("line", name, ink, [line[n] for n in points]) for name, ink, line in levels]
    labelled = choose_labelled(len(points), count_names_with_room(names))
    labels = [names[n] if place in labelled else "" for place, n in enumerate(points)]
    title = f"{unit.capitalize()} done (blue), 9 and 1 in 10 (grey), {scope_words}"
    return write_xychart(
        title, make_distinct(labels), unit, series, top=max(max(item.values) for item in series)
    )


def name_unit(unit: str) -> str:
    return "points" if unit == "points" else "items"


def _planned(chart_name: str, burndown: Burndown, points: Sequence[int]) -> str:
    """Write the plan as a bar: a chart without data is an error, and a line of one point is invisible."""
    unit = name_unit(burndown.unit)
    bar = Series("bar", "planned", BLUE, [burndown.committed])
    names = _categories(burndown, points)
    return write_xychart(
        f"{chart_name}: {unit} planned", names, unit, [bar], top=max(burndown.committed, Decimal(0))
    )


def _chosen_points(count: int) -> list[int]:
    """Choose the points to show: evenly spread, the first and the last among them. Point 0 is the start."""
    if count <= MOST_POINTS:
        return list(range(count))
    return [n * (count - 1) // (MOST_POINTS - 1) for n in range(MOST_POINTS)]


def _thinned(values: Sequence[Decimal | None], shown: Sequence[int]) -> list[Decimal]:
    """Return the values at the shown points up to the last known value, which is always included."""
    figures = [value for value in values if value is not None]
    thinned = [value for value in (values[i] for i in shown) if value is not None]
    if len(figures) > 1:
        # With figures for less than the distance of two shown points, show at least a beginning and an end.
        return [*thinned[:-1], figures[-1]] if len(thinned) > 1 else [figures[0], figures[-1]]
    return thinned


def _categories(burndown: Burndown, points: Sequence[int]) -> list[str]:
    """Name the points: `start`, some dates, and invisible names between these."""
    is_long = len(burndown.days) > _LONG
    dates = [short_day(day.date, with_year=is_long) for day in burndown.days]
    labelled = choose_labelled(len(points), count_names_with_room(dates))
    return [
        "start" if not point else dates[point - 1] if place in labelled else _invisible(place)
        for place, point in enumerate(points)
    ]


def choose_labelled(count: int, room: int) -> set[int]:
    """Choose at most `room` of `count` places to label: the first and the last, and others at equal steps."""
    step, last = -(-count // room), count - 1
    return {place for place in range(0, count, step) if not place or place <= last - step} | {last}


def count_names_with_room(dates: Sequence[str]) -> int:
    """Return how many of these dates have room below the axis: fewer where some have their year."""
    has_years = any(len(name) > _LONGEST_WITHOUT_YEAR for name in dates)
    return _MOST_DATES_WITH_YEAR if has_years else _MOST_DATES


def _invisible(place: int) -> str:
    return "".join(_INVISIBLE_DIGITS[digit] for digit in f"{place:b}")


def _numbers(values: Sequence[Decimal]) -> str:
    """Format plain decimals: Mermaid reads neither exponents nor thousands separators."""
    return ", ".join(f"{value.quantize(Decimal('0.01')).normalize():f}" for value in values)
