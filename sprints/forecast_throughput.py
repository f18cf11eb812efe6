"""Dates for a number of items, and items by a date: Monte Carlo on a team's daily throughput.

As in ActionableAgile's "When" and "How Many": 10,000 futures made of past working days drawn with
replacement, days without anything done included. Definitions: docs/metrics.md, “Forecasts”.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sprints.calendar import Calendar, days_between
from sprints.forecast import Refusal
from sprints.percentiles import nearest_rank
from sprints.throughput import DayCount

Counts: TypeAlias = npt.NDArray[np.int32]

RUNS, WINDOW, FEW_DAYS = 10_000, 60, 20
# Two years of working days: who looks further should cut the work down first.
HORIZON, BLOCK = 520, 20
# A team without a working day in a year does not work.
LONGEST_PAUSE = 366


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn from: `days` working days with `items` done. `warning`: a sentence if that is thin."""

    days: int
    items: int
    warning: str | None


@dataclass(frozen=True, slots=True)
class Dates:
    """Working days by whose end the items are done in 50, 85 and 95 % of futures, later ones later.

    None: in more than two years, or never, because more is added than done.
    """

    p50: date | None
    p85: date | None
    p95: date | None
    sample: Sample


@dataclass(frozen=True, slots=True)
class Amounts:
    """Whole items that are done by a date in at least 50, 85 and 95 % of futures, the surer the fewer."""

    p50: int
    p85: int
    p95: int
    sample: Sample


@dataclass(frozen=True, slots=True)
class DailyHistory:
    """The last working days with their figures: items done and items added on each."""

    done: Counts
    added: Counts


def history_of(done: Sequence[DayCount], calendar: Calendar, added: Iterable[DayCount] = ()) -> DailyHistory:
    """The last 60 working days of a team whose local days all stand in `done`, in order, the last one over.

    What was done or added on a day off counts on the next working day. After the last working day there is
    none yet, so that waits. `added` counts what came into the scope, less what went; days not named have 0.
    """
    coming = {day.date: day.count for day in added}
    rows, waiting = [], np.zeros(2, int)
    for day in done:
        waiting = waiting + np.array([day.count, coming.get(day.date, 0)])
        if calendar.is_working_day(day.date):
            rows.append(waiting)
            waiting = np.zeros(2, int)
    table = np.array(rows[-WINDOW:], np.int32).reshape(-1, 2)
    return DailyHistory(table[:, 0], table[:, 1])


def when(items: int, history: DailyHistory, calendar: Calendar, first: date, seed: int) -> Dates | Refusal:
    """The dates by which `items` are done if work goes on on `first` or the next working day after it.

    What was added on the days drawn is added again. With the same seed fewer items are never later.
    Raises ValueError for fewer than one item.
    """
    if items < 1:
        raise ValueError(f"a date is forecast for at least one item, not for {items}")
    refusal = _refusal(history, calendar, first)
    if refusal:
        return refusal
    steps = sorted(_days_needed(items, history.done - history.added, seed).tolist())
    ends = working_days(calendar, first, HORIZON)
    p50, p85, p95 = (_end(ends, nearest_rank(steps, percent)) for percent in (50, 85, 95))
    return Dates(p50, p85, p95, _sample(history))


def how_many(
    history: DailyHistory, calendar: Calendar, first: date, by: date, seed: int
) -> Amounts | Refusal:
    """How many items are done from `first` to `by`, both included; 0 if no working day lies there.

    85 %: the most items of which at least 85 % of the futures do as many or more.
    """
    refusal = _refusal(history, calendar, first)
    if refusal:
        return refusal
    length = sum(calendar.is_working_day(day) for day in days_between(first, by))
    totals = np.zeros(RUNS, np.int32)
    for block in _blocks(history.done, length, seed):
        totals += block.sum(axis=0, dtype=np.int32)
    # The most first, so that 85 % of the futures are those that do at least as many.
    sums: list[int] = sorted((-totals).tolist())
    p50, p85, p95 = (-(nearest_rank(sums, percent) or 0) for percent in (50, 85, 95))
    return Amounts(p50, p85, p95, _sample(history))


def working_days(calendar: Calendar, first: date, most: int) -> list[date]:
    """The next working days, `first` included: `most` of them, fewer if the team works on none for a year."""
    found: list[date] = []
    last = day = first
    while len(found) < most and (day - last).days <= LONGEST_PAUSE:
        if calendar.is_working_day(day):
            found.append(day)
            last = day
        day += timedelta(days=1)
    return found


def _refusal(history: DailyHistory, calendar: Calendar, first: date) -> Refusal | None:
    items = int(history.done.sum())
    if not items:
        return Refusal("There is no forecast yet: nothing has been finished that it could learn from.")
    if not working_days(calendar, first, 1):
        return Refusal("There is no forecast: the calendar has no working day within a year.")
    return None


def _sample(history: DailyHistory) -> Sample:
    days = len(history.done)
    warning = f"Only {days} working days are known, so this is rough." if days < FEW_DAYS else None
    return Sample(days, int(history.done.sum()), warning)


def _days_needed(items: int, net: Counts, seed: int) -> Counts:
    """For each run the working days that it takes; HORIZON + 1 if more than that."""
    needed = np.full(RUNS, HORIZON + 1, np.int32)
    so_far = np.zeros(RUNS, np.int32)
    passed = 0
    for block in _blocks(net, HORIZON, seed):
        heaped = so_far + np.cumsum(block, axis=0, dtype=np.int32)
        reached = heaped >= items
        new = reached.any(axis=0) & (needed > HORIZON)
        needed[new] = passed + reached.argmax(axis=0)[new] + 1
        so_far, passed = heaped[-1], passed + len(block)
        if needed.max() <= HORIZON:
            break
    return needed


def _blocks(days: Counts, length: int, seed: int) -> Iterator[Counts]:
    """The drawn days, one a row, of all runs; a few days at once, as a date needs no more than lead to it."""
    random = np.random.default_rng(seed)
    for begin in range(0, length, BLOCK):
        drawn = random.integers(len(days), size=(BLOCK, RUNS), dtype=np.uint8)
        yield days.take(drawn[: length - begin])


def _end(ends: list[date], steps: int | None) -> date | None:
    return ends[steps - 1] if steps and steps <= len(ends) else None
