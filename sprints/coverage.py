"""Work that would count twice: items that are told by other items of the same milestone.

A parent issue is told by its sub-issues, a pull request by the issues that it closes. While one of these
is in the milestone as well, the item itself counts nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sprints.history import Change, ItemState


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """One item of a milestone: its node id, its number, and how it changed."""

    item: str
    number: int
    is_pull_request: bool
    changes: Sequence[Change]


def without_double_work(histories: Iterable[ItemHistory]) -> list[ItemHistory]:
    """The same items, each marked as covered for as long as others tell its work."""
    all_items = list(histories)
    children = _children(all_items)
    issues = {one.number: one for one in all_items if not one.is_pull_request}
    found = []
    for one in all_items:
        tellers = [*children.get(one.item, ()), *_closed_by(one, issues)]
        found.append(replace(one, changes=_marked(one, tellers)) if tellers else one)
    return found


def _children(items: Iterable[ItemHistory]) -> dict[str, list[ItemHistory]]:
    """By parent, the items that were ever its sub-issues."""
    found: dict[str, list[ItemHistory]] = {}
    for one in items:
        for parent in {change.after.parent for change in one.changes if change.after.parent}:
            found.setdefault(parent, []).append(one)
    return found


def _closed_by(one: ItemHistory, issues: Mapping[int, ItemHistory]) -> list[ItemHistory]:
    """The issues that a pull request ever meant to close."""
    numbers = {number for change in one.changes for number in change.after.closes}
    return [issues[number] for number in sorted(numbers) if number in issues]


def _marked(one: ItemHistory, tellers: Sequence[ItemHistory]) -> list[Change]:
    histories = [*(teller.changes for teller in tellers), one.changes]
    # Its own event, which comes last, explains a moment better than another item's.
    reasons = {change.at: change.event for changes in histories for change in changes}
    found, before = list[Change](), ItemState()
    for at in sorted(reasons):
        after = _after(one.changes, at)
        if any(_tells(teller, _after(teller.changes, at), one.item, after) for teller in tellers):
            after = replace(after, is_covered=True)
        if after != before:
            found.append(Change(at, before, after, reasons[at]))
            before = after
    return found


def _tells(teller: ItemHistory, told: ItemState, item: str, state: ItemState) -> bool:
    if not (state.is_member and told.is_member) or told.is_gone:
        return False
    return told.parent == item or (not teller.is_pull_request and teller.number in state.closes)


def _after(changes: Sequence[Change], moment: datetime) -> ItemState:
    """The state after everything that happened until `moment`, that included."""
    current = ItemState()
    for change in changes:
        if change.at > moment:
            break
        current = change.after
    return current
