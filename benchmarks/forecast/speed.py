"""`python benchmarks/forecast/speed.py [rounds]`: how long forecasts take, medians in ms, as one JSON line.

For a team with 30 past sprints, each known at the end of each of its ten days, or with 60 working days.
"""

import json
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

# The file is run by its path, from anywhere.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from sprints.calendar import Calendar
from sprints.facts import Amount, Day
from sprints.forecast import forecast_days, forecast_sprint
from sprints.forecast_dates import create_empty_sprint, forecast_dates, forecast_items, with_end_on, with_open
from sprints.forecast_inputs import ForecastHistory
from sprints.outlook import Outlook, SprintRecord, TrackRecord, build_outlook
from sprints.velocity import SprintOutcome

CALENDAR = Calendar()
MONDAY = date(2025, 1, 6)
TODAY = MONDAY + timedelta(weeks=60)
SPRINT_DAYS, OPEN_ITEMS = 10, 20


def main(rounds: int) -> None:
    """Prints the medians."""
    random = np.random.default_rng(1)
    past = TrackRecord(tuple(_record(random, MONDAY + timedelta(weeks=2 * n)) for n in range(30)), (), 1)
    facts = with_open(create_empty_sprint(CALENDAR, CALENDAR.midnight(TODAY)), OPEN_ITEMS)
    due = TODAY + timedelta(days=11)
    outlook = build_outlook(with_end_on(facts, due), past)
    if not isinstance(outlook, Outlook):
        raise TypeError(outlook.sentence)
    now, history, days = outlook.now, outlook.history, outlook.days
    cold = ForecastHistory(100, days=[float(count) for count in random.poisson(1.5, 60)])
    asked: dict[str, Callable[[], object]] = {
        "when": lambda: forecast_dates(facts, past),
        "how_many": lambda: forecast_items(facts, past, due),
        "forecast": lambda: forecast_sprint(now, history, 1),
        "forecast_without_sprints": lambda: forecast_sprint(now, cold, 1),
        "fan": lambda: forecast_days(now, history, 1, days),
    }
    print(json.dumps({name: round(_median(ask, rounds), 2) for name, ask in asked.items()}))


def _record(random: np.random.Generator, monday: date) -> SprintRecord:
    """Two weeks in which some items are done on each working day, and some are left."""
    facts = create_empty_sprint(CALENDAR, CALENDAR.midnight(monday))
    sprint = with_end_on(facts, monday + timedelta(days=11)).sprint
    dates = [monday + timedelta(days=n) for n in range(12)]
    done = np.cumsum([random.poisson(2.5) if CALENDAR.is_working_day(day) else 0 for day in dates]).tolist()
    scope = Amount(count=done[-1] + int(random.integers(0, 10)))
    days = tuple(
        Day(day, CALENDAR.midnight(day + timedelta(days=1)), scope, Amount(count=count))
        for day, count in zip(dates, done, strict=True)
    )
    end = CALENDAR.midnight(monday + timedelta(days=12))
    completed = days[-1].done
    return SprintRecord(sprint, days, SprintOutcome(0, 0, "", end, scope, completed, completed, unit="count"))


def _median(ask: Callable[[], object], rounds: int) -> float:
    ask()
    taken = []
    for _ in range(rounds):
        begin = perf_counter()
        ask()
        taken.append((perf_counter() - begin) * 1000)
    return median(taken)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
