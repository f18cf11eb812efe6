"""Estimates: labels that state points, and those that only look as if they did."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.estimates import DEFAULT_ESTIMATES, Estimates
from tests.support.builders import Box, Card


@pytest.mark.parametrize(
    ("label", "points"),
    [
        ("points: 5", "5"),
        ("points:5", "5"),
        ("Points: 5", "5"),
        ("POINTS 5", "5"),
        ("point: 1", "1"),
        ("story points: 8", "8"),
        ("story-points/8", "8"),
        ("story_points=8", "8"),
        ("storypoints-8", "8"),
        ("sp/5", "5"),
        ("sp: 5", "5"),
        ("SP-13", "13"),
        ("pts 3", "3"),
        ("pt: 3", "3"),
        ("estimate: 2", "2"),
        ("5 points", "5"),
        ("1 point", "1"),
        ("5pts", "5"),
        ("0.5 pts", "0.5"),
        ("points: 0.25", "0.25"),
        ("points: 0,5", "0.5"),
        ("points: 0", "0"),
        ("  points: 5  ", "5"),
        ("points: 9999", "9999"),
        ("5-points", "5"),
        ("3-pts", "3"),
        ("3_pts", "3"),
        ("8/sp", "8"),
        ("5 SP", "5"),
        ("SP5", "5"),
        ("5-story-points", "5"),
        ("points: .5", "0.5"),
        (",5 points", "0.5"),
        (".25-pts", "0.25"),
        ("½", "0.5"),
        ("1½", "1.5"),
        ("¼ points", "0.25"),
        ("points: 2 ¾", "2.75"),
    ],
)
def test_a_label_states_points(label: str, points: str) -> None:
    assert DEFAULT_ESTIMATES.points_of(label) == Decimal(points)


@pytest.mark.parametrize(
    "label",
    [
        "",
        "5",
        "bug",
        "points",
        "points:",
        "points: many",
        "points: five",
        "points: -1",
        "points: +1",
        "points: 1e3",
        "points: 5.",
        "2fa",
        "http-500",
        "sprint-5",
        "3-tier",
        "24h",
        "5 p",
        "p 5",
        "v1.5",
        "½ day",
        "points: ½½",
        "1 of 2 points open",
        "5-",
        "-points",
        "12-factor",
        "5 sprints",
        "5-spam",
        "top-10",
        "q3",
        "points: 1.234",
        "points: 12345",
        "points: 5 or 8",
        "points: 3-5",
        "checkpoint 3",
        "checkpoints: 3",
        "5 points of contact",
        "endpoints: 4",
        "3 endpoints",
        "needs points: 5",
        "sprint 5",
        "size: 5",
        "P1",
        "priority: 1",
        "v5",
        "spike 2",
    ],
)
def test_other_text_states_none(label: str) -> None:
    assert DEFAULT_ESTIMATES.points_of(label) is None


def test_of_several_labels_the_last_wins() -> None:
    assert DEFAULT_ESTIMATES.of(["points: 3", "bug", "points: 8", "checkpoint 1"]) == 8


def test_no_label_with_points_is_no_estimate() -> None:
    assert DEFAULT_ESTIMATES.of(["bug"]) is None


def test_zero_is_an_estimate() -> None:
    facts = Box(start="11-16").facts(Card().opened("11-10", "points: 0").joined("11-12"))

    assert facts.items[0].points == 0
    assert facts.unit == "points"


def test_without_the_last_label_the_one_before_counts_again() -> None:
    card = Card().opened("11-10", "points: 3").joined("11-12").labeled("11-17", "points: 8")
    box = Box(start="11-16", due="2026-11-27")

    assert box.facts(card, as_of="11-18").scope.points == 8
    assert box.facts(card.unlabeled("11-19", "points: 8")).scope.points == 3


def test_two_labels_swapped_in_a_second_are_swapped_whichever_delivery_comes_first() -> None:
    card = Card().opened("11-10", "points: 3").joined("11-12")
    card.labeled("11-17", "points: 8").unlabeled("11-17", "points: 3")

    assert Box(start="11-16").facts(card).scope.points == 8


@pytest.mark.parametrize(
    ("template", "label", "points"),
    [
        ("effort {points}", "Effort 3", "3"),
        ("effort {points}", "effort3", "3"),
        ("effort {points}", "points: 3", None),
        ("T {size}", "t-M", None),
        ("T {size}", "T m", "5"),
        ("T {size}", "T L", None),
        ("[{points}]", "[8]", "8"),
        ("{points}", "0,5", "0.5"),
        ("effort", "effort", None),
        ("", "", None),
    ],
)
def test_a_team_s_own_labels(template: str, label: str, points: str | None) -> None:
    own = Estimates({"M": Decimal(5)}, (template,))

    assert own.points_of(label) == (Decimal(points) if points else None)


@pytest.mark.timeout(10)
def test_a_template_full_of_spaces_takes_no_time() -> None:
    assert Estimates(templates=(f"a{' ' * 1000}{{points}}",)).points_of(f"a{' ' * 48}x") is None


@given(st.text(max_size=40))
def test_any_label_can_be_read(label: str) -> None:
    points = DEFAULT_ESTIMATES.points_of(label)

    assert points is None or 0 <= points < 10_000
