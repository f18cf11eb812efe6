"""Work done late, and counted for the sprint after all."""

from decimal import Decimal

import pytest

from sprints.facts import Amount
from sprints.late import LateCredit, apply_credits, convert_credit, parse_credits, select_late_items
from sprints.velocity import compute_outcome
from tests.support.builders import SPRINT, Box, Card, at

BOX = Box("11-10", due="2026-11-27", start="11-16")


def card(number: int, points: int = 5) -> Card:
    return Card(number).opened("11-10", f"points: {points}").joined("11-12")


CARDS = [
    card(1).closed("11-20"),
    card(2, 3).closed("11-28 09:00"),
    card(3, 2).closed("11-29 09:00"),
    card(4).dropped("11-28 09:00"),
    Card(5).opened("11-10", "points: 8").joined("11-28").closed("11-28 10:00"),
    card(6),
]


@pytest.mark.parametrize(("days", "numbers"), [(0, []), (1, [2]), (2, [2, 3]), (3, [2, 3])])
def test_what_was_open_at_the_end_and_done_within_so_many_days(days: int, numbers: list[int]) -> None:
    facts = BOX.facts(*CARDS, as_of="12-01")

    assert [item.number for item in select_late_items(facts, days, at("12-01"))] == numbers


def test_nothing_is_late_in_a_sprint_without_an_end() -> None:
    assert select_late_items(Box("11-10").facts(card(1).closed("11-20"), as_of="12-01"), 3, at("12-01")) == ()


def test_a_credit_survives_its_way_through_the_settings() -> None:
    facts = BOX.facts(*CARDS, as_of="12-01")
    data = convert_credit(select_late_items(facts, 2, at("12-01")))

    assert parse_credits({str(SPRINT): data}) == {SPRINT: LateCredit(Amount(Decimal(5), 2), (2, 3))}


@pytest.mark.parametrize(
    "value", [None, [], "late", {"x": {}}, {"1": None}, {"1": {"points": "?", "count": 1, "items": []}}]
)
def test_what_cannot_be_read_is_passed_over(value: object) -> None:
    assert parse_credits(value) == {}


def test_a_credit_adds_to_what_was_completed_and_to_nothing_else() -> None:
    outcome = compute_outcome(BOX.facts(*CARDS, as_of="12-05"))
    credit = LateCredit(Amount(Decimal(5), 2), (2, 3))
    (after,) = apply_credits([outcome], {SPRINT: credit})

    assert after.completed == outcome.completed + credit.amount
    assert (after.kept, after.committed, after.late) == (outcome.kept, outcome.committed, outcome.late)
    assert apply_credits([outcome], {1: credit}) == [outcome]
