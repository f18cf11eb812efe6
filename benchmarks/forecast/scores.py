"""Scores of forecasts by blocks, and tables of how chances compare with outcomes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from math import inf, sqrt
from typing import NamedTuple

from benchmarks.forecast.iterations import Case, Judged, brier, coverage, nmae
from sprints.forecast_wording import round_to_tenths

Score = Callable[[Sequence[Judged]], float | None]
SCORES: dict[str, Score] = {
    "brier": brier,
    "nmae": nmae,
    "coverage_80": coverage,
}
# Ideas and constants are chosen on the earlier blocks and judged on the later ones.
BLOCKS = {"3-6": range(2, 6), "7-10": range(6, 10)}
LOAD_EDGES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, inf)
LARGE_CELL, LARGE_CELL_LIMIT, STANDARD_ERRORS = 100, 0.07, 2.0


class Cell(NamedTuple):
    """Cases whose load or chance lies within a range: mean chance, share that finished, and their number."""

    label: str
    chance: float
    happened: float
    n: int

    @property
    def gap(self) -> float:
        """How far the mean chance lies above what happened."""
        return self.chance - self.happened

    @property
    def limit(self) -> float:
        """The largest gap that counts as calibrated.

        0.07 from 100 cases on. Below, two standard errors of the share that finishes if each case does
        with the mean chance: 2 × √(chance × (1 − chance) ÷ n).
        """
        if self.n >= LARGE_CELL:
            return LARGE_CELL_LIMIT
        return STANDARD_ERRORS * sqrt(self.chance * (1 - self.chance) / self.n)

    @property
    def is_miss(self) -> bool:
        # The tolerance keeps the noise of binary fractions from deciding.
        return abs(self.gap) > self.limit + 1e-9


def by_blocks(judged: Iterable[Judged]) -> dict[str, list[Judged]]:
    """Cases of the earlier and of the later blocks."""
    cases = list(judged)
    return {name: [item for item in cases if item.case.block in blocks] for name, blocks in BLOCKS.items()}


def load_table(judged: Iterable[Judged]) -> list[Cell]:
    """Cells by open work ÷ the most that the board ever delivered after the same point; empty ones left out.

    A load on an edge belongs to the cell below it, and nothing open to the first.
    """
    cases = [item for item in judged if item.case.has_chance]
    cells = [
        _cell(_load_label(low, high), [item for item in cases if _is_within(load_of(item.case), low, high)])
        for low, high in pairwise(LOAD_EDGES)
    ]
    return [cell for cell in cells if cell]


def load_of(case: Case) -> float:
    """Open work ÷ the most that an earlier sprint of the board delivered after the same point.

    Infinite where work is open and no sprint ever delivered any after this point.
    """
    if not case.row.open:
        return 0.0
    most = max((sprint.delivered_after(case.moment) for sprint in case.own), default=0.0)
    return case.row.open / most if most > 0 else inf


def calibration_table(judged: Iterable[Judged]) -> list[Cell]:
    """Cells by the tenth in which the product says a chance, from 0 (below 0.1) to 10 (above 0.9)."""
    cases = [item for item in judged if item.case.has_chance]
    cells = [
        _cell(str(tenth), [item for item in cases if round_to_tenths(item.told.chance) == tenth])
        for tenth in range(11)
    ]
    return [cell for cell in cells if cell]


def by_kind(judged: Iterable[Judged]) -> dict[str, list[Judged]]:
    """Cases by the kind of their sprint, which only made-up boards have; none without kinds."""
    cases = [item for item in judged if item.case.sprint.kind]
    kinds = sorted({item.case.sprint.kind for item in cases})
    return {kind: [item for item in cases if item.case.sprint.kind == kind] for kind in kinds}


def misses(tables: Mapping[str, Mapping[str, Sequence[Cell]]]) -> list[dict[str, object]]:
    """The cells of named tables by moment whose chance is further from what happened than their limit."""
    return [
        {"table": table, "moment": moment, **as_json(cell), "limit": round(cell.limit, 3)}
        for table, moments in tables.items()
        for moment, cells in moments.items()
        for cell in cells
        if cell.is_miss
    ]


def as_json(cell: Cell) -> dict[str, object]:
    return {
        "cell": cell.label,
        "said": round(cell.chance, 3),
        "happened": round(cell.happened, 3),
        "n": cell.n,
    }


def _cell(label: str, judged: Sequence[Judged]) -> Cell | None:
    if not judged:
        return None
    chance = sum(item.told.chance for item in judged) / len(judged)
    return Cell(label, chance, sum(item.case.is_finished for item in judged) / len(judged), len(judged))


def _is_within(load: float, low: float, high: float) -> bool:
    return low < load <= high or (low == load == 0)


def _load_label(low: float, high: float) -> str:
    return f"above {low:g}" if high == inf else f"{low:g}-{high:g}"
