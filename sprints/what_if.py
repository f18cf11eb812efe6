"""A sprint's numbers after a hypothetical change; their forecast answers "what if"."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sprints.calendar import days_between
from sprints.estimates import Estimates
from sprints.fact_folding import compute_facts
from sprints.facts import DONE_BEFORE_START, Facts, Item, ScopeCause, ScopeChange, sum_items
from sprints.model import ItemEvent, LabelEvent, MilestoneEvent
from sprints.numbering import Number
from sprints.trial import edit_milestone

# GitHub stores a due date as a moment; its UTC date is the day that people picked.
_NOON = time(12)


def without_items(facts: Facts, numbers: Collection[Number]) -> Facts:
    """Remove open items, by number. Items that only they covered then count themselves."""
    removed = {item.item for item in facts.items if item.state == "open" and item.number in numbers}
    remaining = [item for item in facts.items if item.item not in removed]
    return _with(facts, _covered_by_remaining(remaining))


def with_done(facts: Facts, numbers: Collection[Number]) -> Facts:
    """Mark open items, by number, as done."""
    finished = {item.item for item in facts.open_items if item.number in numbers}
    state = "done" if facts.as_of >= facts.sprint.start else DONE_BEFORE_START
    return _with(
        facts,
        (
            replace(item, state=state, done_at=facts.as_of) if item.item in finished else item
            for item in facts.items
        ),
    )


def with_items(facts: Facts, sizes: Sequence[Decimal | None]) -> Facts:
    """Add open items with these estimates (None: not estimated)."""
    added = (Item(0, "", "open", size, item=f"what if {n}") for n, size in enumerate(sizes))
    return _with(facts, (*facts.items, *added))


def without_changes(facts: Facts, changes: Iterable[ScopeChange]) -> Facts:
    """Undo some lines of the ledger, the last ones before this moment.

    Everything else that the same events caused is undone, too, such as a parent that counts again once its
    last sub-issue has left.
    """
    events = [change.event for change in changes]
    items = {item.item: item for item in facts.items}
    for change in reversed(facts.ledger):
        if change.event in events:
            node_id = next((key for key, item in items.items() if item.number == change.number), "")
            before = _before(change, items.pop(node_id, None))
            if before is not None:
                items[before.item] = before
    return _with(facts, items.values())


def with_milestone_due(
    facts: Facts,
    due: date,
    milestone: Sequence[MilestoneEvent],
    items: Mapping[str, Sequence[ItemEvent]],
    estimates: Estimates,
    labels: Iterable[LabelEvent] = (),
) -> Facts:
    """Give the sprint's milestone another due date, from all of its events.

    A due date may also move the start: a start line counts only if it does not lie behind the due date.
    """
    events = [event for event in milestone if event.at < facts.as_of] or milestone
    noon = datetime.combine(due, _NOON, UTC)
    sprint = edit_milestone(events, facts.as_of, facts.sprint.calendar, facts.sprint.description, noon)
    sprint = replace(sprint, repository=facts.sprint.repository, parts=facts.sprint.parts)
    return compute_facts(sprint, items, facts.as_of, estimates, labels)


def with_days_off(facts: Facts, days: int) -> Facts:
    """Turn the last `days` of the sprint's coming working days into days off."""
    sprint = facts.sprint
    if sprint.due is None or not days:
        return facts
    calendar = sprint.calendar
    coming = days_between(max(calendar.day_of(facts.as_of), sprint.first_day), sprint.due)
    working = [day for day in coming if calendar.is_working_day(day)]
    holidays = frozenset({*calendar.holidays, *working[-days:]})
    return replace(facts, sprint=replace(sprint, calendar=replace(calendar, holidays=holidays)))


def _with(facts: Facts, items: Iterable[Item]) -> Facts:
    """Replace the items, and recompute their sums."""
    items = tuple(items)
    counted = [item for item in items if item.state in {"open", "done"} and not item.is_covered]
    done = sum_items(item for item in counted if item.state == "done")
    return replace(facts, items=items, scope=sum_items(counted), done=done)


def _covered_by_remaining(items: Sequence[Item]) -> Iterable[Item]:
    """Recompute which of the remaining items cover each other (`sprints.coverage`)."""
    by_id = {item.item: item for item in items}
    covering = {item.item: {other for other in item.covered_by if other in by_id} for item in items}
    for item in items:
        # Where an item has left a circle of parents, the remaining ones cover each other again.
        if item.parent in by_id and not _is_its_own_ancestor(item, by_id):
            covering[item.parent].add(item.item)
    for item in items:
        covered_by = tuple(sorted(covering[item.item]))
        yield replace(item, covered_by=covered_by, is_covered=bool(covered_by))


def _is_its_own_ancestor(item: Item, by_id: Mapping[str, Item]) -> bool:
    visited, parent = set[str](), item.parent
    while parent is not None and parent in by_id and parent not in visited:
        if parent == item.item:
            return True
        visited.add(parent)
        parent = by_id[parent].parent
    return False


def _before(change: ScopeChange, item: Item | None) -> Item | None:
    """Return an item as it was just before a change of the scope. None if it did not count."""
    if change.cause is ScopeCause.ADDED:
        return None
    if change.cause is ScopeCause.REESTIMATED and item is not None:
        return replace(item, points=(item.points or Decimal(0)) - change.amount.points or None)
    state = "done" if change.was_done else "open"
    return Item(change.number, change.title, state, change.amount.points or None, item=f"{change.number}")
