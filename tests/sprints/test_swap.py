"""What could leave a sprint so that something else fits into it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sprints.facts import Item, sum_items
from sprints.numbering import local_number
from sprints.swap import compute_room_needed, find_swap
from tests.support.builders import Box, Card

BOX = Box("11-10", due="2026-11-27", start="11-16")


def item(number: int, points: int | None, state: str = "open", *, is_covered: bool = False) -> Item:
    return Item(number, "", state, None if points is None else Decimal(points), is_covered=is_covered)


def numbers(need: int, *items: Item, unit: str = "points", keep: tuple[int, ...] = ()) -> list[int]:
    return [local_number(entry.number) for entry in find_swap(Decimal(need), items, unit, keep)]


def test_the_closest_fit_that_is_enough() -> None:
    assert numbers(5, item(1, 8), item(2, 5), item(3, 3)) == [2]
    assert numbers(5, item(1, 8), item(2, 4), item(3, 2)) == [2, 3]
    assert numbers(5, item(1, 6), item(2, 2), item(3, 2)) == [1]


def test_of_equal_fits_the_fewest_and_then_the_newest() -> None:
    assert numbers(5, item(1, 5), item(2, 3), item(3, 2)) == [1]
    assert numbers(5, item(1, 5), item(2, 5)) == [2]


def test_only_what_is_open_counts_something_and_may_leave() -> None:
    assert (
        numbers(3, item(1, 3, "done"), item(2, 3, is_covered=True), item(3, None), item(4, 3), keep=(4,))
        == []
    )


def test_in_items_what_is_not_estimated_is_as_good() -> None:
    assert numbers(2, item(1, None), item(2, 8), item(3, 1), unit="count") == [2, 3]


def test_where_nothing_is_enough_nothing_is_proposed() -> None:
    assert numbers(9, item(1, 2), item(2, 2), item(3, 2), item(4, 2)) == []
    assert numbers(0, item(1, 2)) == []


def needed(points: int, before: int = 13) -> Decimal:
    cards = [Card(1).opened("11-10", f"points: {before}").joined("11-12")]
    cards.append(Card(3).opened("11-10", "points: 2").joined("11-12").left("11-17"))
    added = Card(2).opened("11-10", f"points: {points}").joined("11-18")
    return compute_room_needed(
        BOX.facts(*cards, as_of="11-17 12:00"), BOX.facts(*cards, added, as_of="11-19"), "points"
    )


def test_what_came_in_may_use_what_left_before() -> None:
    assert needed(1) == 0
    assert needed(2) == 0
    assert needed(5) == 3


def test_room_is_needed_for_what_came_in_and_for_nothing_else() -> None:
    first = Card(1).opened("11-10", "points: 5").joined("11-17")
    second = Card(2).opened("11-10", "points: 3").joined("11-18")
    before = BOX.facts(first, as_of="11-17 12:00")

    assert compute_room_needed(before, BOX.facts(first, second, as_of="11-19"), "points") == 3


@given(st.lists(st.integers(0, 13), max_size=12), st.integers(1, 30))
def test_what_is_proposed_is_enough_and_no_single_item_fits_closer(points: list[int], need: int) -> None:
    items = [item(number, worth) for number, worth in enumerate(points, start=1)]
    swap = find_swap(Decimal(need), items, "points")

    room = sum_items(swap).points
    assert not swap or room >= need
    assert all(worth < need or worth >= room for worth in points) or not swap
    assert swap or all(worth < need for worth in points)
