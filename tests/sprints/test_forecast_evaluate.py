"""The script that measures the product's forecast."""

import csv
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.forecast.evaluate import product
from benchmarks.forecast.iterations import MOMENTS, cases

SCRIPT = Path(__file__).parents[2] / "benchmarks/forecast/evaluate.py"
SPRINTS = 60


def write(file: Path, *, changed_last: bool = False) -> Path:
    """Made-up sprints of two projects with two boards each, in the columns that are read."""
    rows = []
    for project in ("Apache", "Unheard of"):
        drawn = random.Random(project)
        for seq in range(SPRINTS):
            committed = drawn.randint(0, 30)
            delivered = round(committed * drawn.uniform(0.4, 1.2))
            if changed_last and seq == SPRINTS - 1:
                committed, delivered = 500, 400
            for moment in MOMENTS:
                done = delivered * int(moment) // 100
                rows.append(
                    {
                        "project": project,
                        "pred_pct": moment,
                        "boardid": seq % 2,
                        "seq": seq,
                        "committed": committed,
                        "vel_done": done,
                        "no_issuedone": done // 2,
                        "delivered_OUTCOME": delivered,
                    }
                )
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_it_prints_one_json_line_wherever_it_is_called(tmp_path: Path) -> None:
    file = write(tmp_path / "any.csv")

    run = subprocess.run(
        [sys.executable, SCRIPT, file.name], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    (line,) = run.stdout.splitlines()
    found = json.loads(line)
    assert list(found)[:4] == ["brier", "nmae", "coverage_80", "n"]
    assert list(found)[4:] == ["blocks", "load", "calibration", "misses"]
    assert all(list(found[key]) == ["0", "30", "50", "80"] for key in ("brier", "nmae", "coverage_80"))
    assert all(0 <= value <= 1 for key in ("brier", "coverage_80") for value in found[key].values())
    assert found["n"] == 2 * SPRINTS * 8 // 10


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_forecast_sees_nothing_of_what_comes_later(tmp_path: Path, moment: str) -> None:
    one = list(cases(write(tmp_path / "one.csv"), moment))
    other = list(cases(write(tmp_path / "other.csv", changed_last=True), moment))

    assert [product(case) for case in one[: len(one) // 2 - 1]] == [
        product(case) for case in other[: len(one) // 2 - 1]
    ]
    assert product(one[-1]) != product(other[-1])
