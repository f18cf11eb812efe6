"""Made-up boards of simple, known behaviour, in files of the form of `iterations.csv`.

`python benchmarks/forecast/boards.py DIRECTORY` writes one file for each set of `SETS`, the same every time.
No data is copied. A team has a capacity per sprint, with noise. It delivers all it committed to, up to its
capacity, and spreads this over the sprint at a pace of its own; nothing is added or removed on the way. The
additional column `kind` says whether a sprint is tiny, regular or overloaded for its team.
"""

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

MOMENTS = (0, 30, 50, 80)
PLANNED_DAYS, TEAM_MEMBERS, POINTS_PER_ITEM = 14, 5, 3
CAPACITIES = (20.0, 40.0)
PACE_NOISE = 0.2
Range = tuple[float, float]
# What a team commits to, as a share of its capacity.
LOADS: Mapping[str, Range] = {
    "tiny": (0.05, 0.2),
    "regular": (0.8, 1.2),
    "easy": (0.3, 0.8),
    "impossible": (1.3, 1.8),
    "mixed": (0.2, 2.0),
    "overloaded": (2.0, 4.0),
}
SMALL_NOISE, MIDDLING_NOISE = 0.1, 0.25


@dataclass(frozen=True, slots=True)
class BoardSet:
    """How the boards of one file behave.

    `kinds` has the share of sprints of each kind, `noises` the standard deviation of a sprint's capacity as
    a share of the team's, one value for each project in turn.
    """

    kinds: Mapping[str, float]
    noises: tuple[float, ...] = (SMALL_NOISE, MIDDLING_NOISE)
    projects: int = 6
    boards: int = 3
    sprints_per_board: int = 40


SETS: Mapping[str, BoardSet] = {
    "tiny": BoardSet({"tiny": 0.1, "regular": 0.9}),
    "overloaded": BoardSet({"overloaded": 0.1, "regular": 0.9}),
    "tiny_and_overloaded": BoardSet({"tiny": 0.1, "overloaded": 0.1, "regular": 0.8}),
    "mixed": BoardSet({"mixed": 1.0}),
    "always": BoardSet({"easy": 1.0}, noises=(SMALL_NOISE / 2,)),
    "never": BoardSet({"impossible": 1.0}, noises=(SMALL_NOISE / 2,)),
    "few": BoardSet(
        {"tiny": 0.2, "overloaded": 0.2, "regular": 0.6}, projects=8, boards=6, sprints_per_board=8
    ),
}


def write(directory: Path, names: Iterable[str] = SETS) -> list[Path]:
    """Write sets into a directory, each into a file of its name, and return the files."""
    directory.mkdir(parents=True, exist_ok=True)
    return [_write_set(directory / f"{name}.csv", name) for name in names]


def _write_set(file: Path, name: str) -> Path:
    rows = list(rows_of(name))
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def rows_of(name: str) -> Iterator[dict[str, object]]:
    """The rows of a set, one per sprint and moment, oldest sprints first within each project."""
    board_set = SETS[name]
    for project in range(board_set.projects):
        random = Random(f"{name} {project}")
        noise = board_set.noises[project % len(board_set.noises)]
        capacities = [random.uniform(*CAPACITIES) for _ in range(board_set.boards)]
        for seq in range(board_set.boards * board_set.sprints_per_board):
            board = seq % board_set.boards
            identity = {"project": f"Made-up {project}", "boardid": board, "sprintid": seq, "seq": seq}
            for row in _sprint(random, board_set.kinds, capacities[board], noise):
                yield {**identity, **row}


def _sprint(
    random: Random, kinds: Mapping[str, float], capacity: float, noise: float
) -> Iterator[dict[str, object]]:
    (kind,) = random.choices(list(kinds), list(kinds.values()))
    committed = max(round(capacity * random.uniform(*LOADS[kind])), 1)
    delivered = min(committed, max(round(capacity * random.gauss(1, noise)), 0))
    pace = random.lognormvariate(0, PACE_NOISE)
    for moment in MOMENTS:
        done = round(delivered * (moment / 100) ** pace)
        yield {"pred_pct": moment, "kind": kind, **_amounts(committed, done, delivered)}


def _amounts(committed: int, done: int, delivered: int) -> dict[str, object]:
    return {
        "vel_diff": delivered - committed,
        "planday": PLANNED_DAYS,
        "no_issue_starttime": _items(committed),
        "vel_starttime": committed,
        "no_issue_added": 0,
        "vel_added": 0,
        "no_issue_removed": 0,
        "vel_removed": 0,
        "no_issuetodo": _items(committed) - _items(done),
        "vel_todo": committed - done,
        "no_issueinprogress": 0,
        "vel_inprogress": 0,
        "no_issuedone": _items(done),
        "vel_done": done,
        "no_teammember": TEAM_MEMBERS,
        "committed": committed,
        "delivered_OUTCOME": delivered,
        "n_boards": 1,
    }


def _items(points: int) -> int:
    return -(-points // POINTS_PER_ITEM)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/forecast/boards.py DIRECTORY")
    for written in write(Path(sys.argv[1])):
        print(written)
