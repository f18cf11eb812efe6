"""`python benchmarks/forecast/speed.py [rounds]`: how long forecasts take, medians in ms, as one JSON line.

For a team with 60 working days and 30 past sprints, each known at the end of each of its ten days.
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
from sprints.forecast import fan, forecast
from sprints.forecast_draws import History, Moment, Now, PastSprint
from sprints.forecast_throughput import history_of, how_many, when, working_days
from sprints.throughput import DayCount

MONDAY = date(2026, 1, 5)
SPRINT_DAYS, OPEN_ITEMS = 10, 20


def main(rounds: int) -> None:
    """Prints the medians."""
    random = np.random.default_rng(1)
    calendar = Calendar()
    counts = random.poisson(1.5, 84)
    days = [DayCount(MONDAY + timedelta(days=i), int(count)) for i, count in enumerate(counts)]
    daily = history_of(days, calendar)
    first = MONDAY + timedelta(days=84)
    last = working_days(calendar, first, SPRINT_DAYS)[-1]
    history = History(100, own=[_sprint(random) for _ in range(30)])
    now = Now(0.4, done=10, scope=30, days_left=6)
    cold = History(100, days=[float(count) for count in counts])
    asked: dict[str, Callable[[], object]] = {
        "when": lambda: when(OPEN_ITEMS, daily, calendar, first, 1),
        "how_many": lambda: how_many(daily, calendar, first, last, 1),
        "forecast": lambda: forecast(now, history, 1),
        "forecast_without_sprints": lambda: forecast(now, cold, 1),
        "fan": lambda: fan(now, history, 1, working_days(calendar, first, 6)),
    }
    print(json.dumps({name: round(_median(ask, rounds), 2) for name, ask in asked.items()}))


def _sprint(random: np.random.Generator) -> PastSprint:
    done = np.cumsum(random.poisson(2.5, SPRINT_DAYS + 1))
    scope = float(done[-1] + random.integers(0, 10))
    moments = (Moment(i / SPRINT_DAYS, float(amount), scope) for i, amount in enumerate(done))
    return PastSprint(tuple(moments), float(done[-1]), scope)


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
