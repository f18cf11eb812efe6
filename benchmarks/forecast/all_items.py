"""Which chance to tell where open items are not estimated: `python benchmarks/forecast/all_items.py`.

Made-up boards, because no data at hand tells both which items were estimated and whether all were done. A
board has 20 sprints; part of its items has no estimate, though each has a size. The sprint is finished when
all items are done. Printed are Brier scores of the forecast in points (of those estimated), in items, of the
lower of both (what the product tells), and of their mean, and in brackets what each said on average.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2]))

from sprints.forecast import Forecast, forecast_sprint
from sprints.forecast_inputs import ForecastHistory, Moment, PastSprint, RunningSprint

BOARDS, SPRINTS, LEAST_PAST, DAYS = 60, 20, 6, 10
UNESTIMATED = (0.1, 0.2, 0.3, 0.5)
MOMENTS = (0, 3, 5, 8)
SIZES, LOADS, CAPACITIES, NOISES, EFFORT_NOISE = (1, 2, 3, 5, 8), (0.6, 1.4), (15, 45), (0.1, 0.2, 0.35), 0.3
NAMES = ("points", "items", "the lower", "mean")


@dataclass(frozen=True, slots=True)
class MadeUpSprint:
    """By day, in each unit: what was done; and what was in it. `blank` counts open items not estimated."""

    done: Mapping[str, Sequence[float]]
    scope: Mapping[str, float]
    blank: Sequence[int]

    @property
    def is_finished(self) -> bool:
        return self.done["items"][-1] == self.scope["items"]

    def past(self, unit: str) -> PastSprint:
        """What a later forecast may learn from it."""
        days = enumerate(self.done[unit])
        moments = tuple(Moment(day / DAYS, done, self.scope[unit]) for day, done in days)
        return PastSprint(moments, self.done[unit][-1], self.scope[unit], working_days=DAYS)


def main() -> None:
    """One line for each share of items without an estimate and each moment."""
    print(
        f"{'unestimated':>11} {'elapsed':>8} {'n':>5} {'finished':>9}  "
        + "  ".join(f"{n:>13}" for n in NAMES)
    )
    for share in UNESTIMATED:
        judged = list(_judged(share))
        for day in MOMENTS:
            rows = [(chances, outcome) for at, chances, outcome in judged if at == day]
            _print_row(share, day, rows)


def _print_row(share: float, day: int, rows: Sequence[tuple[Sequence[float], bool]]) -> None:
    n = len(rows)
    finished = sum(outcome for _, outcome in rows) / n
    cells = []
    for place in range(len(NAMES)):
        score = sum((chances[place] - outcome) ** 2 for chances, outcome in rows) / n
        cells.append(f"{score:.3f} ({sum(chances[place] for chances, _ in rows) / n:.2f})")
    text = "  ".join(f"{cell:>13}" for cell in cells)
    print(f"{share:>11.0%} {day / DAYS:>8.0%} {n:>5} {finished:>9.2f}  {text}")


def _judged(share: float) -> Iterator[tuple[int, tuple[float, ...], bool]]:
    """Moments at which an item without an estimate was open: the day, the chances, and what happened."""
    for board in range(BOARDS):
        random = Random(f"{share} {board}")
        capacity, noise = random.uniform(*CAPACITIES), random.choice(NOISES)
        sprints = [_sprint(random, capacity, noise, share) for _ in range(SPRINTS)]
        for place in range(LEAST_PAST, SPRINTS):
            sprint, before = sprints[place], sprints[:place]
            for day in MOMENTS:
                if sprint.blank[day]:
                    points, items = (_chance(sprint, before, day, unit) for unit in ("points", "items"))
                    chances = (points, items, min(points, items), (points + items) / 2)
                    yield day, chances, sprint.is_finished


def _sprint(random: Random, capacity: float, noise: float, share: float) -> MadeUpSprint:
    load, sizes = capacity * random.uniform(*LOADS), list[int]()
    while sum(sizes) < load:
        sizes.append(random.choice(SIZES))
    points = [0 if random.random() < share else size for size in sizes]
    efforts = list(accumulate(size * random.lognormvariate(0, EFFORT_NOISE) for size in sizes))
    ability = max(capacity * random.gauss(1, noise), 0.0)
    counts = [sum(effort <= ability * day / DAYS for effort in efforts) for day in range(DAYS + 1)]
    return MadeUpSprint(
        {"points": [float(sum(points[:n])) for n in counts], "items": [float(n) for n in counts]},
        {"points": float(sum(points)), "items": float(len(points))},
        [points[n:].count(0) for n in counts],
    )


def _chance(sprint: MadeUpSprint, before: Sequence[MadeUpSprint], day: int, unit: str) -> float:
    now = RunningSprint(day / DAYS, sprint.done[unit][day], sprint.scope[unit], DAYS - day, DAYS)
    history = ForecastHistory(
        sum(int(past.done["items"][-1]) for past in before), [past.past(unit) for past in before]
    )
    found = forecast_sprint(now, history, 1)
    assert isinstance(found, Forecast)
    return found.chance


if __name__ == "__main__":
    main()
