"""The story of a picture in two sentences, for readers who cannot see it and for when it does not load."""

from datetime import date
from decimal import Decimal

from charts.reading import FULL_MONTHS, is_over, number, quantity
from sprints.burndown import Burndown, ideal_before, pace


def burndown_alt(burndown: Burndown) -> str:
    """Where the sprint stands against its ideal line, and how its scope moved.

    Plain words, numbers, and `. , : −` only: nothing that Markdown or HTML could read as its own.
    """
    latest = burndown.latest
    if latest is None or latest.remaining is None or latest.scope is None:
        return _before_the_start(burndown)
    unit = burndown.unit
    left = f"{number(latest.remaining)} of {quantity(latest.scope, unit)}"
    if is_over(burndown):
        stand = f"{left} were left at the end on {_long_day(latest.date)}, day {len(burndown.days)}"
    else:
        days = "" if burndown.is_open_ended else f" of {len(burndown.days)}"
        when = f"on {_long_day(latest.date)}, day {burndown.as_of_day + 1}{days}"
        stand = f"{left} remain {when}; {_against_ideal(burndown)}"
    return f"Burndown: {stand}. {_scope(latest.scope - burndown.committed, unit)}{_moved(burndown)}."


def _before_the_start(burndown: Burndown) -> str:
    planned = f"Burndown: {quantity(burndown.committed, burndown.unit)} planned"
    if not burndown.days:
        return f"{planned}. The sprint has no days."
    first, last = _long_day(burndown.days[0].date), _long_day(burndown.days[-1].date)
    if burndown.is_open_ended:
        return f"{planned}, without a due date. There are no figures yet."
    return f"{planned} from {first} to {last}. The sprint has no figures yet."


def _against_ideal(burndown: Burndown) -> str:
    """The ideal at the day's end, or while the day is under way from its beginning to its end."""
    latest, off = burndown.latest, pace(burndown)
    if latest is None or latest.ideal is None or off is None:
        return "without a due date there is no ideal line"
    index = burndown.as_of_day
    begins, ends = number(ideal_before(burndown, index), 1), number(latest.ideal, 1)
    if burndown.is_day_complete or begins == ends:
        ideal = f"the ideal line is at {ends}"
    else:
        ideal = f"the ideal line goes from {begins} to {ends} that day"
    distance = abs(off).quantize(Decimal("0.1"))
    if not distance:
        return f"{ideal}, so the sprint is on the line"
    side = "behind" if off > 0 else "ahead"
    return f"{ideal}, so the sprint is {quantity(distance, burndown.unit)} {side}"


def _scope(change: Decimal, unit: str) -> str:
    if not change:
        return "Scope is what it was at the start"
    return f"Scope {'grew' if change > 0 else 'shrank'} by {quantity(abs(change), unit)} after the start"


def _moved(burndown: Burndown) -> str:
    """When the first plan was given up, if the due date moved."""
    moved_on = next((day.date for day in burndown.days if day.ghost is not None), None)
    return f"; the due date was first moved on {_long_day(moved_on)}" if moved_on else ""


def _long_day(day: date) -> str:
    return f"{day.day} {FULL_MONTHS[day.month - 1]}"
