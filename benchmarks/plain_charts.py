"""Each chart as one writes it with pyplot without thinking about time: the same elements, at the same size.

And values to draw: the n-th of each kind has other numbers than the others, so that nothing can be answered
from memory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from statistics import median
from typing import Any

from matplotlib import dates as mdates
from matplotlib import pyplot as plt

from charts import style
from charts.themes import PALETTES, Ink, Theme
from charts.values import (
    Aging,
    AgingItem,
    Calibration,
    CountBar,
    CycleScatter,
    FinishedItem,
    ForecastFan,
    SprintBar,
    ThroughputBars,
    VelocityBars,
)
from sprints.burnup import Burnup
from sprints.cumulative_flow import CumulativeFlow, FlowDay
from sprints.forecast import FanDay
from sprints.forecast_amounts import Band
from sprints.forecast_scores import CalibrationBin

DPI = 144
COLOURS = PALETTES[Theme.LIGHT]
_START = date(2026, 10, 5)


@contextmanager
def _figure(file: BytesIO, title: str) -> Iterator[Any]:
    figure, axes = plt.subplots(figsize=(style.WIDTH / 72, style.HEIGHT / 72), dpi=DPI)
    yield axes
    axes.set_title(title, fontsize=18, loc="left", color=COLOURS[Ink.QUIET_TEXT])
    axes.tick_params(labelsize=18, length=0, labelcolor=COLOURS[Ink.QUIET_TEXT])
    axes.grid(axis="y", color=COLOURS[Ink.GRID])
    axes.set_axisbelow(True)
    axes.spines[["left", "top", "right"]].set_visible(False)
    figure.savefig(file, dpi=DPI)
    plt.close(figure)


def _by_days(axes: Any) -> None:
    axes.xaxis.set_major_locator(mdates.WeekdayLocator(byweekday=0))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%d %b"))  # type: ignore[no-untyped-call]


def _say(axes: Any, x: Any, y: float, words: str, ink: str, size: int = 18, **how: Any) -> None:
    axes.annotate(
        words, (x, y), (8, 0), textcoords="offset points", fontsize=size, color=ink, va="center", **how
    )


def plain_burnup(burnup: Burnup) -> bytes:
    file = BytesIO()
    scope, done, ideal = (
        [float(value) for value in line if value is not None]
        for line in (burnup.scope, burnup.done, burnup.ideal)
    )
    with _figure(file, "") as axes:
        off = [i for i, day in enumerate(burnup.sprint.days) if not day.is_working_day]
        for start in (i for i in off if i - 1 not in off):
            axes.axvspan(start, start + 2, color=COLOURS[Ink.DAY_OFF])
        axes.axvspan(len(done) - 2, len(done) - 1, color=COLOURS[Ink.TODAY])
        axes.plot(range(len(ideal)), ideal, color=COLOURS[Ink.IDEAL], linewidth=2.5, linestyle="--")
        axes.plot(range(len(scope)), scope, color=COLOURS[Ink.SCOPE], linewidth=3)
        axes.plot(range(len(done)), done, color=COLOURS[Ink.REMAINING], linewidth=4, marker="o", markersize=9)
        axes.plot(len(done) - 1, done[-1], color=COLOURS[Ink.REMAINING], marker="o", markersize=15)
        _say(axes, len(done) - 1, done[-1], f"{done[-1]:g}", COLOURS[Ink.REMAINING], 34, weight="bold")
        _say(axes, len(done) - 1, done[-1] - 6, "points done", COLOURS[Ink.REMAINING], 20)
        _say(axes, len(scope) - 1, scope[-1], f"{scope[-1]:g} points in scope", COLOURS[Ink.SCOPE])
        _say(axes, 11, ideal[11], "ideal", COLOURS[Ink.IDEAL], 20)
        days = [str(day.date.day) for day in burnup.sprint.days]
        axes.set_xticks([i + 0.5 for i in range(len(days))], days)
    return file.getvalue()


def plain_velocity(velocity: VelocityBars) -> bytes:
    file = BytesIO()
    with _figure(file, "Points completed per sprint, by its last day") as axes:
        at = range(len(velocity.bars))
        completed = [float(bar.completed) for bar in velocity.bars]
        axes.axhspan(float(velocity.least or 0), float(velocity.most or 0), color=COLOURS[Ink.BAND])
        bars = axes.bar(at, completed, 0.66, color=COLOURS[Ink.REMAINING])
        axes.bar_label(bars, label_type="center", fontsize=18, color=COLOURS[Ink.CARD], weight="bold")
        committed = [float(bar.committed) for bar in velocity.bars]
        axes.hlines(
            committed, [x - 0.4 for x in at], [x + 0.4 for x in at], color=COLOURS[Ink.TEXT], linewidth=3
        )
        axes.axhline(float(velocity.median or 0), color=COLOURS[Ink.REMAINING], linewidth=2.5)
        _say(
            axes, at[-1] + 0.5, float(velocity.median or 0), f"{velocity.median}", COLOURS[Ink.REMAINING], 34
        )
        _say(axes, at[-1] + 0.5, float(velocity.median or 0) - 4, "median", COLOURS[Ink.REMAINING], 20)
        _say(axes, 2, committed[2], "committed", COLOURS[Ink.TEXT])
        axes.set_xticks(at, [f"{bar.last_day.day}" for bar in velocity.bars])
    return file.getvalue()


def plain_throughput(throughput: ThroughputBars) -> bytes:
    file = BytesIO()
    with _figure(file, "Items done per week") as axes:
        at = range(len(throughput.bars))
        bars = axes.bar(at, [bar.count for bar in throughput.bars], 0.66, color=COLOURS[Ink.REMAINING])
        axes.bar_label(bars, label_type="center", fontsize=18, color=COLOURS[Ink.CARD], weight="bold")
        axes.axhline(float(throughput.median or 0), color=COLOURS[Ink.REMAINING], linewidth=2.5)
        _say(
            axes,
            at[-1] + 0.5,
            float(throughput.median or 0),
            f"{throughput.median}",
            COLOURS[Ink.REMAINING],
            34,
        )
        _say(axes, at[-1] + 0.5, float(throughput.median or 0) - 1, "median", COLOURS[Ink.REMAINING], 20)
        axes.set_xticks(at, [f"{bar.first.day}" for bar in throughput.bars])
    return file.getvalue()


def plain_cycle_time(cycle: CycleScatter) -> bytes:
    file = BytesIO()
    with _figure(file, "Days from start to done, by the day when done") as axes:
        axes.scatter(
            [item.finished for item in cycle.items], [item.days for item in cycle.items], s=120,
            color=COLOURS[Ink.REMAINING], edgecolor=COLOURS[Ink.CARD],
        )  # fmt: skip
        for percent, days in ((50, cycle.p50 or 0), (85, cycle.p85 or 0), (95, cycle.p95 or 0)):
            axes.axhline(days, color=COLOURS[Ink.IDEAL], linewidth=2, linestyle="--")
            _say(axes, cycle.last, days, f"{percent} % in {days} days", COLOURS[Ink.QUIET_TEXT])
        axes.set_xlim(cycle.first, cycle.last)
        axes.set_ylim(0)
        _by_days(axes)
    return file.getvalue()


def plain_aging(aging: Aging) -> bytes:
    file = BytesIO()
    with _figure(file, "Days in progress, the oldest items first") as axes:
        at = range(len(aging.items))
        late = [item.days > (aging.p85 or 0) for item in aging.items]
        axes.axvspan(aging.p50 or 0, aging.p85 or 0, color=COLOURS[Ink.DAY_OFF])
        axes.axvspan(aging.p85 or 0, aging.items[0].days + 1, color=COLOURS[Ink.LATE_AREA])
        colours = [COLOURS[Ink.SCOPE] if is_late else COLOURS[Ink.REMAINING] for is_late in late]
        bars = axes.barh(at, [item.days for item in aging.items], 0.66, color=colours)
        axes.bar_label(bars, padding=8, fontsize=18, weight="bold")
        for words, days in (("50 %", aging.p50 or 0), ("85 % done", aging.p85 or 0)):
            axes.axvline(days, color=COLOURS[Ink.TEXT], linewidth=2, linestyle="--")
            _say(axes, days, -0.7, f"{words} in {days} days", COLOURS[Ink.TEXT])
        axes.set_yticks(at, [f"#{item.number}" for item in aging.items])
        axes.invert_yaxis()
    return file.getvalue()


def plain_flow(flow: CumulativeFlow) -> bytes:
    file = BytesIO()
    with _figure(file, "Items by state at the end of each day") as axes:
        days = [day.date for day in flow.days]
        parts = {
            "done": (COLOURS[Ink.DONE_AREA], COLOURS[Ink.REMAINING], [day.done for day in flow.days]),
            "in progress": (
                COLOURS[Ink.WORK_AREA],
                COLOURS[Ink.SCOPE],
                [day.in_progress for day in flow.days],
            ),
            "waiting": (COLOURS[Ink.WAITING_AREA], COLOURS[Ink.IDEAL], [day.waiting for day in flow.days]),
        }
        axes.stackplot(
            days, *(counts for *_, counts in parts.values()), colors=[c for c, *_ in parts.values()]
        )
        height = [0] * len(days)
        for words, (_, ink, counts) in parts.items():
            height = [below + more for below, more in zip(height, counts, strict=True)]
            axes.plot(days, height, color=ink, linewidth=2.5)
            _say(axes, days[-1], height[-1] - counts[-1] / 2, f"{counts[-1]} {words}", ink, weight="bold")
        axes.set_xlim(days[0], days[-1])
        _by_days(axes)
    return file.getvalue()


def plain_fan(fan: ForecastFan) -> bytes:
    file = BytesIO()
    with _figure(file, "") as axes:
        sprint = fan.sprint
        off = [i for i, day in enumerate(sprint.days) if not day.is_working_day]
        for start in (i for i in off if i - 1 not in off):
            axes.axvspan(start, start + 2, color=COLOURS[Ink.DAY_OFF])
        done = [float(value) for value in Burnup(sprint).done if value is not None]
        scope = [float(value) for value in Burnup(sprint).scope if value is not None]
        axes.axvspan(len(done) - 2, len(done) - 1, color=COLOURS[Ink.TODAY])
        at = [len(done) - 1, *(len(done) - 1 + n for n in range(1, len(fan.days) + 1))]
        p10, p25, p50, p75, p90 = (
            [done[-1], *(getattr(day.done, name) for day in fan.days)]
            for name in ("p10", "p25", "p50", "p75", "p90")
        )
        axes.fill_between(at, p10, p90, color=COLOURS[Ink.BAND])
        axes.fill_between(at, p25, p75, color=COLOURS[Ink.INNER_BAND])
        axes.plot(at, p50, color=COLOURS[Ink.REMAINING], linewidth=2.5, linestyle="--")
        axes.plot(range(len(done)), done, color=COLOURS[Ink.REMAINING], linewidth=4)
        axes.plot(len(done) - 1, done[-1], color=COLOURS[Ink.REMAINING], marker="o", markersize=15)
        axes.plot(range(len(scope)), scope, color=COLOURS[Ink.SCOPE], linewidth=3)
        axes.plot([len(scope) - 1, at[-1]], [scope[-1]] * 2, color=COLOURS[Ink.SCOPE], linestyle="--")
        for values, words in ((p10, "9 in 10"), (p50, "5 in 10"), (p90, "1 in 10")):
            _say(axes, at[-1], values[-1], f"≥ {values[-1]:.0f}: {words}", COLOURS[Ink.QUIET_TEXT])
        _say(axes, 2, scope[-1], f"{scope[-1]:g} points in scope", COLOURS[Ink.SCOPE], weight="bold")
        _say(axes, 2, done[-1], f"{done[-1]:g} points done", COLOURS[Ink.REMAINING], weight="bold")
        axes.text(0, scope[-1] * 1.3, "7 in 10", fontsize=34, color=COLOURS[Ink.REMAINING], weight="bold")
        axes.text(4, scope[-1] * 1.3, "that all is done by 29 Nov", fontsize=20, color=COLOURS[Ink.REMAINING])
        axes.set_xticks([i + 0.5 for i in range(14)], [str(day.date.day) for day in sprint.days])
    return file.getvalue()


def plain_calibration(calibration: Calibration) -> bytes:
    file = BytesIO()
    with _figure(file, "Forecasts that came true") as axes:
        axes.plot([0, 1], [0, 100], color=COLOURS[Ink.IDEAL], linewidth=2.5, linestyle="--")
        said = [interval.mean_chance for interval in calibration.bins]
        true = [100 * interval.share for interval in calibration.bins]
        axes.scatter(
            said, true, s=[40 * interval.n for interval in calibration.bins], color=COLOURS[Ink.REMAINING]
        )
        for x, y, interval in zip(said, true, calibration.bins, strict=True):
            _say(axes, x, y, f"{interval.true} of {interval.n}", COLOURS[Ink.REMAINING], weight="bold")
        _say(axes, 0.1, 5, "as said", COLOURS[Ink.IDEAL], 20)
        axes.set_xticks([n / 10 for n in range(0, 11, 2)], [f"{n} in 10" for n in range(0, 11, 2)])
        axes.set_yticks(range(0, 101, 20), [f"{n} %" for n in range(0, 101, 20)])
        axes.set_xlabel("chance that was said", fontsize=18)
    return file.getvalue()


def nth_velocity(n: int) -> VelocityBars:
    pairs = [(34, 31), (30, 32), (38, 24), (30, 28), (34, 34), (40, 19), (36, 38)]
    values = [Decimal(completed + n) for _, completed in pairs]
    bars = [
        SprintBar(_START + timedelta(days=14 * place), Decimal(committed + n), value)
        for place, ((committed, _), value) in enumerate(zip(pairs, values, strict=True))
    ]
    return VelocityBars("points", tuple(bars), median(values), min(values), max(values))


def nth_throughput(n: int) -> ThroughputBars:
    counts = [6 + n, 2 + n, 5 + n, 2 + n, 4 + n, 4 + n, 1 + n, 6 + n, 2 + n, 3 + n, 4 + n, 0]
    bars = tuple(CountBar(_START + timedelta(days=7 * place), count) for place, count in enumerate(counts))
    return ThroughputBars("week", bars, Decimal(str(median(counts))))


def nth_cycle_time(n: int) -> CycleScatter:
    taken = [1 + (place * 7 + n) % 11 * (1 + place % 3) for place in range(42)]
    items = [FinishedItem(_START + timedelta(days=place), days) for place, days in enumerate(taken)]
    ordered = sorted(taken)
    return CycleScatter(
        _START, _START + timedelta(days=45), tuple(items), ordered[20], ordered[35], ordered[39]
    )


def nth_aging(n: int) -> Aging:
    ages = [14 + n, 11 + n, 9 + n, 6 + n, 5 + n, 4 + n, 3 + n, 2 + n]
    return Aging(tuple(AgingItem(100 + n + place, days) for place, days in enumerate(ages)), 4 + n, 9 + n)


def nth_flow(n: int) -> CumulativeFlow:
    days = [
        FlowDay(_START + timedelta(days=day), 20 + n + day * 2, 8 + n + day * 3 // 2, n + day, 0)
        for day in range(50)
    ]
    return CumulativeFlow(tuple(days))


def nth_fan(burnup: Burnup, n: int) -> ForecastFan:
    done = 22.0 + n
    days = [day.date for day in burnup.sprint.days[7:] if day.is_working_day]
    bands = [
        Band(*(done + more * (step + 1) for more in (1.2, 1.8, 2.4, 3.2, 4.2))) for step in range(len(days))
    ]
    return ForecastFan(burnup.sprint, tuple(FanDay(*values) for values in zip(days, bands, strict=True)), 0.7)


def nth_calibration(n: int) -> Calibration:
    bins = ((0, 3, 9, 2, 0.19), (4, 6, 14, 6, 0.52), (7, 9, 22, 17, 0.8), (10, 10, 12, 12, 0.95))
    return Calibration(
        tuple(CalibrationBin(low, high, more + n, true, mean) for low, high, more, true, mean in bins)
    )


PLAIN: dict[type, Callable[[Any], bytes]] = {
    Burnup: plain_burnup,
    VelocityBars: plain_velocity,
    ThroughputBars: plain_throughput,
    CycleScatter: plain_cycle_time,
    Aging: plain_aging,
    CumulativeFlow: plain_flow,
    ForecastFan: plain_fan,
    Calibration: plain_calibration,
}
