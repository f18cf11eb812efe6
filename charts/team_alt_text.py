"""Alt texts of a team's pictures, two sentences each, in the plain words of alt_text.py."""

from collections.abc import Sequence
from decimal import Decimal

from charts.alt_text import long_day
from charts.reading import number, quantity, unit_word, whole
from charts.values import Aging, AgingItem, Calibration, CountBar, CycleScatter, ThroughputBars, VelocityBars
from sprints.cumulative_flow import CumulativeFlow
from sprints.forecast_scores import CalibrationBin
from sprints.forecast_wording import tenth_in_words


def describe_velocity(velocity: VelocityBars) -> str:
    """Describe the usual velocity, and the latest sprint's commitment and result."""
    if not velocity.bars:
        return "Velocity: no sprint is closed yet. There are no figures."
    last, count, unit = velocity.bars[-1], len(velocity.bars), velocity.unit
    latest = f"The latest, which ended on {long_day(last.last_day)}, completed {number(last.completed)}"
    latest = f"{latest} and had committed {number(last.committed)}"
    if velocity.median is None or velocity.least is None or velocity.most is None:
        brought = " and ".join(number(bar.completed) for bar in velocity.bars)
        sprints = "the only closed sprint" if count == 1 else f"the last {count} sprints"
        unit = unit_word(last.completed if count == 1 else Decimal(2), unit)
        return f"Velocity: {sprints} completed {brought} {unit}. {latest}; a median needs more sprints."
    spread = f"{number(velocity.least)} to {quantity(velocity.most, unit)}"
    usual = f"{spread}, the median is {number(velocity.median)}"
    return f"Velocity: the last {count} sprints completed {usual}. {latest}."


def describe_throughput(throughput: ThroughputBars) -> str:
    """Describe how much was done in all and usually, and the best and the empty weeks or days."""
    bars, span = throughput.bars, throughput.span
    if not bars:
        return "Throughput: no days are counted. There are no figures."
    total = sum(bar.count for bar in bars)
    spans = f"{whole(len(bars))} {span}{'' if len(bars) == 1 else 's'} from {long_day(bars[0].first)}"
    done = f"Throughput: {_items(total)} {_was(total)} done in {spans}"
    if throughput.median is not None:
        done = f"{done}, the median {span} had {number(throughput.median)}"
    if not total:
        return f"{done}. Nothing was done in any of them."
    best = max(bars, key=lambda bar: bar.count)
    empty = sum(not bar.count for bar in bars if bar.is_whole and not bar.is_off)
    kind = "working days" if span == "day" else "whole weeks"
    zeros = f"{empty} of the {kind} had none" if empty else f"none of the {kind} was empty"
    return f"{done}. The most was {whole(best.count)} {_when(best, span)}; {zeros}{_so_far(bars, span)}."


def describe_cycle_time(cycle: CycleScatter) -> str:
    """Describe the percentiles of cycle time, the longest one, and the items that were not counted."""
    span = f"from {long_day(cycle.first)} to {long_day(cycle.last)}"
    left_out = f"{_items(cycle.excluded)} without a known start {_was(cycle.excluded)} not counted"
    if not cycle.items or cycle.p50 is None:
        rest = f"{left_out[0].upper()}{left_out[1:]}" if cycle.excluded else "There are no figures"
        return f"Cycle time: nothing with a known start was done {span}. {rest}."
    count = len(cycle.items)
    p85, p95 = whole(cycle.p85 or 0), whole(cycle.p95 or 0)
    shares = f"50 percent took at most {_days(cycle.p50)}, 85 percent {p85} and 95 percent {p95}"
    longest = max(cycle.items, key=lambda item: item.days)
    took = f"The longest took {_days(longest.days)} and was done on {long_day(longest.finished)}"
    took = f"{took}; {left_out}" if cycle.excluded else took
    return f"Cycle time: of {_items(count)} done {span}, {shares}. {took}."


def describe_aging(aging: Aging) -> str:
    """Describe how much is in progress, the oldest, and the items that are older than usual."""
    if not aging.items:
        return "Age of work: nothing is in progress."
    oldest, count = aging.items[0], len(aging.items)
    stands = f"Age of work: {_items(count)} {_is(count)} in progress, the oldest is number {oldest.number}"
    stands = f"{stands} with {_age(oldest)}"
    if aging.p85 is None:
        return f"{stands}. No items have been finished yet, so there is no usual time to compare with."
    late = sum(item.days > aging.p85 for item in aging.items)
    usual = f"the {_days(aging.p85)} within which 85 percent of finished items were done"
    return f"{stands}. {late or 'None'} of them {_is(late or 1)} older than {usual}."


def describe_cumulative_flow(flow: CumulativeFlow) -> str:
    """Describe the current number of items in each state, and the numbers that arrived and left."""
    first, last = flow.days[0], flow.days[-1]
    returned = f" ({whole(flow.returned)} of them reopened since)" if flow.returned else ""
    states = [
        (last.waiting, "waiting"),
        (last.in_progress, "in progress"),
        (last.done, f"done{returned}"),
        (last.dropped, "dropped"),
    ]
    now = ", ".join(f"{whole(count)} {name}" for count, name in states if count)
    if not now:
        return f"Cumulative flow: there were no items by {long_day(last.date)}. There are no figures."
    left = last.done + last.dropped - first.done - first.dropped
    moved = f"{whole(last.arrived - first.arrived)} arrived and {whole(left)} left"
    work = f"work in progress went from {whole(first.in_progress)} to {whole(last.in_progress)}"
    if not any(day.in_progress for day in flow.days):
        work = "nothing was in progress at the end of any day"
    since = f"Since {long_day(first.date)} {moved}; {work}"
    return f"Cumulative flow: on {long_day(last.date)} there were {now}. {since}."


def describe_calibration(calibration: Calibration) -> str:
    """Describe how often forecasts came true, by their chances."""
    bins = calibration.bins
    if not bins:
        return "Calibration: no forecast has been graded yet. There is no record."
    shares = [f"of {_tenths(group)}, {whole(group.true)} of {whole(group.n)}" for group in bins]
    expected = sum(group.mean_chance * group.n for group in bins)
    true = sum(group.true for group in bins)
    in_all = f"In all {whole(true)} came true, and {number(Decimal(expected), 1)} were expected"
    first, *others = shares
    return f"Calibration: {'; '.join([f'{first} came true', *others])}. {in_all}."


def _tenths(group: CalibrationBin) -> str:
    if group.low == group.high:
        return tenth_in_words(group.low)
    return f"{group.low} to {group.high} in 10" if group.low else f"at most {group.high} in 10"


def _items(count: int) -> str:
    return f"{whole(count)} {'item' if count == 1 else 'items'}"


def _days(count: int) -> str:
    return f"{whole(count)} {'day' if count == 1 else 'days'}"


def _age(item: AgingItem) -> str:
    return f"{'at least ' if item.is_at_least else ''}{_days(item.days)}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _when(bar: CountBar, span: str) -> str:
    return f"on {long_day(bar.first)}" if span == "day" else f"in the week of {long_day(bar.first)}"


def _so_far(bars: Sequence[CountBar], span: str) -> str:
    if span == "day" or bars[-1].is_whole:
        return ""
    return f"; the latest week has {whole(bars[-1].count)} so far"
