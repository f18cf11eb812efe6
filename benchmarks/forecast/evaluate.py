"""Runs the product's forecast over a file of the form of `iterations.csv`, forward in time.

`python benchmarks/forecast/evaluate.py FILE.csv` prints one JSON line: Brier score of the chance to finish,
error of the points delivered (NMAE) and coverage of the 80 % band, by share of the sprint elapsed in %; `n`
counts the sprints judged.
"""

import json
import sys
from pathlib import Path

# The file is run by its path, from anywhere.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.forecast.iterations import MOMENTS, Case, Sprint, Told, brier, cases, coverage, judge, nmae
from sprints.forecast import BASE_RATE, Refusal, forecast, seed_of
from sprints.forecast_draws import History, Moment, Now, PastSprint


def evaluate(file: Path) -> dict[str, object]:
    """The three scores by moment."""
    judged = {moment: judge(list(cases(file, moment)), product) for moment in MOMENTS}
    return {
        "brier": {moment: round(brier(one), 4) for moment, one in judged.items()},
        "nmae": {moment: round(nmae(one), 4) for moment, one in judged.items()},
        "coverage_80": {moment: round(coverage(one), 4) for moment, one in judged.items()},
        "n": len(judged[MOMENTS[0]]),
    }


def product(case: Case) -> Told:
    """What the product tells of a case. Where it refuses, the base rate and the plan stand in."""
    elapsed = int(case.moment) / 100
    row = case.row
    # Planned days are told in days on the calendar; only the share of them matters here.
    now = Now(elapsed, done=row.done, scope=row.committed, days_left=1)
    history = History(
        finished_items=sum(one.rows[MOMENTS[-1]].items_done for one in case.earlier),
        own=[_past(one) for one in case.own],
        others=[_past(one) for one in case.others],
    )
    told = forecast(now, history, seed_of(case.project, case.sprint.board, case.moment))
    if isinstance(told, Refusal):
        return Told(BASE_RATE, row.committed, 0.0, row.committed)
    return Told(told.chance, told.delivered.p50, told.delivered.p10, told.delivered.p90)


def _past(sprint: Sprint) -> PastSprint:
    moments = (
        Moment(int(moment) / 100, sprint.rows[moment].done, sprint.rows[moment].committed)
        for moment in MOMENTS
    )
    return PastSprint(tuple(moments), sprint.delivered)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/forecast/evaluate.py FILE.csv")
    print(json.dumps(evaluate(Path(sys.argv[1]))))
