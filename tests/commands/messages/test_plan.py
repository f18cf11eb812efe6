"""Texts that compare a sprint's load with the team's usual one."""

from dataclasses import replace
from decimal import Decimal

import pytest

from commands.messages.plan import LoadComparison, count_working_days, plan_text
from sprints.facts import Amount
from sprints.velocity import SprintOutcome, compute_velocity
from tests.support.builders import Box, Card
from tests.support.report_sheets import EARLIER_OUTCOMES, make_box, make_planned_card, make_points_outcome


def plan(
    *cards: Card,
    outcomes: list[SprintOutcome] = EARLIER_OUTCOMES,
    as_of: str = "11-13 12:00",
    frame: Box | None = None,
) -> LoadComparison:
    usual = compute_velocity(outcomes)
    points = usual if usual.unit == "points" else None
    return LoadComparison(
        (frame or make_box()).facts(*cards, as_of=as_of),
        compute_velocity(outcomes, "count"),
        points,
        [10, 10, 10, 10],
    )


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        (
            25,
            "**Overloaded:** 25 points planned, 4.5 points more than the median of the last 4 sprints, 20.5 points, and more than in any of those sprints.",
        ),
        (
            24,
            "**A stretch:** 24 points planned, 3.5 points more than the median of the last 4 sprints, 20.5 points.",
        ),
        (
            18,
            "**It fits:** 18 points planned, 2.5 points less than the median of the last 4 sprints, 20.5 points.",
        ),
    ],
)
def test_the_verdict_leads(points: int, verdict: str) -> None:
    parts = plan_text(plan(make_planned_card(1, points))).split("\n\n")

    assert parts[:2] == ["### Sprint 12 · plan", "16 Nov 2026 – 27 Nov 2026 · 10 working days · planned"]
    assert parts[3] == verdict


def test_exactly_the_median() -> None:
    outcomes = [make_points_outcome(number, 20) for number in range(1, 4)]

    assert (
        "**It fits:** 20 points planned, as much as the median of the last 3 sprints, 20 points."
        in plan_text(plan(make_planned_card(1, 20), outcomes=outcomes))
    )


def test_both_units_stand_in_the_table() -> None:
    assert (
        "|  | Points | Items |\n| :-- | --: | --: |\n| **Planned** | 25 | 2 |\n"
        "| Velocity, median of 4 | 20.5 | 3 |\n| Least – most | 18 – 24 | 3 – 3 |\n| Planned − median | +4.5 | −1 |"
    ) in plan_text(plan(make_planned_card(1, 20), make_planned_card(2)))


def test_too_few_sprints_give_no_verdict() -> None:
    text = plan_text(plan(make_planned_card(1), outcomes=EARLIER_OUTCOMES[:2]))

    assert "**5 points planned.** Only 2 sprints have ended so far; I need three to compare." in text
    assert "Velocity" not in text
    assert "Only 1 sprint has ended" in plan_text(plan(make_planned_card(1), outcomes=EARLIER_OUTCOMES[:1]))
    assert "No sprint has ended yet to compare with." in plan_text(plan(make_planned_card(1), outcomes=[]))


def test_where_the_past_is_not_estimated_items_are_compared() -> None:
    outcomes = [*EARLIER_OUTCOMES[:2], make_points_outcome(3, 0, "count")]
    text = plan_text(plan(make_planned_card(1), outcomes=outcomes))

    assert "**It fits:** 1 item planned, 2 items less than" in text
    assert "| Velocity, median of 3 | – | 3 |" in text


def test_where_the_plan_is_not_estimated_items_are_compared() -> None:
    text = plan_text(plan(make_planned_card(1, None), make_planned_card(2)))

    assert "2 items planned" in text
    assert "**1 item is not estimated** and worth 0 points here: #1." in text


def test_what_may_still_come_over() -> None:
    before = Box("11-01", milestone=502, number=11, title="Sprint 11", due="2026-11-13").sprint("11-13")
    text = plan_text(replace(plan(make_planned_card(1)), before=before, open_before=Amount(Decimal(8), 3)))

    assert (
        "Sprint 11 still holds 8 points in 3 items that are open. If all of it moved here, this would be 13 points in 4 items."
        in text
    )


def test_a_shorter_sprint_says_so() -> None:
    short = make_box(due="2026-11-20")

    assert (
        "It has **fewer working days** than usual: 5; the median of the sprints compared is 10."
        in plan_text(plan(make_planned_card(1), frame=short))
    )
    assert "working days** than" not in plan_text(plan(make_planned_card(1)))


def test_the_largest_comes_first_in_the_list() -> None:
    text = plan_text(plan(make_planned_card(1, 2), make_planned_card(2, 8), make_planned_card(3, None)))

    assert (
        "<summary>Planned: 10 points in 3 items</summary>\n\n- #2 · 8 points\n- #1 · 2 points\n- #3 · not estimated"
        in text
    )


def test_an_empty_one() -> None:
    assert 'It is empty. Add items with `/sprint add #1 #2 for:"Sprint 12"`.' in plan_text(plan())


def test_without_a_due_date() -> None:
    frame = make_box(due=None)

    assert "16 Nov 2026 – no due date · planned" in plan_text(plan(make_planned_card(1), frame=frame))
    assert count_working_days(frame.sprint()) is None
