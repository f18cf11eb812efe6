"""A sprint's numbers as they would be after a decision. A forecast of these is the answer to "what if"."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sprints.calendar import days_between
from sprints.facts import Facts, Item, amount_of
from sprints.numbering import Number


def without_items(facts: Facts, numbers: Collection[Number]) -> Facts:
    """As if open items, by number, had left the sprint."""
    leaving, staying = _parted(facts, numbers)
    return replace(facts, scope=facts.scope - amount_of(leaving), items=staying)


def with_done(facts: Facts, numbers: Collection[Number]) -> Facts:
    """As if open items, by number, were done."""
    finished, rest = _parted(facts, numbers)
    items = (*rest, *(replace(item, state="done") for item in finished))
    return replace(facts, done=facts.done + amount_of(finished), items=items)


def with_items(facts: Facts, sizes: Sequence[Decimal | None]) -> Facts:
    """As if items of these estimates (None: not estimated) had come in and were open."""
    coming = tuple(Item(0, "", "open", size, item=f"what if {n}") for n, size in enumerate(sizes))
    return replace(facts, scope=facts.scope + amount_of(coming), items=(*facts.items, *coming))


def due_on(facts: Facts, due: date) -> Facts:
    """As if the sprint were due on another day."""
    calendar = facts.sprint.calendar
    end = calendar.next_midnight(calendar.midnight(due))
    return replace(facts, sprint=replace(facts.sprint, due=due, end=end))


def with_days_off(facts: Facts, days: int) -> Facts:
    """As if nobody worked on so many of the working days to come, the last ones of the sprint."""
    sprint = facts.sprint
    if sprint.due is None or not days:
        return facts
    calendar = sprint.calendar
    coming = days_between(calendar.day_of(facts.as_of), sprint.due)
    working = [day for day in coming if calendar.is_working_day(day)]
    holidays = frozenset({*calendar.holidays, *working[-days:]})
    return replace(facts, sprint=replace(sprint, calendar=replace(calendar, holidays=holidays)))


def _parted(facts: Facts, numbers: Collection[Number]) -> tuple[list[Item], tuple[Item, ...]]:
    """Open items that count, of these numbers; and all others."""
    meant = [
        item
        for item in facts.items
        if item.number in numbers and item.state == "open" and not item.is_covered
    ]
    return meant, tuple(item for item in facts.items if item not in meant)
