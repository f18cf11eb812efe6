"""Texts about a sprint's progress that no open item contradicts. Pure functions.

A sprint is done when all of its items are. Points alone cannot show that, because an open item without an
estimate is worth 0 points.
"""

from decimal import Decimal

from charts.reading import number, percent, quantity
from commands.formatting.wording import counted
from sprints.burndown import measure_amount
from sprints.facts import Amount, Facts


def progress_text(facts: Facts, unit: str) -> str:
    """31 of 40 points done; open items worth no points are named as well.

    In items where the whole scope is worth no points.
    """
    if not facts.scope.count:
        return "Nothing in scope"
    if not measure_amount(facts.scope, unit):
        unit = "count"
    done, scope = measure_amount(facts.done, unit), measure_amount(facts.scope, unit)
    text = f"{number(done)} of {quantity(scope, unit)} done"
    if not hides_open_items(facts.remaining, unit):
        return text
    are = _be(facts.remaining.count, is_over=facts.sprint.has_ended(facts.as_of))
    return f"{text}, {without_points_text(facts)} {are} open"


def progress_percent(facts: Facts, unit: str) -> str:
    """The share that is done, in items where open items are worth no points. Empty without a scope."""
    share = share_done(facts.done, facts.scope, unit)
    if share is None:
        return ""
    if hides_open_items(facts.remaining, unit) and facts.scope.points:
        return f"{facts.done.count} of {counted(facts.scope.count, 'item')}, {percent(share)}"
    return percent(share)


def share_done(done: Amount, scope: Amount, unit: str) -> Decimal | None:
    """The share of a scope that is done, from 0 to 1; 1 only if all items are done. None without a scope.

    In items where points hide open items, or where the whole scope is worth no points.
    """
    if hides_open_items(scope - done, unit) or not measure_amount(scope, unit):
        unit = "count"
    whole = measure_amount(scope, unit)
    return measure_amount(done, unit) / whole if whole else None


def hides_open_items(remaining: Amount, unit: str) -> bool:
    """Whether nothing seems to be left in a unit although items are open."""
    return remaining.count > 0 and measure_amount(remaining, unit) <= 0


def done_text(done: Amount, whole: Amount, unit: str) -> str:
    """5 of 8 points; if points hide open items, 5 of 5 points and 2 of 3 items; without any, 2 of 3 items."""
    items = f"{done.count} of {counted(whole.count, 'item')}"
    if not measure_amount(whole, unit):
        return items
    text = f"{number(measure_amount(done, unit))} of {quantity(measure_amount(whole, unit), unit)}"
    if not hides_open_items(whole - done, unit):
        return text
    return f"{text} and {items}"


def unit_of_open(facts: Facts) -> str:
    """The unit for the open items: the sprint's, or items where all of them are worth no points."""
    return "count" if hides_open_items(facts.remaining, facts.unit) else facts.unit


def open_work_text(facts: Facts, unit: str) -> str:
    """The open work: 5 points; or the open items, where all of them are worth no points."""
    if hides_open_items(facts.remaining, unit):
        return without_points_text(facts)
    return quantity(measure_amount(facts.remaining, unit), unit)


def is_single(facts: Facts, unit: str) -> bool:
    """Whether `open_work_text` is grammatically singular."""
    hidden = hides_open_items(facts.remaining, unit)
    return measure_amount(facts.remaining, "count" if hidden else unit) == 1


def without_points_text(facts: Facts) -> str:
    """The number of open items worth no points: 2 items without an estimate."""
    items = [item for item in facts.open_items if not item.points]
    is_unknown = all(item.points is None for item in items)
    return f"{counted(len(items), 'item')} {'without an estimate' if is_unknown else 'worth no points'}"


def _be(count: int, *, is_over: bool) -> str:
    if count == 1:
        return "was" if is_over else "is"
    return "were" if is_over else "are"
