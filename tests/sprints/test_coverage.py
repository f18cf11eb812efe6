"""Items that others tell, where there are very many of them, or where what we know contradicts itself."""

from itertools import pairwise

import pytest

from sprints.facts import Facts
from tests.support.builders import Box, Card, renamed

MANY = 1500


def facts(*cards: Card) -> Facts:
    return Box("11-10", start="11-16", due="2026-11-27").facts(*cards)


def cards(count: int) -> list[Card]:
    return [Card(n).opened("11-10", "points: 1").joined("11-12") for n in range(1, count + 1)]


@pytest.mark.timeout(20)
def test_a_pull_request_that_names_thousands_of_issues_takes_no_time() -> None:
    issues = [card.closed("11-18").reopened("11-19").closed("11-20") for card in cards(MANY)]
    request = Card(MANY + 1, closes=range(1, MANY + 1)).opened("11-10").joined("11-12")
    result = facts(*issues, request)

    assert (result.committed.count, result.done.count) == (MANY, MANY)
    assert not result.ledger


@pytest.mark.timeout(20)
def test_thousands_of_sub_issues_that_leave_one_by_one_take_no_time() -> None:
    parent, children = Card(0).opened("11-10", "points: 8").joined("11-12"), cards(MANY)
    for n, child in enumerate(children):
        child.put_under("11-13", parent).left(f"11-18 {n // 60 % 24:02}:{n % 60:02}:{n // 1440:02}")
    result = facts(parent, *children)

    assert (result.committed.count, result.scope.count) == (MANY, 1)
    assert len(result.ledger) == MANY + 1


@pytest.mark.timeout(20)
def test_a_long_circle_tells_nothing_until_it_opens() -> None:
    circle = cards(MANY)
    for parent, child in pairwise([*circle, circle[0]]):
        child.put_under("11-13", parent)
    assert facts(*circle).committed.count == MANY

    circle[0].taken_from("11-18", circle[-1])
    assert facts(*circle).scope.count == 1


def test_a_circle_opens_when_one_of_it_leaves_the_milestone() -> None:
    circle = cards(3)
    entry, two = circle[:2]
    for parent, child in pairwise([*circle, entry]):
        child.put_under("11-13", parent)
    two.left("11-18 10:00")

    # One has three above it, and nothing of it in the milestone; so it tells three.
    result = facts(*circle)
    assert [(item.number, item.is_covered) for item in result.items] == [(1, False), (3, True)]
    assert [(line.cause.value, line.number) for line in result.ledger] == [("removed", 2), ("removed", 3)]
    assert result.scope.count == 1


def test_what_hangs_below_a_circle_tells_those_above_it() -> None:
    entry, two, leaf = cards(3)
    entry.put_under("11-13", two)
    two.put_under("11-13", entry)
    leaf.put_under("11-13", two)

    assert [(item.number, item.is_covered) for item in facts(entry, two, leaf).items] == [
        (1, False),
        (2, True),
        (3, False),
    ]


@pytest.mark.timeout(20)
def test_labels_of_others_that_were_renamed_take_no_time() -> None:
    labels = [renamed(f"11-18 {n // 60:02}:{n % 60:02}", f"area {n}", f"part {n}") for n in range(1000)]
    box = Box("11-10", start="11-16", due="2026-11-27")

    assert box.facts(*cards(MANY), labels=labels).scope.points == MANY
