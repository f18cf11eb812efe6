"""Files of the form of `iterations.csv`, read forward in time, and what is judged of them.

One row per sprint and moment (0, 30, 50, 80 % of the planned days); the columns are told where the data is.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

MOMENTS = ("0", "30", "50", "80")
# Interquartile range of `vel_diff` over all sprints of a project, as the data's README gives it.
RANGES = {"Apache": 15.0, "JBoss": 4.0, "JIRA": 3.0, "MongoDB": 5.0, "Spring": 32.0}
BLOCKS, TRAINING = 10, 2
LEAST_EARLIER, CHANCES_FROM = 5, 0.3


@dataclass(frozen=True, slots=True)
class Row:
    """What was known of a sprint at one moment, in points; `items_done` in items."""

    committed: float
    done: float
    items_done: int

    @property
    def open(self) -> float:
        return max(self.committed - self.done, 0.0)


@dataclass(frozen=True, slots=True)
class Sprint:
    """One sprint: its rows by moment, and what was delivered at its end.

    `planned_days` are days on the calendar, None if the file does not have them. `kind` is what made-up
    boards say of it, empty in other files.
    """

    board: str
    delivered: float
    rows: dict[str, Row]
    planned_days: float | None = None
    kind: str = ""

    def delivered_after(self, moment: str) -> float:
        """Points delivered from this moment to the end; below 0 where done work was opened again."""
        return self.delivered - self.rows[moment].done


@dataclass(frozen=True)
class Case:
    """A sprint to be forecast at one moment, and the sprints of its project before it, oldest first.

    A forecast may use all but `sprint.delivered` and the rows of later moments.
    """

    project: str
    moment: str
    block: int
    share: float
    sprint: Sprint
    earlier: Sequence[Sprint]

    @property
    def row(self) -> Row:
        return self.sprint.rows[self.moment]

    @cached_property
    def own(self) -> list[Sprint]:
        """Earlier sprints of the same board."""
        return [sprint for sprint in self.earlier if sprint.board == self.sprint.board]

    @cached_property
    def others(self) -> list[Sprint]:
        """Earlier sprints of the project's other boards."""
        return [sprint for sprint in self.earlier if sprint.board != self.sprint.board]

    @property
    def is_finished(self) -> bool:
        """The outcome: as much was delivered as was in the sprint at this moment."""
        return self.sprint.delivered >= self.row.committed

    @property
    def has_chance(self) -> bool:
        """Whether its chance is judged: points committed, five sprints before it, in the last 70 %."""
        return self.share >= CHANCES_FROM and self.row.committed > 0 and len(self.own) >= LEAST_EARLIER


@dataclass(frozen=True, slots=True)
class Told:
    """What was forecast of one case: chance to finish, expected points delivered, the band of 80 %."""

    chance: float
    expected: float
    low: float
    high: float


Forecaster = Callable[[Case], Told]


def cases(file: Path, moment: str, first_block: int = TRAINING) -> Iterator[Case]:
    """All sprints of a file at one moment, forward in time within each project, training blocks left out."""
    for project, sprints in read(file).items():
        for i, sprint in enumerate(sprints):
            block = i * BLOCKS // len(sprints)
            if block >= first_block:
                yield Case(project, moment, block, i / len(sprints), sprint, sprints[:i])


def read(file: Path) -> dict[str, list[Sprint]]:
    """The sprints of each project in the order of `seq`."""
    rows: defaultdict[str, defaultdict[int, dict[str, dict[str, str]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            rows[row["project"]][int(float(row["seq"]))][f"{float(row['pred_pct']):.0f}"] = row
    return {
        project: [_sprint(moments) for _, moments in sorted(sprints.items()) if len(moments) == len(MOMENTS)]
        for project, sprints in sorted(rows.items())
    }


def _sprint(moments: dict[str, dict[str, str]]) -> Sprint:
    last = moments[MOMENTS[-1]]
    by_moment = {
        moment: Row(float(row["committed"]), float(row["vel_done"]), int(float(row["no_issuedone"])))
        for moment, row in moments.items()
    }
    return Sprint(
        board=last["boardid"],
        delivered=float(last["delivered_OUTCOME"]),
        rows=by_moment,
        planned_days=float(last["planday"]) if last.get("planday") else None,
        kind=last.get("kind", ""),
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """One case with what was told of it."""

    case: Case
    told: Told

    @property
    def squared(self) -> float:
        """Squared error of the chance."""
        return (self.told.chance - self.case.is_finished) ** 2

    @property
    def missed(self) -> float:
        """Absolute error of the points; the same for `vel_diff`, as the committed points are known."""
        return abs(self.told.expected - self.case.sprint.delivered)

    @property
    def is_inside(self) -> bool:
        return self.told.low <= self.case.sprint.delivered <= self.told.high


def judge(asked: Sequence[Case], forecaster: Forecaster) -> list[Judged]:
    return [Judged(case, forecaster(case)) for case in asked]


def brier(judged: Sequence[Judged]) -> float | None:
    """The mean squared error of the chances; None if none is judged."""
    return _mean([item.squared for item in judged if item.case.has_chance])


def coverage(judged: Sequence[Judged]) -> float | None:
    """The share of outcomes within the band, of the cases whose chance is judged."""
    return _mean([item.is_inside for item in judged if item.case.has_chance])


def nmae(judged: Sequence[Judged]) -> float | None:
    """Mean absolute error over the project's range, then the mean over projects."""
    missed: defaultdict[str, list[float]] = defaultdict(list)
    for item in judged:
        missed[item.case.project].append(item.missed)
    return _mean([float(np.mean(errors)) / _range(judged, project) for project, errors in missed.items()])


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _range(judged: Sequence[Judged], project: str) -> float:
    if project in RANGES:
        return RANGES[project]
    of_project = [item.case for item in judged if item.case.project == project]
    low, high = np.percentile([case.sprint.delivered - case.row.committed for case in of_project], [25, 75])
    return float(max(high - low, 1.0))
