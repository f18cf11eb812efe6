"""Texts and tables about throughput."""

from decimal import Decimal

from charts.reading import number, short_day
from charts.values import CountBar, ThroughputBars
from commands.formatting.wording import counted, table, weekday
from sprints.order_statistics import find_outlier

# In items: among small numbers, twice as many is nothing unusual.
_LEAST_DISTANCE = 3
# With fewer whole spans nothing is usual yet.
_LEAST_SPANS = 3


def summarize_throughput(bars: ThroughputBars, covered: int) -> list[str]:
    """The usual throughput, the span that stands out, and the items left out.

    `covered` is the number of done items whose work is counted through other items.
    """
    total = sum(bar.count for bar in bars.bars)
    left_out = ""
    if covered:
        verb = "is" if covered == 1 else "are"
        left_out = f"{counted(covered, 'done item')} {verb} not counted: already covered by linked items."
    if not total:
        return ["**Nothing was done in this period.** See what is in progress: `/aging`.", left_out]
    return [_usual(bars, total), _outlier(bars), left_out]


def counts_table(bars: ThroughputBars) -> str:
    """A table of the items done in each span, with their sum."""
    rows = [[_bar_label(bar, bars.span) + _mark(bar, bars.span), str(bar.count)] for bar in bars.bars]
    rows.append(["**Sum**", f"**{sum(bar.count for bar in bars.bars)}**"])
    return table(("Week of" if bars.span == "week" else "Day", "Items done"), rows)


def _outlier(bars: ThroughputBars) -> str:
    """The span that stands out from the median. Unfinished weeks and days off are not compared."""
    usual = [bar for bar in bars.bars if bar.is_whole and not bar.is_off]
    place = find_outlier([Decimal(bar.count) for bar in usual], _LEAST_DISTANCE)
    if place is None or bars.median is None:
        if len(usual) < _LEAST_SPANS:
            return f"**Too early to say what is usual**: {counted(len(usual), f'whole {bars.span}')} so far."
        return f"**No {bars.span} stands out**: none has much more or less than the median."
    bar = usual[place]
    on = f"in the week of {short_day(bar.first)}" if bars.span == "week" else f"on {weekday(bar.first)}"
    sentence = f"**{counted(bar.count, 'item')} done {on}**, the median is {number(bars.median)}."
    if bar.count > bars.median:
        return f"{sentence} See whether that was a clean-up (`/explain throughput`) before you count on it."
    away = "If people were away, tell me with `/calendar add`; if not, `/aging` shows what is waiting now."
    return f"{sentence} {away}"


def _usual(bars: ThroughputBars, total: int) -> str:
    spans = counted(len(bars.bars), bars.span)
    text = f"{counted(total, 'item')} done in {spans}"
    last = bars.bars[-1]
    so_far = f"; this week {last.count} so far" if bars.span == "week" and not last.is_whole else ""
    if bars.median is None or sum(bar.is_whole and not bar.is_off for bar in bars.bars) < _LEAST_SPANS:
        return f"**{text}**{so_far}."
    kind = "whole week" if bars.span == "week" else "working day"
    return f"The median {kind} is **{number(bars.median)}**: {text}{so_far}."


def _bar_label(bar: CountBar, span: str) -> str:
    return short_day(bar.first) if span == "week" else weekday(bar.first)


def _mark(bar: CountBar, span: str) -> str:
    if span == "week":
        return "" if bar.is_whole else " (in part)"
    return " (day off)" if bar.is_off else ""
