"""Compares ideas for the forecast on a file of the form of `iterations.csv`, forward in time.

`python benchmarks/forecast/compare.py FILE.csv` prints Markdown: scores in blocks 3 to 6, on which the
product's idea and constants were chosen, in blocks 7 to 10, and in all; differences to the product with their
noise; and how often the product's chances came true.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# The file is run by its path, from anywhere.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from benchmarks.forecast import ideas
from benchmarks.forecast.evaluate import product
from benchmarks.forecast.iterations import (
    MOMENTS,
    Forecaster,
    Judged,
    brier,
    cases,
    coverage,
    judge,
    nmae,
)
from benchmarks.forecast.scores import by_blocks
from sprints.forecast_grades import calibration

ROUNDS = 2000
IDEAS: dict[str, Forecaster] = {
    "base rate of the project": ideas.base_rate,
    "line of the burndown drawn on": ideas.line,
    "committed × project ratio": ideas.committed_by_ratio,
    "velocity, last 3": ideas.resampled(ideas.velocity_of_three),
    "velocity, last 10": ideas.resampled(ideas.velocity),
    "later delivery, last 10": ideas.resampled(ideas.later(10)),
    "later delivery, last 30": ideas.resampled(ideas.later(30)),
    "share of open work, last 30": ideas.resampled(ideas.share(30)),
    "both, last 10": ideas.resampled(ideas.both(10)),
    "both, last 30": ideas.resampled(ideas.both(30)),
    "both, alike in size": ideas.resampled(ideas.alike(by_share=False, prior=0)),
    "both, alike in size and share": ideas.resampled(ideas.alike(by_share=True, prior=0)),
    "… and other boards as 3 sprints": ideas.resampled(ideas.alike(by_share=True, prior=3)),
    "**product** (… toward the base rate)": product,
}
Score = Callable[[Sequence[Judged]], float | None]


def main(file: Path) -> None:
    """Prints all tables."""
    asked = {moment: list(cases(file, moment)) for moment in MOMENTS}
    told = {name: {m: judge(asked[m], idea) for m in MOMENTS} for name, idea in IDEAS.items()}
    told["logistic on five inputs"] = {m: judge(asked[m], ideas.logistic(asked[m])) for m in MOMENTS}
    for title, score in (("Brier score", brier), ("NMAE", nmae), ("Share of outcomes in the band", coverage)):
        _print_scores(title, score, told)
    _print_differences(told)
    _print_calibration(told["**product** (… toward the base rate)"])


def _print_scores(title: str, score: Score, told: dict[str, dict[str, list[Judged]]]) -> None:
    print(f"\n{title}: all (blocks 3–6 / 7–10)\n")
    print("| idea |", " | ".join(f"{moment} %" for moment in MOMENTS), "|\n|:--|" + "--:|" * len(MOMENTS))
    for name, moments in told.items():
        print(f"| {name} |", " | ".join(_three(score, moments[moment]) for moment in MOMENTS), "|")


def _three(score: Score, judged: list[Judged]) -> str:
    early, late = (_written(score(of_blocks)) for of_blocks in by_blocks(judged).values())
    return f"{_written(score(judged))} ({early} / {late})"


def _written(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


def _print_differences(told: dict[str, dict[str, list[Judged]]]) -> None:
    """The Brier score less the product's, and the middle 95 % of it when sprints are drawn again."""
    print("\nBrier score less the product's (95 % by bootstrap over sprints)\n")
    print("| idea |", " | ".join(f"{moment} %" for moment in MOMENTS), "|\n|:--|" + "--:|" * len(MOMENTS))
    best = told["**product** (… toward the base rate)"]
    for name, moments in told.items():
        if moments is not best:
            print(f"| {name} |", " | ".join(_difference(moments[m], best[m]) for m in MOMENTS), "|")


def _difference(one: list[Judged], best: list[Judged]) -> str:
    gaps = np.array(
        [a.squared - b.squared for a, b in zip(one, best, strict=True) if a.case.has_chance], float
    )
    drawn = np.random.default_rng(0).integers(len(gaps), size=(ROUNDS, len(gaps)))
    low, high = np.percentile(gaps[drawn].mean(axis=1), [2.5, 97.5])
    return f"{gaps.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def _print_calibration(moments: dict[str, list[Judged]]) -> None:
    judged: list[tuple[float, bool]] = [
        (one.told.chance, one.case.is_finished)
        for of_moment in moments.values()
        for one in of_moment
        if one.case.has_chance
    ]
    print("\nHow often the product's chances came true, all moments\n")
    print("| said, in 10 | on average | came true | n |\n|:--|--:|--:|--:|")
    tenths = [(tenth, tenth) for tenth in range(11)]
    for one in calibration(judged, tenths):
        print(f"| {one.low} | {one.mean_chance:.2f} | {one.share:.2f} | {one.n} |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/forecast/compare.py FILE.csv")
    main(Path(sys.argv[1]))
