"""Which lines were crossed: each once, and what time brings on its day or not at all."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.alerts import (
    AlertInputs,
    BlockedItem,
    Crossing,
    DaysLeft,
    ForecastDrop,
    HalfWay,
    ScopeGrowth,
    find_blocked_items,
    find_crossings,
)
from sprints.facts import Facts
from sprints.flows import build_flows
from sprints.rules import Rules
from sprints.settings_parser import parse_settings
from sprints.team_settings import NO_ALERTS, AlertThresholds
from tests.support.builders import Box, Card, at
from tests.support.flow_cards import FlowCard

USUAL = AlertThresholds()


def two_weeks(*more: Card, as_of: str = "11-17 12:00") -> Facts:
    """Ten working days from Monday 16 November; 10 points were committed."""
    committed = Card(1).opened("11-10", "points: 10").joined("11-12")
    return Box("11-10", due="2026-11-27", start="11-16").facts(committed, *more, as_of=as_of)


def joining(points: int, number: int = 2, when: str = "11-17 09:00") -> Card:
    return Card(number).opened("11-10", f"points: {points}").joined(when)


def told(situation: AlertInputs, lines: AlertThresholds = USUAL, *names: str) -> tuple[Crossing, ...]:
    return find_crossings(situation, lines, names)


# Scope


@pytest.mark.parametrize(
    ("points", "expected"),
    [(1, ()), (2, (ScopeGrowth(1),)), (3, (ScopeGrowth(1),)), (5, (ScopeGrowth(2),))],
)
def test_scope_that_has_grown(points: int, expected: tuple[Crossing, ...]) -> None:
    assert told(AlertInputs(two_weeks(joining(points)))) == expected


def test_each_share_is_reported_once_and_smaller_ones_not_afterwards() -> None:
    situation = AlertInputs(two_weeks(joining(5)))
    assert told(situation, USUAL, "scope-1") == (ScopeGrowth(2),)
    assert told(situation, USUAL, "scope-2") == ()
    assert told(AlertInputs(two_weeks(joining(3))), USUAL, "scope-2") == ()


def test_growth_is_reported_in_growing_steps() -> None:
    """What grows by a tenth of the commitment at a time is told of less and less often."""
    names = list[str]()
    for points in range(1, 102):
        names += [entry.name for entry in told(AlertInputs(two_weeks(joining(points))), USUAL, *names)]
    assert names == [f"scope-{times}" for times in (1, 2, 4, 8, 16, 32)]


@pytest.mark.parametrize("share", ["scope-3", "scope-5"])
def test_what_was_reported_in_equal_steps_by_an_earlier_version_counts(share: str) -> None:
    assert told(AlertInputs(two_weeks(joining(5))), USUAL, share) == ()
    assert told(AlertInputs(two_weeks(joining(16))), USUAL, share) == (ScopeGrowth(8),)


def test_without_a_commitment_nothing_has_grown() -> None:
    facts = Box("11-10", due="2026-11-27", start="11-16").facts(joining(5), as_of="11-17 12:00")
    assert told(AlertInputs(facts)) == ()


# Forecast


@pytest.mark.parametrize(
    ("chance", "was_hopeful", "is_told"),
    [(0.29, True, True), (0.3, True, False), (0.29, False, False), (None, True, False)],
)
def test_the_forecast_leaves_the_due_date(chance: float | None, was_hopeful: bool, is_told: bool) -> None:
    result = told(AlertInputs(two_weeks(), chance, was_hopeful))
    assert bool(result) is is_told
    assert all(isinstance(entry, ForecastDrop) for entry in result)


def test_it_is_reported_once() -> None:
    assert told(AlertInputs(two_weeks(), 0.1, was_hopeful=True), USUAL, "forecast") == ()


# Blocked


def test_blocked_for_three_working_days() -> None:
    blocker = Card(9).opened("11-10")
    card = FlowCard(1).opened("11-10", "points: 5").joined("11-12")
    assert isinstance(card, FlowCard)
    card.blocked("11-19 10:00", blocker)
    box = Box("11-10", due="2026-11-27", start="11-16")
    for as_of, days in (("11-23 12:00", 2), ("11-24 00:01", 3)):  # A weekend lies between.
        facts = box.facts(card, as_of=as_of)
        flows = build_flows({entry.id: entry.events for entry in (card, blocker)}, at(as_of), Rules())
        blocked = find_blocked_items(facts, flows)
        assert blocked == (BlockedItem(1, days, (9,)),)
        result = told(AlertInputs(facts, blocked=blocked), AlertThresholds(half_way=False))
        assert result == (blocked if days == 3 else ())
        assert told(AlertInputs(facts, blocked=blocked), AlertThresholds(half_way=False), "blocked-1") == ()


def test_blocked_work_elsewhere_is_not_ours() -> None:
    card = FlowCard(7).opened("11-10").blocked("11-11")
    assert find_blocked_items(two_weeks(), build_flows({card.id: card.events}, at("11-20"), Rules())) == ()


# By the calendar


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("11-20 12:00", ()),  # Friday of the first week: six working days with it.
        ("11-21 12:00", ()),  # A day off.
        ("11-23 06:00", (HalfWay(5),)),
        ("11-24 12:00", (HalfWay(4),)),
        ("11-25 12:00", ()),  # Nobody needs to hear it late.
        ("11-26 09:00", (DaysLeft(2),)),
        ("11-27 09:00", (DaysLeft(1),)),
        ("11-28 09:00", ()),
    ],
)
def test_half_way_and_the_last_days(as_of: str, expected: tuple[Crossing, ...]) -> None:
    assert told(AlertInputs(two_weeks(as_of=as_of))) == expected


def test_a_week_has_both() -> None:
    box = Box("11-10", due="2026-11-20", start="11-16")
    card = Card(1).opened("11-10", "points: 10").joined("11-12")
    result = [told(AlertInputs(box.facts(card, as_of=f"11-{day} 09:00"))) for day in range(16, 21)]
    assert result == [(), (), (HalfWay(3),), (DaysLeft(2),), (DaysLeft(1),)]


def test_a_sprint_of_three_days_needs_no_reminder() -> None:
    box = Box("11-10", due="2026-11-18", start="11-16")
    card = Card(1).opened("11-10", "points: 10").joined("11-12")
    assert not [entry for day in (16, 17, 18) for entry in told(AlertInputs(box.facts(card, as_of=f"11-{day} 09:00")))]  # fmt: skip


def test_when_all_is_done_there_is_nothing_to_remind_of() -> None:
    card = Card(1).opened("11-10", "points: 10").joined("11-12").closed("11-17")
    facts = Box("11-10", due="2026-11-27", start="11-16").facts(card, as_of="11-26 09:00")
    assert told(AlertInputs(facts)) == ()


@pytest.mark.parametrize("as_of", ["11-13 12:00", "11-28 12:00", "12-05 12:00"])
def test_before_the_start_and_after_the_end_nothing_is_crossed(as_of: str) -> None:
    situation = AlertInputs(two_weeks(joining(50), as_of=as_of), 0.1, True, (BlockedItem(1, 9),))
    assert told(situation) == ()


# Settings


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        (None, USUAL),
        ("off", NO_ALERTS),
        (False, NO_ALERTS),
        (
            {"scope": 50, "blocked": 5, "forecast": 2, "days_left": 1},
            AlertThresholds(50, 0.2, 5, days_left=1),
        ),
        (
            {"scope": "off", "forecast": False, "blocked": "off", "half_way": False, "days_left": "off"},
            NO_ALERTS,
        ),
        ({"scope": "much", "blocked": -1, "forecast": True, "half_way": 7, "days_left": [2]}, USUAL),
        (["scope"], USUAL),
    ],
)
def test_each_line_can_be_moved_or_taken_away(alerts: Any, expected: AlertThresholds) -> None:
    assert parse_settings({"alerts": alerts}).alerts == expected


def test_nothing_is_crossed_where_there_are_no_lines() -> None:
    facts = two_weeks(joining(50), as_of="11-26 09:00")
    assert told(AlertInputs(facts, 0.01, was_hopeful=True, blocked=(BlockedItem(1, 99),)), NO_ALERTS) == ()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 9), max_size=12), st.floats(0, 1), st.booleans())
def test_whatever_happens_nothing_is_reported_twice_and_a_calm_sprint_hears_two_things(
    added: list[int], chance: float, was_hopeful: bool
) -> None:
    """Day by day, a sprint is looked at twice; what was told is remembered."""
    names, count = list[str](), 0
    cards = [joining(points, 2 + n, f"11-{17 + n} 10:00") for n, points in enumerate(added)]
    for day in range(14):
        for hour in (9, 15):
            moment = at("11-16") + timedelta(days=day, hours=hour)
            facts = two_weeks(*cards, as_of=moment.isoformat())
            result = told(AlertInputs(facts, chance, was_hopeful), USUAL, *names)
            names += [entry.name for entry in result]
            count += len(result)
    assert len(set(names)) == len(names)
    is_calm = sum(added) < 2 and (chance >= 0.3 or not was_hopeful)
    assert not is_calm or count == 2
