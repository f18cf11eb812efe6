"""A team's own rule of what is done: labels instead of closing and merging."""

from datetime import datetime

from hypothesis import given, settings

from sprints.cumulative_flow import count_cumulative_flow
from sprints.estimates import Estimates
from sprints.fact_folding import compute_facts
from sprints.facts import Facts, ScopeCause
from sprints.flows import build_flows
from sprints.history import state_at, trace_changes
from sprints.model import State
from sprints.rules import Rules
from sprints.settings_parser import parse_settings
from tests.support.builders import SPRINT, Box, Card, at, label_deleted, renamed
from tests.support.sprints_reference import World, borne, state_told
from tests.support.sprints_strategies import NOWS, History, histories

RULE = Estimates(done_labels=frozenset({"verified"}))


def facts(*cards: Card, as_of: str = "12-31") -> Facts:
    box = Box("11-10 09:00", start="11-16", due="2026-11-27")
    return box.facts(*cards, as_of=as_of, estimates=RULE)


def card(number: int = 1) -> Card:
    return Card(number).opened("11-10 10:00", "points: 5").joined("11-12 09:00")


def test_the_settings_name_the_labels() -> None:
    assert parse_settings({"done_labels": ["Verified"]}).rules.estimates.done_labels == {"verified"}
    assert parse_settings({}).rules.estimates.done_labels == frozenset()


def test_closed_is_not_done_until_it_is_verified() -> None:
    closed = card().closed("11-18")
    assert (facts(closed).done.count, facts(closed).remaining.count) == (0, 1)
    verified = card().closed("11-18").labeled("11-20 15:00", "Verified")
    (item,) = facts(verified).done_items
    assert item.done_at == at("11-20 15:00")


def test_the_label_alone_is_enough_and_its_going_opens_the_item_again() -> None:
    assert facts(card().labeled("11-18", "verified")).done.count == 1
    back = facts(card().labeled("11-18", "verified").unlabeled("11-19", "verified"))
    assert (back.done.count, back.items[0].reopened) == (0, 1)


def test_what_was_given_up_is_dropped_whatever_it_bears() -> None:
    result = facts(card().labeled("11-18", "verified").dropped("11-19"))
    assert (result.done.count, result.total(ScopeCause.DROPPED).count) == (0, 1)


def test_done_before_the_sprint_it_is_outside() -> None:
    assert facts(card().labeled("11-13", "verified")).items[0].state == "done_before_start"


def test_a_label_that_is_renamed_or_deleted_says_nothing_any_more() -> None:
    events = {entry.id: entry.events for entry in [card().labeled("11-18", "verified")]}
    sprint = Box("11-10 09:00", start="11-16", due="2026-11-27").sprint("12-31")
    for label in (renamed("11-19", "verified", "checked"), label_deleted("11-19", "verified")):
        assert compute_facts(sprint, events, at("12-31"), RULE, [label]).done.count == 0
    named = renamed("11-19", "checked", "verified")
    other = {entry.id: entry.events for entry in [card().labeled("11-18", "checked")]}
    assert compute_facts(sprint, other, at("12-31"), RULE, [named]).done_items[0].done_at == at("11-19")


def test_its_estimate_is_frozen_while_it_bears_the_label() -> None:
    result = facts(card().labeled("11-18", "verified").labeled("11-19", "points: 8"))
    assert result.done.points == 5


def test_flow_ends_with_the_label_as_well() -> None:
    entry = card().closed("11-18").labeled("11-20", "verified")
    (flow,) = build_flows({entry.id: entry.events}, at("12-31"), Rules(estimates=RULE))
    assert flow.done_at == at("11-20")
    day = at("11-19").date()
    result = count_cumulative_flow([flow], Rules().calendar, day, day)
    assert (result.days[0].done, result.days[0].arrived) == (0, 1)


@given(histories(), NOWS)
@settings(max_examples=150)
def test_an_item_is_done_exactly_while_it_bears_one(history: History, now: datetime) -> None:
    """As the reference tells, which reads labels in a way of its own."""
    rule = Estimates(done_labels=frozenset({"bug"}))
    world = World(SPRINT, now, history.items, history.labels, {})
    for item, data in history.items.items():
        state = state_at(trace_changes(data, SPRINT, rule, history.labels), now)
        past = world.past(item, now)
        is_dropped = state_told(past) is State.DROPPED
        is_done = not is_dropped and "bug" in borne(past)
        expected = State.DROPPED if is_dropped else State.DONE if is_done else State.OPEN
        assert state.state is (expected if past else State.OPEN)
        assert (state.done_at is not None) is (state.state is State.DONE)
