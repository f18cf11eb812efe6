"""A sprint's load beside what the last sprints delivered."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.messages.overload import load_sentence
from commands.messages.plan import LoadComparison, plan_text
from commands.messages.risk import risk_card
from sprints.facts import Facts
from sprints.load import SprintLoad, compare_load
from sprints.velocity import Velocity, compute_velocity
from tests.support.builders import Card
from tests.support.report_sheets import make_box, make_planned_card, make_points_outcome

PAST = [18, 27, 31, 24, 30]
DELIVERED = "the last 5 sprints delivered 27 (median) and at most 31."


def facts_of_sprint(*cards: Card, as_of: str = "11-18 12:00") -> Facts:
    return make_box().facts(*cards, as_of=as_of)


def velocities(values: list[int], unit: str = "points") -> tuple[Velocity, Velocity | None]:
    outcomes = [make_points_outcome(number, value, unit) for number, value in enumerate(values, start=1)]
    usual = compute_velocity(outcomes)
    return compute_velocity(outcomes, "count"), usual if usual.unit == "points" else None


def sentence(facts: Facts, values: list[int] = PAST, unit: str = "points") -> str:
    return load_sentence(compare_load(facts, *velocities(values, unit)))


def late(number: int, points: int) -> Card:
    return Card(number).opened("11-10", f"points: {points}").joined("11-17")


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        (
            [make_planned_card(1, 40)],
            "Committed to 40 points; the last 5 sprints delivered 27 (median) and at most 31.",
        ),
        (
            [make_planned_card(1, 28)],
            "Committed to 28 points; the last 5 sprints delivered 27 (median) and at most 31.",
        ),
        ([make_planned_card(1, 27)], ""),
        ([], ""),
        (
            [make_planned_card(1, 20), late(2, 24)],
            "Committed to 20 points, now 44; the last 5 sprints delivered 27 (median) and at most 31.",
        ),
        (
            [make_planned_card(1, 40), late(2, 4), make_planned_card(3, 5).closed("11-17")],
            f"Committed to 45 points, now 49 with 44 left; {DELIVERED}",
        ),
        (
            [make_planned_card(1, 40), make_planned_card(3, 5).closed("11-17")],
            "Committed to 45 points, 40 left; the last 5 sprints delivered 27 (median) and at most 31.",
        ),
        (
            [late(1, 40)],
            "Nothing committed, and now 40 points; the last 5 sprints delivered 27 (median) and at most 31.",
        ),
        ([make_planned_card(1, 20), make_planned_card(2, 20).left("11-17")], ""),
        ([make_planned_card(1, 40).closed("11-17")], ""),
        ([make_planned_card(1, 31).closed("11-17"), make_planned_card(2, 9)], ""),
    ],
    ids=[
        "above the most",
        "above the median",
        "the median",
        "empty",
        "grown",
        "grown, much left",
        "much left",
        "nothing committed",
        "taken out again",
        "all done",
        "more done than ever",
    ],
)
def test_the_sentence(cards: list[Card], expected: str) -> None:
    assert sentence(facts_of_sprint(*cards)) == expected


def test_before_the_start_it_is_a_plan() -> None:
    facts = facts_of_sprint(make_planned_card(1, 40), as_of="11-13 12:00")

    assert sentence(facts).startswith("40 points planned; the last 5 sprints delivered 27 (median)")


def test_fewer_than_three_sprints_compare_nothing() -> None:
    assert compare_load(facts_of_sprint(make_planned_card(1, 40)), *velocities(PAST[:2])) is None
    assert sentence(facts_of_sprint(make_planned_card(1, 40)), PAST[:2]) == ""


def test_items_are_compared_where_estimates_are_missing() -> None:
    unestimated = [make_planned_card(n, None) for n in range(1, 6)]

    for facts, unit in (
        (facts_of_sprint(*unestimated), "points"),
        (facts_of_sprint(*(make_planned_card(n) for n in range(1, 6))), "count"),
    ):
        assert sentence(facts, PAST, unit) == (
            "Committed to 5 items; the last 5 sprints delivered 3 (median) and at most 3."
        )


CARDS = st.lists(
    st.tuples(st.sampled_from([None, 1, 5, 20]), st.sampled_from(["open", "done", "late"])), max_size=6
)


def built(kinds: list[tuple[int | None, str]]) -> list[Card]:
    cards = []
    for number, (points, kind) in enumerate(kinds, start=1):
        made = late(number, points or 2) if kind == "late" else make_planned_card(number, points)
        cards.append(made.closed("11-17 12:00") if kind == "done" else made)
    return cards


@given(
    CARDS, st.lists(st.integers(0, 60), max_size=8), st.sampled_from(["11-13 12:00", "11-18 12:00", "11-25"])
)
def test_the_plan_calls_too_much_what_the_other_cards_do(
    kinds: list[tuple[int | None, str]], values: list[int], as_of: str
) -> None:
    facts = facts_of_sprint(*built(kinds), as_of=as_of)
    items, points = velocities(values)
    text = plan_text(LoadComparison(facts, items, points))
    is_too_much = "**Overloaded:**" in text or "**A stretch:**" in text

    assert is_too_much == bool(load_sentence(compare_load(facts, items, points)))


@given(CARDS, st.lists(st.integers(0, 60), max_size=8))
def test_a_sprint_that_is_done_is_not_overloaded(
    kinds: list[tuple[int | None, str]], values: list[int]
) -> None:
    facts = facts_of_sprint(*built([(points, "done") for points, _ in kinds]))

    assert sentence(facts, values) == ""


def test_beside_overload_nothing_else_stands_out() -> None:
    facts = facts_of_sprint(make_planned_card(1, 40))
    lead = sentence(facts)

    assert "31.\n\nNothing else stands out: no blocked" in risk_card(
        facts, "points", (), lead, None, has_load=True
    )
    assert "\n\nNothing stands out: no blocked" in risk_card(facts, "points", (), "", None)


def test_left_is_what_is_not_done() -> None:
    load = compare_load(
        facts_of_sprint(make_planned_card(1, 40), make_planned_card(2, 3).closed("11-17")), *velocities(PAST)
    )

    assert isinstance(load, SprintLoad)
    assert [load.scope, load.done, load.left, load.committed] == [*map(Decimal, (43, 3, 40, 43))]
