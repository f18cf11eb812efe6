"""The events that numbers rest on."""

from collections.abc import Sequence

from hypothesis import given

from sprints.evidence import find_closing_event, find_done_events, find_opening_event, find_start_event
from sprints.evidence import find_joining_events as membership_of
from sprints.history import trace_changes
from sprints.model import ItemEvent, LabelEvent
from tests.support.builders import SPRINT, Card, at, renamed
from tests.support.flow_cards import FlowCard, Repository, flows, repositories


def names(events: Sequence[ItemEvent | LabelEvent]) -> list[str]:
    return [event.event for event in events]


def membership(card: Card, before: str, *labels: LabelEvent) -> list[str]:
    return names(membership_of(trace_changes(card.events, SPRINT, labels=labels), at(before)))


def test_how_it_came_in_and_got_its_estimate() -> None:
    card = Card().opened("11-10").joined("11-12").labeled("11-13", "points: 5")

    assert membership(card, "11-11") == []
    assert membership(card, "11-13") == ["milestoned"]
    assert membership(card, "11-14") == ["milestoned", "labeled"]


def test_an_opening_may_be_both_and_is_reported_once() -> None:
    assert membership(Card().opened("11-10", "points: 5", milestone=SPRINT), "11-20") == ["opened"]


def test_the_last_time_counts() -> None:
    card = Card().opened("11-10", "points: 5").joined("11-11").left("11-12").joined("11-13")
    card.estimated("11-14", 8).estimated("11-15", 8)
    result = membership_of(trace_changes(card.events, SPRINT), at("11-20"))

    assert [(event.event, event.at) for event in result] == [
        ("milestoned", at("11-13")),
        ("labeled", at("11-14")),
    ]


def test_an_estimate_may_come_from_a_label_that_was_renamed() -> None:
    card = Card().opened("11-10", "big").joined("11-11")
    assert membership(card, "11-20", renamed("11-12", "big", "points: 8")) == ["milestoned", "renamed"]


def test_what_made_it_done() -> None:
    card = Card().opened("11-10").joined("11-11").closed("11-12").reopened("11-13").closed("11-14")
    history = trace_changes(card.events, SPRINT)

    assert [event.at for event in find_done_events(history, at("11-20"))] == [at("11-14")]
    assert [event.at for event in find_done_events(history, at("11-13"))] == [at("11-12")]
    assert find_done_events(history, at("11-12")) == []


def test_what_was_done_when_it_joined_rests_on_both() -> None:
    card = Card().opened("11-10").closed("11-12").joined("11-13")
    assert names(find_done_events(trace_changes(card.events, SPRINT), at("11-20"))) == [
        "closed",
        "milestoned",
    ]


def test_what_started_it() -> None:
    by_label = FlowCard(1).opened("11-10").assigned("11-11").labeled("11-12", "WIP").closed("11-14")
    by_pull_request = FlowCard(2).opened("11-10").closed("11-14")
    pull_request = FlowCard(3).proposed("11-13", 2)
    result = flows(by_label, by_pull_request, pull_request)
    events = {card.id: card.events for card in (by_label, by_pull_request, pull_request)}

    started = [find_start_event(result[number], events) for number in (1, 2)]
    assert [(entry.event, entry.item, entry.at) for entry in started if entry] == [
        ("labeled", "item-1", at("11-12")),
        ("opened", "item-3", at("11-13")),
    ]
    closing = find_closing_event(result[1], by_label.events)
    assert closing is not None
    assert closing.event == "closed"


def test_what_nobody_told_has_no_event() -> None:
    card = FlowCard(1).opened("11-10").commented("11-15").first_seen(1)
    flow = flows(card)[1]

    assert find_start_event(flow, {card.id: card.events}) is None
    assert find_closing_event(flow, card.events) is None
    assert find_opening_event(card.events) is None


@given(repositories())
def test_a_dated_start_has_an_event_of_its_moment(repository: Repository) -> None:
    for flow in repository.flows(at("2027-01-01")):
        event = find_start_event(flow, repository.items)
        if flow.started_at is None:
            assert event is None
        elif flow.is_start_dated and event is not None:
            assert flow.started_at in (event.at, event.snapshot.created_at)
