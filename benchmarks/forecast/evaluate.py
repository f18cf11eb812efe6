"""Runs the product's forecast over a file of the form of `iterations.csv`, forward in time.

`python benchmarks/forecast/evaluate.py FILE.csv` prints one JSON line. By share of the sprint elapsed in %:

- `brier` (of the chance to finish), `nmae` (error of the points delivered) and `coverage_80` (share of
  outcomes in the 80 % band); `n` counts the sprints forecast. A score of nothing is null.
- `blocks`: the same for blocks 3 to 6, on which the model is chosen, and 7 to 10.
- `load`: mean chance, share that finished and n, by open work ÷ the most that the board ever delivered after
  the same point. Work that is open where no sprint ever delivered any after this point is above all edges.
- `calibration`: the same by the tenth in which a chance is said; `all` is all moments together.
- `misses`: the cells of both that are off by more than 0.07 (n ≥ 100) or two standard errors (n < 100), those
  of a binomial with the mean chance. One cell in twenty is off by two of them by chance alone.
- `kinds`, of made-up boards only: Brier score and n of the chances judged, by kind of sprint.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# The file is run by its path, from anywhere.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.forecast.iterations import MOMENTS, Case, Judged, Sprint, Told, brier, cases, judge
from benchmarks.forecast.scores import (
    BLOCKS,
    SCORES,
    Cell,
    as_json,
    by_blocks,
    by_kind,
    calibration_table,
    load_table,
    misses,
)
from sprints.forecast import Refusal, derive_seed, forecast_sprint
from sprints.forecast_inputs import ForecastHistory, Moment, PastSprint, RunningSprint

# Where the product refuses a forecast: about two in five real sprints finish.
CHANCE_IF_REFUSED = 0.4


def evaluate(file: Path) -> dict[str, object]:
    """All scores and tables by moment."""
    judged = {moment: judge(list(cases(file, moment)), product) for moment in MOMENTS}
    loads = {moment: load_table(of_moment) for moment, of_moment in judged.items()}
    together = [item for of_moment in judged.values() for item in of_moment]
    calibrations = {moment: calibration_table(items) for moment, items in {"all": together, **judged}.items()}
    return {
        **_scores(judged),
        "blocks": {
            block: _scores({moment: by_blocks(of_moment)[block] for moment, of_moment in judged.items()})
            for block in BLOCKS
        },
        "load": _tables(loads),
        "calibration": _tables(calibrations),
        "misses": misses({"load": loads, "calibration": calibrations}),
        **_kinds(judged),
    }


def product(case: Case) -> Told:
    """Forecast a case as the product does. Where it refuses, the base rate and the plan stand in."""
    elapsed = int(case.moment) / 100
    row = case.row
    # Planned days are days on the calendar in the data; only the share of them matters here.
    now = RunningSprint(elapsed, done=row.done, scope=row.committed, days_left=1)
    history = ForecastHistory(
        finished_items=sum(sprint.rows[MOMENTS[-1]].items_done for sprint in case.earlier),
        own=[_past(sprint) for sprint in case.own],
        others=[_past(sprint) for sprint in case.others],
    )
    answer = forecast_sprint(now, history, derive_seed(case.project, case.sprint.board, case.moment))
    if isinstance(answer, Refusal):
        return Told(CHANCE_IF_REFUSED, row.committed, 0.0, row.committed)
    return Told(answer.chance, answer.delivered.p50, answer.delivered.p10, answer.delivered.p90)


def _past(sprint: Sprint) -> PastSprint:
    moments = (
        Moment(int(moment) / 100, sprint.rows[moment].done, sprint.rows[moment].committed)
        for moment in MOMENTS
    )
    return PastSprint(tuple(moments), sprint.delivered)


def _scores(judged: Mapping[str, Sequence[Judged]]) -> dict[str, object]:
    by_moment = {
        name: {moment: _rounded(score(of_moment)) for moment, of_moment in judged.items()}
        for name, score in SCORES.items()
    }
    return {**by_moment, "n": len(judged[MOMENTS[0]])}


def _kinds(judged: Mapping[str, Sequence[Judged]]) -> dict[str, object]:
    """The score of the chances of each kind of sprint; nothing if the file has no kinds."""
    tables = {moment: by_kind(of_moment) for moment, of_moment in judged.items()}
    kinds: dict[str, dict[str, object]] = {kind: {} for kind in tables[MOMENTS[0]]}
    for moment, table in tables.items():
        for kind, of_kind in table.items():
            n = sum(item.case.has_chance for item in of_kind)
            kinds[kind][moment] = {"brier": _rounded(brier(of_kind)), "n": n}
    return {"kinds": kinds} if kinds else {}


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


def _tables(tables: Mapping[str, Sequence[Cell]]) -> dict[str, list[dict[str, object]]]:
    return {moment: [as_json(cell) for cell in cells] for moment, cells in tables.items()}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/forecast/evaluate.py FILE.csv")
    print(json.dumps(evaluate(Path(sys.argv[1]))))
