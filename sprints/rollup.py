"""What an item stands for whose work other items tell: a parent's sub-issues, a pull request's issues."""

from collections.abc import Iterable
from dataclasses import dataclass

from sprints.facts import Amount, Item, amount_of


@dataclass(frozen=True, slots=True)
class RollUp:
    """The work below an item: all of it that was not given up, and what of that is done."""

    total: Amount
    done: Amount


def roll_up(item: Item, items: Iterable[Item]) -> RollUp:
    """The sums of the items of the milestone that tell an item's work, each counted once at any depth.

    What was done before the sprint counts here, because it is done.
    """
    by_id = {one.item: one for one in items}
    leaves, seen, waiting = list[Item](), {item.item}, list(item.told_by)
    while waiting:
        found = by_id.get(waiting.pop())
        if found is None or found.item in seen:
            continue
        seen.add(found.item)
        if found.is_covered:
            waiting += found.told_by
        elif found.state != "dropped":
            leaves.append(found)
    return RollUp(amount_of(leaves), amount_of(leaf for leaf in leaves if leaf.state != "open"))
