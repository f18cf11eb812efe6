"""The scripts that measure the product's forecast."""

import csv
import json
import random
import subprocess
import sys
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.forecast import boards, compare, ideas
from benchmarks.forecast.evaluate import evaluate, product
from benchmarks.forecast.iterations import MOMENTS, Case, Judged, Row, Sprint, Told, brier, cases, judge
from benchmarks.forecast.scores import Cell, calibration_table, load_of, load_table, misses

SCRIPT = Path(__file__).parents[2] / "benchmarks/forecast/evaluate.py"
SPRINTS = 40
SCORES = ["brier", "nmae", "coverage_80", "n"]
BLOCKS = ["3-6", "7-10"]


def write(
    file: Path,
    *,
    projects: tuple[str, ...] = ("Apache", "Unheard of"),
    sprints: int = SPRINTS,
    sprint_boards: int = 2,
    changed_last: bool = False,
    is_empty_at_start: bool = False,
) -> Path:
    """Made-up sprints of projects with some boards each, in the columns that are read."""
    rows = []
    for project in projects:
        drawn = random.Random(project)
        for seq in range(sprints):
            committed = drawn.randint(0, 30)
            delivered = round(committed * drawn.uniform(0.4, 1.2))
            if changed_last and seq == sprints - 1:
                committed, delivered = 500, 400
            for moment in MOMENTS:
                done = delivered * int(moment) // 100
                rows.append(
                    {
                        "project": project,
                        "pred_pct": moment,
                        "boardid": seq % sprint_boards,
                        "seq": seq,
                        "committed": 0 if is_empty_at_start and moment == "0" else committed,
                        "vel_done": done,
                        "no_issuedone": done // 2,
                        "delivered_OUTCOME": delivered,
                    }
                )
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, rows[0] if rows else ["project", "pred_pct", "seq"])
        writer.writeheader()
        writer.writerows(rows)
    return file


def scores_of(file: Path) -> dict[str, Any]:
    """What is printed of a file, as the JSON of the standard, which knows no NaN."""
    scores: dict[str, Any] = json.loads(json.dumps(evaluate(file), allow_nan=False))
    return scores


def made_up(name: str, directory: Path) -> Path:
    return boards.write(directory, [name])[0]


def sprint(board: str, committed: float, done: float, delivered: float) -> Sprint:
    """A sprint that stands the same at all moments."""
    return Sprint(board, delivered, {moment: Row(committed, done, 0) for moment in MOMENTS})


def case(open_work: float, *delivered_after: float, is_finished: bool = False) -> Case:
    """A case with open work, on a board whose five or more earlier sprints delivered so much after it."""
    earlier = [sprint("board", 10, 1, 1 + amount) for amount in delivered_after]
    padding = [sprint("board", 10, 1, 1) for _ in range(5 - len(earlier))]
    delivered = 2 + open_work if is_finished else 1 + open_work
    return Case("project", "30", 9, 0.9, sprint("board", 2 + open_work, 2, delivered), earlier + padding)


def judged_case(chance: float, is_finished: bool, load: float = 0.5) -> Judged:
    return Judged(case(load * 8, 8, is_finished=is_finished), Told(chance, 0, 0, 0))


def test_it_prints_one_json_line_wherever_it_is_called(tmp_path: Path) -> None:
    file = write(tmp_path / "any.csv")

    result = subprocess.run(
        [sys.executable, SCRIPT, file.name], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    (line,) = result.stdout.splitlines()
    scores = json.loads(line)
    assert list(scores) == [*SCORES, "blocks", "load", "calibration", "misses"]
    assert all(list(scores[key]) == list(MOMENTS) for key in ("brier", "nmae", "coverage_80", "load"))
    assert all(0 <= value <= 1 for key in ("brier", "coverage_80") for value in scores[key].values())
    assert scores["n"] == 2 * SPRINTS * 8 // 10
    assert list(scores["calibration"]) == ["all", *MOMENTS]


def test_the_blocks_part_what_is_judged(tmp_path: Path) -> None:
    scores = scores_of(write(tmp_path / "any.csv"))

    blocks = scores["blocks"]
    assert list(blocks) == BLOCKS
    assert all(list(blocks[block]) == SCORES for block in BLOCKS)
    assert sum(blocks[block]["n"] for block in BLOCKS) == scores["n"]
    for moment in MOMENTS:
        low, high = sorted(blocks[block]["brier"][moment] for block in BLOCKS)
        assert low <= scores["brier"][moment] <= high


def test_each_table_holds_every_chance_that_is_judged(tmp_path: Path) -> None:
    file = write(tmp_path / "any.csv")
    scores = scores_of(file)

    loads, calibrations = scores["load"], scores["calibration"]
    for moment in MOMENTS:
        n = sum(item.has_chance for item in cases(file, moment))
        assert sum(cell["n"] for cell in loads[moment]) == n
        assert sum(cell["n"] for cell in calibrations[moment]) == n
        assert all(list(cell) == ["cell", "said", "happened", "n"] and cell["n"] for cell in loads[moment])
    in_moments = sum(cell["n"] for moment in MOMENTS for cell in calibrations[moment])
    assert sum(cell["n"] for cell in calibrations["all"]) == in_moments


@pytest.mark.parametrize(
    "arguments",
    [
        {"sprint_boards": 30},
        {"sprints": 3},
        {"sprints": 1},
        {"projects": ()},
    ],
    ids=["fewer than five sprints a board", "three sprints", "one sprint", "no row"],
)
def test_a_score_of_nothing_is_null(tmp_path: Path, arguments: dict[str, Any]) -> None:
    scores = scores_of(write(tmp_path / "small.csv", **arguments))

    assert set(scores["brier"].values()) == set(scores["coverage_80"].values()) == {None}
    assert scores["load"] == {moment: [] for moment in MOMENTS}
    assert scores["calibration"] == {moment: [] for moment in ("all", *MOMENTS)}
    assert scores["misses"] == []
    assert (scores["n"] == 0) == (set(scores["nmae"].values()) == {None})


def test_one_project_of_one_board_is_judged(tmp_path: Path) -> None:
    scores = scores_of(write(tmp_path / "single.csv", projects=("Spring",), sprint_boards=1))

    assert scores["n"] == SPRINTS * 8 // 10
    assert None not in scores["brier"].values()


def test_a_sprint_without_points_at_its_start_is_judged_later(tmp_path: Path) -> None:
    scores = scores_of(write(tmp_path / "empty.csv", is_empty_at_start=True))

    assert scores["brier"]["0"] is None
    assert scores["load"]["0"] == []
    assert scores["nmae"]["0"] is not None
    assert scores["brier"]["30"] is not None


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_forecast_sees_nothing_of_what_comes_later(tmp_path: Path, moment: str) -> None:
    before = list(cases(write(tmp_path / "before.csv"), moment))
    after = list(cases(write(tmp_path / "after.csv", changed_last=True), moment))

    earlier = len(before) // 2 - 1
    assert [product(item) for item in before[:earlier]] == [product(item) for item in after[:earlier]]
    assert product(before[-1]) != product(after[-1])


@pytest.mark.parametrize("idea", [ideas.logistic, ideas.corrected(ideas.weighted_futures)])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_regression_sees_nothing_of_what_comes_later(
    tmp_path: Path, moment: str, idea: Callable[[list[Case]], Callable[[Case], Told]]
) -> None:
    before = list(cases(write(tmp_path / "before.csv"), moment))
    after = list(cases(write(tmp_path / "after.csv", changed_last=True), moment))

    earlier = len(before) // 2 - 1
    assert list(map(idea(before), before[:earlier])) == list(map(idea(after), after[:earlier]))


def test_the_load_is_open_work_by_the_most_delivered_after_the_same_point() -> None:
    assert load_of(case(6, 3, 8, 1)) == 0.75
    assert load_of(case(0, 3, 8, 1)) == 0
    # Nothing open is no load, whatever was delivered; open work where nothing ever was is above all edges.
    assert load_of(case(0)) == 0
    assert load_of(case(1)) == inf
    assert load_of(case(1, -3, -2, -1, -4, -5)) == inf


@pytest.mark.parametrize(
    ("load", "label"),
    [
        (0, "0-0.25"),
        (0.25, "0-0.25"),
        (0.375, "0.25-0.5"),
        (1, "0.75-1"),
        (1.125, "1-1.25"),
        (1.5, "1.25-1.5"),
        (2, "1.5-2"),
        (2.125, "above 2"),
        (900, "above 2"),
    ],
)
def test_a_load_on_an_edge_belongs_to_the_cell_below(load: float, label: str) -> None:
    (cell,) = load_table([judged_case(0.25, is_finished=True, load=load)])

    assert cell == Cell(label, chance=0.25, happened=1, n=1)


def test_a_chance_that_is_not_judged_is_in_no_table() -> None:
    too_early = Case("project", "30", 2, 0.2, sprint("board", 5, 2, 5), [sprint("board", 5, 2, 5)] * 9)

    assert load_table([Judged(too_early, Told(0.5, 0, 0, 0))]) == []
    assert calibration_table([Judged(too_early, Told(0.5, 0, 0, 0))]) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0, 3)), max_size=30))
def test_tables_hold_each_chance_once(chances: list[tuple[float, bool, float]]) -> None:
    judged = [judged_case(chance, is_finished, load) for chance, is_finished, load in chances]

    for table in (load_table(judged), calibration_table(judged)):
        assert sum(cell.n for cell in table) == len(judged)
        assert sum(cell.chance * cell.n for cell in table) == pytest.approx(sum(c for c, _, _ in chances))
        finished = sum(item.case.is_finished for item in judged)
        assert sum(cell.happened * cell.n for cell in table) == pytest.approx(finished)


@pytest.mark.parametrize(
    ("cell", "is_miss"),
    [
        # From 100 cases on, 0.07 counts, however few or many standard errors that is.
        (Cell("5", 0.5, 0.57, 100), False),
        (Cell("5", 0.5, 0.571, 100), True),
        (Cell("5", 0.5, 0.429, 4000), True),
        # Below, two standard errors of a binomial with the mean chance: here 2 × √(0.25 ÷ 25) = 0.2.
        (Cell("5", 0.5, 0.7, 25), False),
        (Cell("5", 0.5, 0.72, 25), True),
        (Cell("5", 0.5, 0.28, 25), True),
        # What was certain may not fail.
        (Cell("10", 1.0, 1.0, 3), False),
        (Cell("10", 1.0, 0.99, 99), True),
    ],
)
def test_a_cell_is_a_miss_beyond_its_limit(cell: Cell, is_miss: bool) -> None:
    assert cell.is_miss is is_miss
    assert len(misses({"load": {"30": [cell]}})) == is_miss


def test_a_miss_names_its_table_moment_and_cell() -> None:
    assert misses({"load": {"30": [Cell("above 2", 0.5, 0.0, 100)]}}) == [
        {
            "table": "load",
            "moment": "30",
            "cell": "above 2",
            "said": 0.5,
            "happened": 0.0,
            "n": 100,
            "limit": 0.07,
        }
    ]


def test_made_up_boards_are_the_same_each_time(tmp_path: Path) -> None:
    first, second = boards.write(tmp_path / "first"), boards.write(tmp_path / "second")

    assert [file.stem for file in first] == list(boards.SETS)
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


@pytest.mark.parametrize("name", boards.SETS)
def test_made_up_sprints_go_forward_and_no_further_than_their_commitment(tmp_path: Path, name: str) -> None:
    file = made_up(name, tmp_path)

    sprints = {moment: list(cases(file, moment, first_block=0)) for moment in MOMENTS}
    for at_moments in zip(*sprints.values(), strict=True):
        done = [item.row.done for item in at_moments]
        assert 0 == done[0] <= done[1] <= done[2] <= done[3] <= at_moments[0].sprint.delivered
        assert at_moments[0].sprint.delivered <= at_moments[0].row.committed
    assert {item.sprint.kind for item in sprints["0"]} == set(boards.SETS[name].kinds)


@pytest.mark.parametrize(("name", "finishes"), [("always", True), ("never", False)])
def test_made_up_boards_finish_always_or_never(tmp_path: Path, name: str, finishes: bool) -> None:
    file = made_up(name, tmp_path)

    assert {item.is_finished for item in cases(file, "0")} == {finishes}


def test_tiny_sprints_finish_overloaded_ones_do_not_and_counting_sees_both(tmp_path: Path) -> None:
    file = made_up("tiny_and_overloaded", tmp_path)

    extreme = [item for item in cases(file, "30") if item.sprint.kind != "regular"]
    assert {item.sprint.kind: item.is_finished for item in extreme} == {"tiny": True, "overloaded": False}
    counted = brier(judge(extreme, ideas.resampled(ideas.later(10))))
    past_product = brier(judge(extreme, ideas.weighted_futures))
    assert counted is not None
    assert past_product is not None
    assert counted <= 0.01
    assert past_product >= 0.04


def test_chances_on_made_up_boards_are_scored_by_kind(tmp_path: Path) -> None:
    file = made_up("few", tmp_path)
    header, *rows = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([header, *(row for row in rows if row.startswith("Made-up 0,"))]), "utf-8")

    kinds = scores_of(file)["kinds"]
    assert list(kinds) == ["overloaded", "regular", "tiny"]
    judged = sum(item.has_chance for item in cases(file, "30"))
    assert sum(of_kind["30"]["n"] for of_kind in kinds.values()) == judged


@pytest.mark.parametrize("sprint_boards", [2, 30], ids=["judged", "too few sprints"])
def test_the_comparison_prints_all_its_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sprint_boards: int
) -> None:
    compare.main(write(tmp_path / "any.csv", sprints=20, sprint_boards=sprint_boards))

    text = capsys.readouterr().out
    for title in ("Brier score: all", "NMAE: all", "Share of outcomes", "Brier score less", "By open work"):
        assert f"\n{title}" in text
    assert text.count("| **product** |") == 3
    assert "nan" not in text
