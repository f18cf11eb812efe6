"""The work behind an item that others cover: a parent's sub-issues, a pull request's issues."""

from collections.abc import Iterable
from dataclasses import dataclass

from sprints.facts import Amount, Item, sum_items


@dataclass(frozen=True, slots=True)
class RollUp:
    """The work below an item: all of it that was not given up, and the part that is done."""

    total: Amount
    done: Amount


def roll_up(item: Item, items: Iterable[Item]) -> RollUp:
    """Add up the items of the milestone that cover an item, each counted once at any depth.

    Work that was done before the sprint counts here, too.
    """
    by_id = {item.item: item for item in items}
    leaves, visited, waiting = list[Item](), {item.item}, list(item.covered_by)
    while waiting:
        covering = by_id.get(waiting.pop())
        if covering is None or covering.item in visited:
            continue
        visited.add(covering.item)
        if covering.is_covered:
            waiting += covering.covered_by
        elif covering.state != "dropped":
            leaves.append(covering)
    return RollUp(sum_items(leaves), sum_items(leaf for leaf in leaves if leaf.state != "open"))
