"""Advice on what to take out of a sprint: only items that help, as a team would choose."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import pytest

from commands.messages.forecast_sentences import swap_sentence
from sprints.facts import Facts
from sprints.forecast import Basis, Forecast
from sprints.forecast_amounts import Band
from sprints.outlook import Outlook
from tests.support.builders import Box, Card


@dataclass(frozen=True)
class KnownOutlook:
    """An outlook whose chances are given, by how many items are open."""

    facts: Facts
    unit: str
    chances: Mapping[int, float]

    def chance_of(self, facts: Facts) -> float:
        return self.chances[facts.remaining.count]


def advice(
    points: list[int | None], chances: Mapping[int, float], unit: str = "points", done: int = 1
) -> str:
    cards = [
        Card(n).opened("11-02", *([] if size is None else [f"points: {size}"])).joined("11-03")
        for n, size in enumerate(points, start=1)
    ]
    finished = [
        Card(90 + n).opened("11-02", "points: 1").joined("11-03").closed("11-10") for n in range(done)
    ]
    facts = Box("11-02", start="11-09", due="2026-11-13").facts(*cards, *finished, as_of="11-11 12:00")
    outlook = KnownOutlook(facts, unit, chances)
    band = Band(0, 0, 0, 0, 0)
    forecast = Forecast(chances[len(points)], None, band, Basis.OWN, 9, 0, 0)
    return swap_sentence(cast(Outlook, outlook), forecast)


@pytest.mark.parametrize(
    ("points", "unit", "chances", "sentence"),
    [
        (
            [3, 8, 2],
            "points",
            {3: 0.3, 2: 0.6},
            "Taking out #2, the largest open item, would make it 6 in 10.",
        ),
        (
            [3, 8, 8],
            "points",
            {3: 0.3, 2: 0.6},
            "Taking out #2, one of the largest open items, would make it 6 in 10.",
        ),
        (
            [3, 8, 8],
            "points",
            {3: 0.3, 2: 0.35, 1: 0.7},
            "Taking out #2 and #3, the two largest open items, would make it 7 in 10.",
        ),
        (
            [3, 8, 8, 8],
            "points",
            {4: 0.3, 3: 0.35, 2: 0.7},
            "Taking out #2 and #3, two of the largest open items, would make it 7 in 10.",
        ),
        (
            [None, None, None],
            "count",
            {3: 0.3, 2: 0.6},
            "Taking out #1, for example, would make it 6 in 10.",
        ),
        (
            [None, 5, None],
            "count",
            {3: 0.3, 2: 0.6},
            "Taking out #2, the largest open item, would make it 6 in 10.",
        ),
        # It does not help, or there is nothing to help.
        ([3, 8, 2], "points", {3: 0.3, 2: 0.35, 1: 0.39}, ""),
        ([3, 8, 2], "points", {3: 0.95, 2: 0.99, 1: 0.99}, ""),
        ([3, 8, 2], "points", {3: 0.0, 2: 0.0, 1: 0.0}, ""),
        # It would empty the sprint.
        ([8], "points", {1: 0.3, 0: 1.0}, ""),
        ([8, 5], "points", {2: 0.3, 1: 0.35, 0: 1.0}, ""),
        ([None], "count", {1: 0.3, 0: 1.0}, ""),
    ],
)
def test_only_advice_that_helps_is_given(
    points: list[int | None], unit: str, chances: dict[int, float], sentence: str
) -> None:
    assert advice(points, chances, unit) == sentence


def test_a_sub_issue_whose_parent_would_count_instead_is_no_advice() -> None:
    parent = Card(1).opened("11-02", "points: 8").joined("11-03")
    child = Card(2).opened("11-02", "points: 8").joined("11-03").put_under("11-04", parent)
    other = Card(3).opened("11-02", "points: 1").joined("11-03")
    facts = Box("11-02", start="11-09", due="2026-11-13").facts(parent, child, other, as_of="11-11 12:00")
    assert facts.remaining.points == Decimal(9)
    outlook = KnownOutlook(facts, "points", {2: 0.3, 1: 0.9})
    forecast = Forecast(0.3, None, Band(0, 0, 0, 0, 0), Basis.OWN, 9, 0, 0)

    assert swap_sentence(cast(Outlook, outlook), forecast) == ""
