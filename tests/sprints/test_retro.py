"""What stood out in a sprint."""

from dataclasses import replace
from datetime import timedelta

from sprints.flows import build_flows
from sprints.numbering import Number
from sprints.plain import convert_facts
from sprints.report import build_report
from sprints.retro import RetroEvidence, Topic, collect_evidence
from sprints.rules import Rules
from tests.support.builders import Box, at
from tests.support.flow_cards import FlowCard

BOX = Box("11-10", due="2026-11-27", start="11-16")
END = "11-28"


def card(number: int = 1, points: int = 3) -> FlowCard:
    return FlowCard(number).opened("11-10", f"points: {points}").joined("11-12")


def said(
    card: FlowCard, event: str, when: str, named: str | None = None, reason: str | None = None
) -> FlowCard:
    card._named(event, when, "")
    card.events[-1] = replace(card.events[-1], named=named, reason=reason)
    return card


def evidence(
    *cards: FlowCard, until: str = END, crossed: dict[Number, int] | None = None
) -> dict[Topic, list[RetroEvidence]]:
    events = {entry.id: entry.events for entry in cards}
    facts, later = BOX.facts(*cards, as_of=until), BOX.facts(*cards, as_of="12-05")
    report = build_report(convert_facts(facts) | {"late": convert_facts(later)["late"]}, is_over=until == END)
    flows = build_flows(events, at(until), Rules())
    done_at = {
        flow.number: flow.done_at for flow in build_flows(events, at("12-05"), Rules()) if flow.done_at
    }
    return collect_evidence(facts, report, flows, crossed or {}, done_at)


def days(count: int) -> timedelta:
    return timedelta(days=count)


def test_nothing_stands_out() -> None:
    assert evidence(card().started("11-18").closed("11-18 12:00")) == {}


def test_the_oldest_first() -> None:
    result = evidence(card(1).started("11-18").closed("11-20"), card(2).started("11-17"))

    assert result == {
        Topic.OLDEST: [
            RetroEvidence(Topic.OLDEST, 2, days(11), days=11, is_over=False),
            RetroEvidence(Topic.OLDEST, 1, days(2), days=3),
        ]
    }


def test_blocked_with_its_reason_and_its_blocker() -> None:
    other = FlowCard(7).opened("11-10")
    blocked = said(card(), "blocked", "11-14", other.id)
    said(said(blocked, "blocked", "11-17", None, "no test account"), "unblocked", "11-19", other.id)

    assert evidence(blocked, other)[Topic.BLOCKED] == [
        RetroEvidence(Topic.BLOCKED, 1, days(12), reason="no test account", by=(7,), is_over=False)
    ]


def test_reopened() -> None:
    result = evidence(
        card().closed("11-17").reopened("11-18"), card(2).closed("11-17").reopened("11-18").closed("11-19")
    )

    assert result[Topic.REOPENED] == [
        RetroEvidence(Topic.REOPENED, 1, count=1, is_over=False),
        RetroEvidence(Topic.REOPENED, 2, count=1),
    ]


def test_reopened_before_the_sprint_or_after_it_is_not_its_matter() -> None:
    assert Topic.REOPENED not in evidence(
        card().closed("11-13").reopened("11-14"), card(2).closed("11-20").reopened("11-29")
    )


def test_added_late_and_done_late() -> None:
    added = FlowCard(3).opened("11-10").joined("11-20").closed("11-24")
    result = evidence(card().closed("11-29 12:00"), added)

    assert result[Topic.LATE] == [
        RetroEvidence(Topic.LATE, 1, timedelta(days=1, hours=12)),
        RetroEvidence(Topic.LATE, 3, at=at("11-20")),
    ]


def test_carried_more_than_once() -> None:
    assert evidence(card(1), card(2), card(3), crossed={1: 2, 2: 1, 3: 4})[Topic.CARRIED] == [
        RetroEvidence(Topic.CARRIED, 3, count=4, is_over=False),
        RetroEvidence(Topic.CARRIED, 1, count=2, is_over=False),
    ]


def test_what_was_carried_and_is_done_now_is_no_topic() -> None:
    assert Topic.CARRIED not in evidence(card().closed("11-20"), crossed={1: 2})


def test_what_left_the_sprint_is_no_topic_of_it() -> None:
    assert Topic.OLDEST not in evidence(card().started("11-16").left("11-20"))
