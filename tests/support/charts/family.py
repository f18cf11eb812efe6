"""Charts of every kind to draw, usual and extreme, and any that the domain can produce."""

import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from hypothesis import strategies as st

from charts.render import Chart
from charts.values import (
    Aging,
    AgingItem,
    Calibration,
    CycleScatter,
    FinishedItem,
    ForecastFan,
    SprintBar,
    ThroughputBars,
    VelocityBars,
    build_throughput_bars,
)
from sprints.burndown import Burndown
from sprints.burnup import Burnup
from sprints.calendar import Calendar, days_between
from sprints.cumulative_flow import CumulativeFlow, FlowDay
from sprints.forecast import FanDay
from sprints.forecast_amounts import Band
from sprints.forecast_scores import BINS, TENTHS, CalibrationBin
from sprints.order_statistics import find_nearest_rank
from sprints.throughput import DayCount, Throughput
from tests.support.charts.builders import CASES as BURNDOWNS
from tests.support.charts.builders import burndown
from tests.support.charts.strategies import AMOUNTS, burndowns

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 8, 31)


def velocity(
    pairs: Sequence[tuple[float, float]], *, unit: str = "points", last: date = FRIDAY, every: int = 14
) -> VelocityBars:
    """Sprints of two weeks that committed and completed so much."""
    bars = tuple(
        SprintBar(last - timedelta(days=every * back), Decimal(str(committed)), Decimal(str(completed)))
        for back, (committed, completed) in zip(range(len(pairs) - 1, -1, -1), pairs, strict=True)
    )
    values = [bar.completed for bar in bars]
    summary = (median(values), min(values), max(values)) if len(values) >= 3 else (None, None, None)
    return VelocityBars(unit, bars, *summary)


def throughput(counts: Sequence[int], days: int, first: date = MONDAY) -> ThroughputBars:
    """Counts that come again and again on working days."""
    calendar, window = Calendar(), days_between(first, first + timedelta(days=days - 1))
    data = [
        DayCount(day, counts[n % len(counts)] if calendar.is_working_day(day) else 0)
        for n, day in enumerate(window)
    ]
    return build_throughput_bars(Throughput(tuple(data)), calendar)


def cycle(
    items: Iterable[tuple[int, int]], *, days: int = 50, first: date = date(2026, 10, 5), excluded: int = 0
) -> CycleScatter:
    """Items by day of the window and days taken."""
    result = sorted((first + timedelta(days=day), taken) for day, taken in items)
    taken = sorted(length for _, length in result)
    p50, p85, p95 = (find_nearest_rank(taken, percent) for percent in (50, 85, 95))
    finished = tuple(FinishedItem(*entry) for entry in result)
    return CycleScatter(first, first + timedelta(days=days - 1), finished, p50, p85, p95, excluded)


def some_work(count: int, days: int, seed: int = 5) -> list[tuple[int, int]]:
    """Items as they use to be: many short, few long; the same in every run."""
    chance = random.Random(seed)
    return [(chance.randrange(days), max(1, int(chance.lognormvariate(1.3, 0.7)))) for _ in range(count)]


def aging(days: Sequence[int], p50: int | None = 4, p85: int | None = 9, at_least: int = 0) -> Aging:
    """Items of so many days, the oldest first; of the first `at_least` of them only the least age is known."""
    items = [
        AgingItem(100 + 37 * n % 400, age, n < at_least) for n, age in enumerate(sorted(days, reverse=True))
    ]
    return Aging(tuple(items), p50, p85)


def flow(days: int, *, drops: bool = False, times: int = 1, seed: int = 1) -> CumulativeFlow:
    """Items that come, are worked on and leave, the same in every run."""
    chance, rows = random.Random(seed), list[FlowDay]()
    arrived, started, done, dropped = 8, 3, 0, 0
    for day in days_between(date(2026, 10, 5), date(2026, 10, 4) + timedelta(days=days)):
        if day.weekday() < 5:
            arrived += chance.choice([0, 0, 1, 2, 3])
            started = min(arrived, started + chance.choice([0, 1, 2, 1]))
            dropped += drops and chance.random() < 0.2 and done + dropped < started
            done = min(started - dropped, done + chance.choice([0, 0, 1, 2, 1]))
        rows.append(FlowDay(day, *(times * count for count in (arrived, started, done, dropped))))
    return CumulativeFlow(tuple(rows))


def fan(
    sprint: Burndown,
    chance: float | None = None,
    per_day: Sequence[float] = (2.4, 3.2, 4, 4.8, 5.6),
    days_after: int = 0,
) -> ForecastFan:
    """On each working day left, and so many days after, so much more is done by percentile."""
    latest = sprint.latest
    done = float(latest.done) if latest and latest.done else 0.0
    begins = sprint.as_of_day + (1 if sprint.is_day_complete or not latest else 0)
    left = [day.date for day in sprint.days[begins:] if day.is_working_day]
    last = sprint.days[-1].date
    left += [day for day in days_between(last, last + timedelta(days=days_after))[1:] if day.weekday() < 5]
    bands = [Band(*(done + more * (n + 1) for more in per_day)) for n in range(len(left))]
    return ForecastFan(sprint, tuple(FanDay(*entry) for entry in zip(left, bands, strict=True)), chance)


def calibration(*bins: tuple[int, int, int, int, float]) -> Calibration:
    return Calibration(tuple(CalibrationBin(*entry) for entry in bins))


_SEVEN = ((34, 31), (30, 32), (38, 24), (30, 28), (34, 34), (40, 19), (36, 38))
_WEEK = (0, 1, 2, 0, 3, 0, 0, 0, 1, 0, 0, 1)
_DECADE = [(n, n, 10 + n * 3, int((10 + n * 3) * n / 10), n / 10 + 0.01) for n in range(10)]

CASES: dict[str, Chart] = {
    "velocity": velocity(_SEVEN),
    "velocity_items": velocity(
        [(12, 12), (11, 9), (12, 12), (10, 0), (0, 9), (14, 12)], unit="count", every=7
    ),
    "velocity_one": velocity([(20, 17)]),
    "velocity_zero": velocity([(0, 0)] * 3),
    "velocity_twelve": velocity([(30 + n % 4 * 3, 20 + n * 7 % 17) for n in range(12)]),
    "velocity_sixty": velocity([(30 + n % 4 * 3, 20 + n * 7 % 17) for n in range(60)]),
    "velocity_huge": velocity([(1234567, 1200000.5), (1300000, 1), (900000, 1250000)]),
    **{f"burnup_{name}": Burnup(case) for name, case in BURNDOWNS.items()},
    "throughput": throughput(_WEEK, 85),
    "throughput_days": throughput([2, 0, 3, 1, 1, 0, 0], 15, date(2026, 11, 9)),
    "throughput_gap": throughput([3, 1, *[0] * 12, *[2] * 7, *[0] * 14], 56),
    "throughput_year": throughput([2, 0, 3, 1, 1, 0, 0, 4, 5, 1, 0, 1, 7], 365, date(2025, 11, 25)),
    "throughput_decade": throughput([2, 0, 3, 1, 1, 4, 5, 1, 0, 1, 7], 3650, date(2016, 1, 1)),
    "throughput_one": throughput([3], 1),
    "throughput_zero": throughput([0], 28),
    "throughput_huge": throughput([1234], 28),
    "cycle_time": cycle(some_work(42, 50), excluded=3),
    "cycle_time_far_out": cycle([*some_work(30, 28), (1, 60), (27, 80)], days=28),
    "cycle_time_sixty": cycle([*some_work(60, 50), (30, 90)]),
    "cycle_time_year": cycle(some_work(400, 365), days=365),
    "cycle_time_one": cycle([(3, 4)], days=14),
    "cycle_time_same": cycle([(3, 2)] * 9 + [(4, 2)] * 3 + [(6, 3)], days=14),
    "cycle_time_huge": cycle([(2, 9000), (5, 12345), (7, 3)], days=28),
    "cycle_time_none": cycle([], days=28),
    "aging": aging([14, 11, 6, 5, 3, 2], at_least=1),
    "aging_sixty": aging([days for _, days in some_work(60, 50)]),
    "aging_one": aging([2]),
    "aging_young": aging([2, 1, 1], p50=12, p85=30),
    "aging_unknown": aging([9, 3, 1], None, None),
    "aging_far_out": aging([400, 9, 8, 4, 2, 1]),
    "aging_huge": Aging((AgingItem(1234567, 12345), AgingItem(1234568, 2)), 30, 31),
    "flow": flow(50),
    "flow_drops": flow(50, drops=True, seed=4),
    "flow_one": flow(1),
    "flow_two": flow(2),
    "flow_year": flow(365, seed=3),
    "flow_huge": flow(30, times=54321),
    "flow_zero": CumulativeFlow(tuple(FlowDay(day, 0, 0, 0, 0) for day in days_between(MONDAY, FRIDAY))),
    "fan": fan(BURNDOWNS["behind"], 0.7),
    "fan_without_chance": fan(BURNDOWNS["ahead"], None, (0.3, 0.8, 1.1, 1.5, 2)),
    "fan_not_started": fan(BURNDOWNS["not_started"], 0.04, (1.2, 1.6, 2, 2.4, 2.8)),
    "fan_far_below": fan(
        burndown(34, [34, 31, 31, 29, 26, 26, 26, 517], scope={7: 500}), 0.01, (0.4, 1, 2, 3, 4)
    ),
    "fan_always_far_below": fan(burndown(500, [500, 497, 495, 495]), 0.01, (0.4, 1, 2, 3, 4)),
    "fan_of_little": fan(burndown(34, [34, 31, 31, 29, 26, 26, 26, 1]), 0.93, (0.1, 0.2, 0.22, 0.3, 0.36)),
    "fan_new_year": fan(
        burndown(34, [34, 31, 31, 29, 26, 26, 26, 17], days=15, start=date(2026, 12, 21)), 0.85
    ),
    "fan_open_ended": fan(BURNDOWNS["open_ended"], 0.5, (0.1, 0.3, 0.5, 0.6, 0.8), days_after=21),
    "fan_quarter": fan(BURNDOWNS["quarter"], 0.95, (4.3, 4.8, 5.3, 5.8, 6.4)),
    "fan_last_day": fan(BURNDOWNS["last_day"], 0.2),
    "fan_over": fan(BURNDOWNS["finished"], 1.0),
    "fan_huge": fan(BURNDOWNS["huge"], 0.4, (1e4, 2e4, 5e4, 9e4, 1.5e5)),
    "calibration": calibration(
        (0, 3, 9, 2, 0.19), (4, 6, 14, 6, 0.52), (7, 9, 22, 17, 0.8), (10, 10, 12, 12, 0.95)
    ),
    "calibration_tenths": calibration(
        *((n, n, 3 + n * 5 % 11, n * (3 + n * 5 % 11) // 10, min(n / 10 + 0.01, 0.95)) for n in range(11))
    ),
    "calibration_one": calibration((7, 9, 1, 1, 0.8)),
    "calibration_bad": calibration((0, 3, 40, 30, 0.1), (4, 6, 3, 0, 0.5), (10, 10, 2000, 1200, 0.99)),
    "calibration_close": calibration((0, 3, 5, 1, 0.29), (4, 6, 6, 2, 0.35), (7, 9, 6, 3, 0.7)),
    "calibration_fine": calibration(*_DECADE),
    "calibration_none": calibration(),
}

_COUNTS = st.integers(0, 40) | st.integers(0, 5000)
_STARTS = st.dates(date(2008, 1, 1), date(2060, 1, 1))


@st.composite
def velocities(draw: st.DrawFn) -> VelocityBars:
    pairs = draw(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=14))
    unit = draw(st.sampled_from(["points", "count"]))
    every = draw(st.integers(1, 60))
    return velocity([(float(c), float(d)) for c, d in pairs], unit=unit, last=draw(_STARTS), every=every)


@st.composite
def throughputs(draw: st.DrawFn) -> ThroughputBars:
    counts = draw(st.lists(_COUNTS, min_size=1, max_size=20))
    return throughput(counts, draw(st.integers(1, 40) | st.integers(1, 1500)), draw(_STARTS))


@st.composite
def cycles(draw: st.DrawFn) -> CycleScatter:
    days = draw(st.integers(1, 60) | st.integers(1, 800))
    item = st.tuples(st.integers(0, days - 1), st.integers(1, 20) | st.integers(1, 3000))
    items = draw(st.lists(item, max_size=60))
    return cycle(items, days=days, first=draw(_STARTS), excluded=draw(st.integers(0, 9)))


@st.composite
def agings(draw: st.DrawFn) -> Aging:
    ages = draw(st.lists(st.integers(1, 20) | st.integers(1, 3000), min_size=1, max_size=60))
    usual = draw(st.none() | st.tuples(st.integers(1, 300), st.integers(0, 300)))
    p50, p85 = (usual[0], sum(usual)) if usual else (None, None)
    return aging(ages, p50, p85, draw(st.integers(0, 3)))


@st.composite
def flows(draw: st.DrawFn) -> CumulativeFlow:
    days = draw(st.integers(1, 60) | st.integers(1, 800))
    return flow(
        days, drops=draw(st.booleans()), times=draw(st.integers(0, 99)), seed=draw(st.integers(0, 999))
    )


@st.composite
def fans(draw: st.DrawFn) -> ForecastFan:
    sprint = draw(burndowns().filter(lambda value: value.days))
    more = draw(st.lists(st.floats(0, 200), min_size=5, max_size=5))
    chance = draw(st.none() | st.floats(0, 1))
    return fan(sprint, chance, sorted(more), draw(st.integers(0, 30)) if sprint.is_open_ended else 0)


@st.composite
def calibrations(draw: st.DrawFn) -> Calibration:
    bins = []
    for low, high in draw(st.sampled_from([BINS, TENTHS, ((7, 9),), ()])):
        n = draw(st.integers(1, 30) | st.integers(1, 3000))
        mean = draw(st.floats(max(0, low - 0.4) / 10, min(10, high + 0.5) / 10))
        bins.append((low, high, n, draw(st.integers(0, n)), mean))
    return calibration(*bins)


CHARTS: st.SearchStrategy[Chart] = st.one_of(
    velocities(), throughputs(), cycles(), agings(), flows(), fans(), calibrations(), burndowns().map(Burnup)
)
