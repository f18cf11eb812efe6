"""Compares ideas for the forecast, forward in time, and prints Markdown.

`python benchmarks/forecast/compare.py FILE.csv` takes a file of the form of `iterations.csv`: scores in all,
in blocks 3 to 6, on which the product's model is chosen, and in blocks 7 to 10; differences to the product
with their noise; how often the product's chances came true, by tenth and by load.

`python benchmarks/forecast/compare.py --made-up` takes the made-up boards of `boards.py` instead: Brier
scores of their sprints, without those that commit to about the team's capacity.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

# The file is run by its path, from anywhere.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from benchmarks.forecast import boards, ideas
from benchmarks.forecast.evaluate import product
from benchmarks.forecast.iterations import MOMENTS, TRAINING, Case, Forecaster, Judged, brier, cases, judge
from benchmarks.forecast.scores import (
    SCORES,
    Cell,
    Score,
    by_blocks,
    calibration_table,
    load_table,
)

ROUNDS = 2000
PRODUCT, PAST_PRODUCT = "**product**", "product until 2026-11: … toward the base rate"
IDEAS: Mapping[str, Forecaster] = {
    "base rate of the project": ideas.base_rate,
    "line of the burndown drawn on": ideas.line,
    "committed × project ratio": ideas.committed_by_ratio,
    "velocity, last 3": ideas.resampled(ideas.velocity_of_three),
    "velocity, last 10": ideas.resampled(ideas.velocity),
    "later delivery, last 10": ideas.resampled(ideas.later(10)),
    "later delivery, last 30": ideas.resampled(ideas.later(30)),
    "later delivery, last 30, by planned days": ideas.resampled(ideas.later_by_days(30)),
    "share of open work, last 30": ideas.resampled(ideas.share(30)),
    "both, last 10": ideas.resampled(ideas.both(10)),
    "both, last 30": ideas.resampled(ideas.both(30)),
    "both, alike in size": ideas.resampled(ideas.alike(by_share=False, prior=0)),
    "both, alike in size and share": ideas.resampled(ideas.alike(by_share=True, prior=0)),
    "… and other boards as 3 sprints": ideas.resampled(ideas.alike(by_share=True, prior=3)),
    PAST_PRODUCT: ideas.weighted_futures,
    PRODUCT: product,
}
# What is fitted on earlier blocks, and forecasts no case before it has seen them.
REGRESSIONS: Mapping[str, Callable[[Sequence[Case]], Forecaster]] = {
    "logistic on five inputs": ideas.logistic,
    "product until 2026-11, logistic correction by load": ideas.corrected(ideas.weighted_futures),
    "later delivery, last 30, logistic correction by load": ideas.corrected(ideas.resampled(ideas.later(30))),
}
COUNTING = ("velocity, last 10", "later delivery, last 10", "later delivery, last 30", PAST_PRODUCT, PRODUCT)
TITLES = {"brier": "Brier score", "nmae": "NMAE", "coverage_80": "Share of outcomes in the band"}
Moments = dict[str, list[Judged]]


def main(file: Path) -> None:
    """Print all tables of a file."""
    at_moments = {
        moment: [case for case in cases(file, moment, first_block=0) if case.earlier] for moment in MOMENTS
    }
    by_idea = {name: _judge(at_moments, _unfitted(idea)) for name, idea in IDEAS.items()}
    by_idea |= {name: _judge(at_moments, regression) for name, regression in REGRESSIONS.items()}
    for name, title in TITLES.items():
        _print_scores(title, SCORES[name], by_idea)
    _print_differences(by_idea)
    _print_tables(by_idea[PRODUCT])


def made_up() -> None:
    """Print the scores on made-up boards."""
    with TemporaryDirectory() as directory:
        files = {file.stem: file for file in boards.write(Path(directory))}
        print("\nBrier score on made-up boards, at 30 / 50 / 80 %\n")
        _print_head("idea", files)
        for name in COUNTING:
            print(f"| {name} |", " | ".join(_made_up_cell(file, IDEAS[name]) for file in files.values()), "|")


def _made_up_cell(file: Path, idea: Forecaster) -> str:
    judged = [judge(list(_extremes(cases(file, moment))), idea) for moment in MOMENTS[1:]]
    return " / ".join(_written(brier(of_moment)) for of_moment in judged)


def _extremes(of_set: Iterable[Case]) -> Iterable[Case]:
    """Cases that are not regular for their team: whether a regular one finishes, its noise decides."""
    return (case for case in of_set if case.sprint.kind != "regular")


def _unfitted(idea: Forecaster) -> Callable[[Sequence[Case]], Forecaster]:
    return lambda _: idea


def _judge(
    at_moments: Mapping[str, Sequence[Case]], forecaster_of: Callable[[Sequence[Case]], Forecaster]
) -> Moments:
    """Judge a forecaster at each moment; it may be fitted on earlier blocks, the training blocks too."""
    return {
        moment: judge([case for case in of_moment if case.block >= TRAINING], forecaster_of(of_moment))
        for moment, of_moment in at_moments.items()
    }


def _print_scores(title: str, score: Score, by_idea: Mapping[str, Moments]) -> None:
    print(f"\n{title}: all (blocks 3–6 / 7–10)\n")
    _print_head("idea", (f"{moment} %" for moment in MOMENTS))
    for name, moments in by_idea.items():
        print(f"| {name} |", " | ".join(_three(score, moments[moment]) for moment in MOMENTS), "|")


def _print_head(first: str, columns: Iterable[str]) -> None:
    titles = list(columns)
    print(f"| {first} |", " | ".join(titles), "|\n|:--|" + "--:|" * len(titles))


def _three(score: Score, judged: list[Judged]) -> str:
    early, late = (_written(score(of_blocks)) for of_blocks in by_blocks(judged).values())
    return f"{_written(score(judged))} ({early} / {late})"


def _written(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


def _print_differences(by_idea: Mapping[str, Moments]) -> None:
    """The Brier score less the product's, and the middle 95 % of it when sprints are drawn again."""
    print("\nBrier score less the product's (95 % by bootstrap over sprints)\n")
    _print_head("idea", (f"{moment} %" for moment in MOMENTS))
    best = by_idea[PRODUCT]
    for name, moments in by_idea.items():
        if name != PRODUCT:
            print(f"| {name} |", " | ".join(_difference(moments[m], best[m]) for m in MOMENTS), "|")


def _difference(judged: list[Judged], best: list[Judged]) -> str:
    pairs = zip(judged, best, strict=True)
    gaps = np.array(
        [idea.squared - product.squared for idea, product in pairs if idea.case.has_chance], float
    )
    if not len(gaps):
        return "–"
    drawn = np.random.default_rng(0).integers(len(gaps), size=(ROUNDS, len(gaps)))
    low, high = np.percentile(gaps[drawn].mean(axis=1), [2.5, 97.5])
    return f"{gaps.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def _print_tables(moments: Moments) -> None:
    """How often the product's chances came true, by tenth of the chance and by load."""
    together = [item for of_moment in moments.values() for item in of_moment]
    print("\nHow often the product's chances came true, all moments\n")
    _print_head("said, in 10", ("on average", "came true", "n", "off by too much"))
    for cell in calibration_table(together):
        off = f"{cell.gap:+.2f}" if cell.is_miss else ""
        print(f"| {cell.label} | {cell.chance:.2f} | {cell.happened:.2f} | {cell.n} | {off} |")
    print("\nBy open work ÷ the most delivered after the same point: said / happened (n); bold is off\n")
    _print_head("load", (f"{moment} %" for moment in MOMENTS))
    tables = {m: {cell.label: cell for cell in load_table(judged)} for m, judged in moments.items()}
    for label in dict.fromkeys(label for table in tables.values() for label in table):
        print(f"| {label} |", " | ".join(_load_cell(tables[m].get(label)) for m in MOMENTS), "|")


def _load_cell(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    text = f"{cell.chance:.2f} / {cell.happened:.2f}"
    return f"**{text}** ({cell.n})" if cell.is_miss else f"{text} ({cell.n})"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/forecast/compare.py FILE.csv | --made-up")
    if sys.argv[1] == "--made-up":
        made_up()
    else:
        main(Path(sys.argv[1]))
