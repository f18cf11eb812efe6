"""Values that exist only for charts: small, plain, and without names or texts.

Most are made from the domain's values by the function below them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from sprints.burndown import Burndown, measure_amount
from sprints.calendar import Calendar
from sprints.durations import Age, Durations, measure_cycle_times, select_done
from sprints.flow import Flow
from sprints.forecast import FanDay
from sprints.forecast_scores import CalibrationBin
from sprints.numbering import Number, split_number
from sprints.throughput import Throughput
from sprints.velocity import Velocity

# A window longer than this is shown by weeks.
_MOST_SINGLE_DAYS = 21


@dataclass(frozen=True, slots=True)
class SprintBar:
    """The committed and completed work of a sprint, and its last day."""

    last_day: date
    committed: Decimal
    completed: Decimal


@dataclass(frozen=True, slots=True)
class VelocityBars:
    """The last closed sprints, oldest first, in `unit` (`points` or `count`: items).

    With too few of them `median`, `least` and `most` are None.
    """

    unit: str
    bars: tuple[SprintBar, ...]
    median: Decimal | None = None
    least: Decimal | None = None
    most: Decimal | None = None


def build_velocity_bars(velocity: Velocity, calendar: Calendar) -> VelocityBars:
    """Convert a velocity to its chart."""
    bars = [
        SprintBar(
            # A sprint ends at the midnight after its last day.
            calendar.day_of(outcome.end - timedelta(microseconds=1)),
            measure_amount(outcome.committed, velocity.unit),
            value,
        )
        for outcome, value in zip(velocity.outcomes, velocity.values, strict=True)
    ]
    return VelocityBars(velocity.unit, tuple(bars), velocity.median, velocity.least, velocity.most)


@dataclass(frozen=True, slots=True)
class CountBar:
    """The number of items done in the span that begins on `first`; in a part of it if not `is_whole`.

    `is_off` marks a day off.
    """

    first: date
    count: int
    is_whole: bool = True
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class ThroughputBars:
    """The items done per `span` (`week` or `day`), spans without any included.

    `median` is that of the whole weeks, or of the working days; None without any.
    """

    span: str
    bars: tuple[CountBar, ...]
    median: Decimal | None = None


def build_throughput_bars(throughput: Throughput, calendar: Calendar) -> ThroughputBars:
    """Convert a throughput to its chart, by days or, if there are more than 21, by weeks."""
    if len(throughput.days) > _MOST_SINGLE_DAYS:
        weeks = [CountBar(week.monday, week.count, week.days == 7) for week in throughput.weeks]
        return ThroughputBars("week", tuple(weeks), _median(week.count for week in weeks if week.is_whole))
    days = [
        CountBar(day.date, day.count, is_off=not calendar.is_working_day(day.date)) for day in throughput.days
    ]
    return ThroughputBars("day", tuple(days), _median(day.count for day in days if not day.is_off))


@dataclass(frozen=True, slots=True)
class FinishedItem:
    """The day on which an item was done, and the days that it took."""

    finished: date
    days: int


@dataclass(frozen=True, slots=True)
class CycleScatter:
    """The cycle times of the items that were done from `first` to `last`, and their percentiles in days.

    `excluded` counts the items done whose cycle time is not known.
    """

    first: date
    last: date
    items: tuple[FinishedItem, ...]
    p50: int | None = None
    p85: int | None = None
    p95: int | None = None
    excluded: int = 0


def build_cycle_scatter(flows: Iterable[Flow], calendar: Calendar, first: date, last: date) -> CycleScatter:
    """Measure the cycle times of the items done on the local days from `first` to `last`, both included."""
    done = select_done(flows, first, last, calendar)
    items = [
        FinishedItem(calendar.day_of(flow.done_at), days)
        for flow in done
        for days in measure_cycle_times([flow], calendar).days
        if flow.done_at
    ]
    durations = measure_cycle_times(done, calendar)
    p50, p85, p95 = map(durations.days_percentile, (50, 85, 95))
    ordered = sorted(items, key=lambda item: (item.finished, item.days))
    return CycleScatter(first, last, tuple(ordered), p50, p85, p95, durations.excluded_count)


@dataclass(frozen=True, slots=True)
class AgingItem:
    """An item in progress, and the days since its start, or at least that many."""

    number: Number
    days: int
    is_at_least: bool = False


@dataclass(frozen=True, slots=True)
class Aging:
    """The items in progress, the oldest first, and percentiles of the cycle times of finished ones."""

    items: tuple[AgingItem, ...]
    p50: int | None = None
    p85: int | None = None


def build_aging(ages: Iterable[Age], finished: Durations) -> Aging:
    """Convert ages, and the cycle times of items finished before, to their chart."""
    items = [AgingItem(age.flow.number, age.days, age.is_at_least) for age in ages]
    p50, p85 = map(finished.days_percentile, (50, 85))
    return Aging(tuple(sorted(items, key=lambda item: (-item.days, split_number(item.number)))), p50, p85)


@dataclass(frozen=True, slots=True)
class ForecastFan:
    """A running sprint, how its work may grow over the coming working days, and its chance to be done."""

    sprint: Burndown
    days: tuple[FanDay, ...]
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """The forecasts that came true, by their chances."""

    bins: tuple[CalibrationBin, ...]


def _median(counts: Iterable[int]) -> Decimal | None:
    values = [Decimal(count) for count in counts]
    return median(values) if values else None
