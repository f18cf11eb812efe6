"""The burndown as a Mermaid chart, for repositories whose readers' browsers must draw it themselves.

What Mermaid's XY chart can do shapes it (syntax: https://mermaid.js.org/syntax/xyChart.html). A numeric axis
stretches a short line over its whole width, so the axis lists categories. A line with fewer values than
there are categories ends early, which is what the future needs (10.9 and 11.17 alike). Categories of equal
name fall together, all of them are written below the axis, and they overlap if there are many.
"""

from collections.abc import Sequence
from decimal import Decimal

from charts.reading import short_day
from sprints.burndown import Burndown

MOST_POINTS = 60
# How many dates find room below the axis.
_MOST_DATES, _MOST_DATES_WITH_YEAR = 9, 5
# Digits without ink: names of categories must differ, and most of these should not be seen.
_INVISIBLE_DIGITS = {"0": "\u200b", "1": "\u200c"}
# Mermaid draws on GitHub's own background, light or dark: inks that are visible on both.
_IDEAL_INK, _REMAINING_INK = "#8b949e", "#2f81f7"


def burndown_mermaid(burndown: Burndown) -> str:
    """A fenced `mermaid` block with the remaining line, cut at the last figures, and the ideal line.

    Long sprints are thinned to at most `MOST_POINTS` points. The remaining line always ends in the latest
    figure, if need be one place away from its day.
    """
    shown = _shown(len(burndown.days) + 1)
    remaining = _thinned([burndown.committed, *(day.remaining for day in burndown.days)], shown)
    ideal = _thinned([burndown.committed, *(day.ideal for day in burndown.days)], shown)
    unit = "points" if burndown.unit == "points" else "items"
    highest = max([burndown.committed, *remaining, *ideal, Decimal(0)])
    inks, lines, legend = list[str](), list[str](), list[str]()
    if len(ideal) > 1:
        inks.append(_IDEAL_INK)
        lines.append(f'line "ideal" [{_numbers(ideal)}]')
        legend.append("ideal (grey)")
    if len(remaining) > 1:
        inks.append(_REMAINING_INK)
        lines.append(f'line "left" [{_numbers(remaining)}]')
        legend.insert(0, f"{unit} left (blue)")
    if not lines:  # A chart without data is an error, and a line of one point is invisible.
        inks.append(_REMAINING_INK)
        lines.append(f'bar "planned" [{_numbers([burndown.committed])}]')
        legend.append(f"{unit} planned")
    text = [
        f'%%{{init: {{"themeVariables": {{"xyChart": {{"plotColorPalette": "{", ".join(inks)}"}}}}}}}}%%',
        "xychart-beta",
        f'    title "Burndown: {", ".join(legend)}"',
        f"    x-axis [{', '.join(_categories(burndown, shown))}]",
        # An axis from 0 to 0 would put everything in the middle.
        f'    y-axis "{unit}" 0 --> {_numbers([highest or Decimal(1)])}',
        *(f"    {line}" for line in lines),
    ]
    return "\n".join(["```mermaid", *text, "```"])


def _shown(points: int) -> list[int]:
    """Which points to show: evenly spread, the first and the last among them. Point 0 is the start."""
    if points <= MOST_POINTS:
        return list(range(points))
    return [n * (points - 1) // (MOST_POINTS - 1) for n in range(MOST_POINTS)]


def _thinned(values: Sequence[Decimal | None], shown: Sequence[int]) -> list[Decimal]:
    """The shown values up to the last that is known, which always is the last of them."""
    known = [value for value in values if value is not None]
    thinned = [value for value in (values[i] for i in shown) if value is not None]
    if len(known) > 1:
        # Fewer days are known than lie between two shown points: show at least a beginning and an end.
        return [*thinned[:-1], known[-1]] if len(thinned) > 1 else [known[0], known[-1]]
    return thinned


def _categories(burndown: Burndown, shown: Sequence[int]) -> list[str]:
    """Names of the points: `start`, some dates, and between these nothing that can be seen."""
    is_long = len(burndown.days) > 330
    every = -(-len(shown) // (_MOST_DATES_WITH_YEAR if is_long else _MOST_DATES))
    names = []
    for place, point in enumerate(shown):
        if point and place % every == 0:
            day = burndown.days[point - 1].date
            name = f"{short_day(day)} {day.year}" if is_long else short_day(day)
        else:
            name = "".join(_INVISIBLE_DIGITS[digit] for digit in f"{place:b}") if point else "start"
        names.append(f'"{name}"')
    return names


def _numbers(values: Sequence[Decimal]) -> str:
    """Plain decimals: Mermaid reads neither exponents nor thousands separators."""
    return ", ".join(f"{value.quantize(Decimal('0.01')).normalize():f}" for value in values)
