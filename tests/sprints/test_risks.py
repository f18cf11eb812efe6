"""What endangers a sprint."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

from sprints.durations import ServiceLevel
from sprints.facts import Facts
from sprints.flow import Flow
from sprints.flows import build_flows
from sprints.risks import Risk, RiskKind, find_risks
from sprints.rules import Rules
from tests.support.builders import Box, at
from tests.support.flow_cards import FlowCard
from tests.support.sprints_strategies import NOWS, History, histories

NOW = "11-19 12:00"  # A Thursday, in the first of two weeks.


def card(number: int, points: int | None = 2) -> FlowCard:
    labels = [] if points is None else [f"points: {points}"]
    return FlowCard(number).opened("11-10", *labels).joined("11-12")


def found(*cards: FlowCard, **more: object) -> dict[RiskKind, Risk]:
    facts, flows = told(*cards)
    return {risk.kind: risk for risk in find_risks(facts, "points", flows, **more)}  # type: ignore[arg-type]


def told(*cards: FlowCard) -> tuple[Facts, tuple[Flow, ...]]:
    box = Box("11-10 09:00", start="11-16", due="2026-11-27")
    events = {entry.id: entry.events for entry in cards}
    return box.facts(*cards, as_of=NOW), build_flows(events, at(NOW), Rules())


DONE = [card(n).closed(f"11-1{n} 10:00") for n in (6, 7, 8)]


def test_a_calm_sprint_has_none() -> None:
    assert found(*DONE, *(card(n) for n in range(20, 26))) == {}


def test_blocked_work_is_at_stake_with_its_size() -> None:
    risk = found(*DONE, *(card(n) for n in range(20, 25)), card(30, 10).blocked("11-17"))[RiskKind.BLOCKED]

    assert (risk.items, risk.amount, risk.stake) == ((30,), Decimal(10), Decimal("0.5"))


def test_work_in_progress_for_longer_than_usual() -> None:
    cards = [*DONE, *(card(n) for n in range(20, 26)), card(30).assigned("11-12")]
    level = ServiceLevel(85, 7, 20)

    assert found(*cards, level=level)[RiskKind.OLD].items == (30,)
    assert RiskKind.OLD not in found(*cards, level=ServiceLevel(85, 8, 20))
    assert RiskKind.OLD not in found(*cards)


def test_a_large_item_that_nobody_has_begun() -> None:
    others = [card(n) for n in range(20, 25)]

    assert found(*DONE, *others, card(30, 8))[RiskKind.LARGE].items == (30,)
    assert RiskKind.LARGE not in found(*DONE, *others, card(30, 8).assigned("11-18"))


def test_scope_that_has_grown() -> None:
    late = FlowCard(40).opened("11-17", "points: 3").joined("11-17 10:00")
    risk = found(*DONE, *(card(n) for n in range(20, 26)), late)[RiskKind.GROWN]

    assert (risk.items, risk.amount) == ((40,), Decimal(3))


def test_days_without_anything_done() -> None:
    risk = found(card(1).closed("11-16 10:00"), *(card(n) for n in range(20, 26)))[RiskKind.QUIET]

    assert (str(risk.since), risk.days) == ("2026-11-17", 2)
    assert RiskKind.QUIET not in found(card(1).closed("11-17 10:00"), card(2))


@pytest.mark.parametrize(("missing", "is_risk"), [(1, False), (2, True), (8, False)])
def test_missing_estimates_are_a_risk_where_others_are_estimated(missing: int, is_risk: bool) -> None:
    cards = [card(n, None if n < 20 + missing else 2) for n in range(20, 28)]

    assert (RiskKind.UNESTIMATED in found(*DONE, *cards)) is is_risk


def test_what_is_carried_again_and_what_waits_for_review() -> None:
    cards = [*DONE, *(card(n) for n in range(20, 26))]
    since = at(NOW) - timedelta(days=3)
    risks = found(*cards, carries={20: 2, 21: 1, 99: 5}, reviews={22: since, 23: at(NOW)})

    assert risks[RiskKind.CARRIED].items == (20,)
    assert risks[RiskKind.REVIEW].items == (22,)


@given(histories(), NOWS)
@settings(max_examples=60, deadline=None)
def test_risks_are_ranked_and_name_open_items_of_the_sprint(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    risks = find_risks(facts, "points", ())
    members = {item.number for item in facts.items}

    assert [risk.stake for risk in risks] == sorted((risk.stake for risk in risks), reverse=True)
    assert all(0 <= risk.stake <= 1 for risk in risks)
    assert all(set(risk.items) <= members for risk in risks if risk.kind is not RiskKind.GROWN)
