"""Sprints that span repositories: which milestones are one, and that their numbers are the sum of both."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from hypothesis import given

from sprints.estimates import DEFAULT_ESTIMATES
from sprints.fact_folding import compute_facts
from sprints.facts import Amount, Facts, ScopeCause
from sprints.milestone import derive_sprint
from sprints.model import ActivityEvent, ItemEvent, LabelEvent
from sprints.plain import convert_facts
from sprints.shared import (
    SharedSprints,
    find_shared_sprints,
    qualify_activity,
    qualify_items,
    qualify_labels,
    renumber_values,
)
from tests.support.builders import OTHER_SPRINT, SPRINT, Box, Card, at, renamed
from tests.support.sprints_strategies import NOWS, History, histories

OTHER = "acme/pay"
SHARING = SharedSprints({OTHER_SPRINT: SPRINT}, {}, frozenset({SPRINT}))
_FAR = 1000
Items = Mapping[str, Sequence[ItemEvent]]


def test_milestones_of_one_title_are_one_whatever_their_case() -> None:
    leading = {1: Box(milestone=1, title="Sprint 12").events, 2: Box(milestone=2, title="Backlog").events}
    pay = {
        3: Box(milestone=3, number=7, title=" sprint  12").events,
        4: Box(milestone=4, title="Sprint 13").events,
        5: Box(milestone=5, title="Backlog").deleted("11-20").events,
    }
    result = find_shared_sprints(leading, {OTHER: pay})

    assert result.leader_of == {3: 1}
    assert [(entry.repository, entry.milestone, entry.number) for entry in result.parts[1]] == [(OTHER, 3, 7)]


def test_a_title_is_the_one_that_it_has_now() -> None:
    leading = {1: Box(milestone=1, title="Sprint 12").events}
    moved = {3: Box(milestone=3, title="Sprint 12").edited("11-20", title="Sprint 13").events}

    assert find_shared_sprints(leading, {OTHER: moved}).leader_of == {}


def facts(box: Box, events: Items, labels: Sequence[LabelEvent] = ()) -> Facts:
    return compute_facts(box.sprint("12-31"), events, at("12-31"), DEFAULT_ESTIMATES, labels)


def items(*cards: Card) -> dict[str, list[ItemEvent]]:
    return {card.id: card.events for card in cards}


def test_items_of_another_repository_are_called_by_its_name() -> None:
    pull = Card(1, is_pull_request=True, closes=[2]).opened("11-16").joined("11-16 09:00", OTHER_SPRINT)
    (seen_item,) = qualify_items(items(pull), OTHER, SHARING).values()

    assert seen_item[-1].snapshot.number == f"{OTHER}#1"
    assert seen_item[-1].snapshot.closes == (f"{OTHER}#2",)
    assert (seen_item[-1].milestone, seen_item[-1].snapshot.milestone) == (SPRINT, SPRINT)


def test_two_items_of_one_number_do_not_tell_each_others_work() -> None:
    """A pull request closes an issue of its own repository, and not the one of that number elsewhere."""
    issue = Card(2).opened("11-10", "points: 5").joined("11-10 10:00")
    pull = Card(1, is_pull_request=True, closes=[2]).opened("11-10", "points: 3")
    pull.joined("11-10 10:00", OTHER_SPRINT)
    pull.id = "elsewhere"
    events = items(issue) | qualify_items({"elsewhere": pull.events}, OTHER, SHARING)

    assert facts(Box(start="11-16", due="2026-11-27"), events).scope == Amount(Decimal(8), 2)


def test_a_label_that_is_renamed_changes_items_of_its_repository_alone() -> None:
    here = Card(1).opened("11-10", "size: L").joined("11-10 10:00")
    there = Card(1).opened("11-10", "size: L").joined("11-10 10:00", OTHER_SPRINT)
    events = items(here) | qualify_items({"there": there.events}, OTHER, SHARING)
    labels = qualify_labels([renamed("11-20", "size: L", "points: 13")], OTHER)
    result = facts(Box(start="11-16", due="2026-11-27"), events, labels)

    assert {str(item.number): item.points for item in result.items} == {"1": None, f"{OTHER}#1": Decimal(13)}


def test_reviews_name_the_pull_requests_of_their_repository() -> None:
    review = ActivityEvent("review", "1", "submitted", at("11-20"), "", {"number": 7, "reviewer": "bob"})
    push = ActivityEvent("push", "2", "pushed", at("11-20"), "", {"commits": 3})

    assert [entry.details for entry in qualify_activity([review, push], OTHER)] == [
        {"number": f"{OTHER}#7", "reviewer": "bob"},
        {"commits": 3},
    ]


def elsewhere(data: Sequence[ItemEvent]) -> list[ItemEvent]:
    """The same in another repository, with ids of its own."""
    return [
        replace(
            event,
            item=f"there-{event.item}",
            named=event.named and f"there-{event.named}",
            milestone=event.milestone and event.milestone + _FAR,
            snapshot=replace(
                event.snapshot, milestone=event.snapshot.milestone and event.snapshot.milestone + _FAR
            ),
        )
        for event in data
    ]


@given(histories(), histories(), NOWS)
def test_the_numbers_are_the_sum_of_both_repositories(first: History, second: History, now: datetime) -> None:
    """In one frame: what tells of each other is told within a repository, and so are labels."""
    sprint = derive_sprint(first.milestone, now, first.calendar)
    sharing = SharedSprints({SPRINT + _FAR: SPRINT}, {}, frozenset({SPRINT}))
    theirs = {f"there-{item}": elsewhere(data) for item, data in second.items.items()}
    there, labels = qualify_items(theirs, OTHER, sharing), qualify_labels(second.labels, OTHER)
    alone = compute_facts(sprint, first.items, now, DEFAULT_ESTIMATES, first.labels)
    other = compute_facts(sprint, there, now, DEFAULT_ESTIMATES, labels)
    both = compute_facts(sprint, {**first.items, **there}, now, DEFAULT_ESTIMATES, [*first.labels, *labels])

    assert both.committed == alone.committed + other.committed
    assert both.scope == alone.scope + other.scope
    assert both.done == alone.done + other.done
    for cause in ScopeCause:
        assert both.total(cause) == alone.total(cause) + other.total(cause)


def test_numbers_that_were_taken_are_reported_by_name_elsewhere() -> None:
    here = Card(1).opened("11-10", "points: 5").joined("11-10 10:00")
    there = Card(1).opened("11-10", "points: 3").joined("11-10 10:00", OTHER_SPRINT).closed("11-20")
    events = items(here) | qualify_items({"there": there.events}, OTHER, SHARING)
    taken = convert_facts(facts(Box(start="11-16", due="2026-11-27"), events))
    seen = renumber_values(taken, "acme/web", OTHER)

    assert seen["carried"]["items"] == ["acme/web#1"]
    assert [done_item["number"] for done_item in seen["done_items"]] == [1]
    assert seen["points"] == taken["points"]
    assert renumber_values(seen, OTHER, "acme/web") == taken
