"""The items that could leave a sprint so that other work fits into it."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from itertools import combinations

from sprints.burndown import measure_amount
from sprints.facts import Facts, Item, sum_items
from sprints.numbering import Number, split_number

_MOST_ITEMS = 3
# With more candidates, a better fit is not worth the search.
_MOST_CANDIDATES = 40


def compute_room_needed(before: Facts, after: Facts, unit: str) -> Decimal:
    """Return by how much the added work takes a sprint over its commitment; 0 if it still fits."""
    over = measure_amount(after.scope, unit) - measure_amount(after.committed, unit)
    return max(min(over, measure_amount(after.scope - before.scope, unit)), Decimal(0))


def find_swap(
    need: Decimal, items: Iterable[Item], unit: str, keep: Collection[Number] = ()
) -> tuple[Item, ...]:
    """Find the items (three at most) that free at least `need` in points or items, with the least left over.

    Among equal choices the fewest items win, then the newest. None of them is among `keep` (by number). Empty
    if no items free enough.
    """
    if need <= 0:
        return ()
    candidates = [
        item
        for item in items
        if item.state == "open" and not item.is_covered and item.number not in keep and _size(item, unit)
    ]
    # The newest ones first, because the sort that follows keeps the order of equals.
    candidates.sort(key=lambda item: split_number(item.number), reverse=True)
    candidates.sort(key=lambda item: -_size(item, unit))
    choices = list[tuple[Decimal, int, tuple[tuple[str, int], ...], tuple[Item, ...]]]()
    for count in range(1, _MOST_ITEMS + 1):
        for chosen in combinations(candidates[:_MOST_CANDIDATES], count):
            room = sum((_size(item, unit) for item in chosen), Decimal(0))
            if room >= need:
                numbers = tuple(sorted(_newest_first(item) for item in chosen))
                choices.append((room, count, numbers, chosen))
    best = min(choices, key=lambda choice: choice[:3], default=None)
    return tuple(sorted(best[3], key=lambda item: split_number(item.number))) if best else ()


def _newest_first(item: Item) -> tuple[str, int]:
    repository, number = split_number(item.number)
    return repository, -number


def _size(item: Item, unit: str) -> Decimal:
    return measure_amount(sum_items((item,)), unit)
