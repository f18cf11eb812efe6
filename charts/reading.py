"""Figures of a burndown, and words for numbers and dates that pictures, alt texts and Mermaid share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from charts.locales import get_locale, localize, write_day
from sprints.burndown import Burndown

# Not strftime: that follows the machine's locale.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class ScopeStep:
    """The change of the scope within the local day `days[day]`."""

    day: int
    amount: Decimal


def list_scope_steps(burndown: Burndown) -> list[ScopeStep]:
    """List the days on which the scope changed; the first day is compared with the commitment."""
    steps, before = [], burndown.committed
    for index, day in enumerate(burndown.days):
        if day.scope is None:
            continue
        if day.scope != before:
            steps.append(ScopeStep(index, day.scope - before))
        before = day.scope
    return steps


def is_over(burndown: Burndown) -> bool:
    """Return whether the last day has passed, so that no day of the picture is today.

    A sprint that was closed within a day never has that day's end; then the date of `as_of` decides, in its
    own time zone.
    """
    last = len(burndown.days) - 1
    if burndown.is_open_ended or last < 0 or burndown.as_of_day < last:
        return False
    return burndown.is_day_complete or burndown.as_of.date() > burndown.days[last].date


def short_day(day: date, *, with_year: bool = False) -> str:
    """Write a day as 20 Nov, in the form of the locale, with its year if it is another one or asked for."""
    locale = get_locale()
    if locale.first == "year" and (with_year or locale.needs_year(day)):
        return day.isoformat()
    return write_day(day, MONTHS[day.month - 1], with_year=with_year)


def number(value: Decimal, places: int = 2) -> str:
    """Write a number: at most `places` decimals, no trailing zeros, thousands separators, a true minus."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{abs(rounded):,f}"
    text = localize(text.rstrip("0").rstrip(".") if "." in text else text)
    return f"−{text}" if rounded < 0 else text


def whole(count: int) -> str:
    """Write a count with thousands separated."""
    return localize(f"{count:,}")


def signed(value: Decimal) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def unit_word(value: Decimal, unit: str) -> str:
    """Return the unit as a word that fits the value: 1 point, 0.5 points, 3 items."""
    word = "point" if unit == "points" else "item"
    return word if abs(value) == 1 else f"{word}s"


def quantity(value: Decimal, unit: str) -> str:
    return f"{number(value)} {unit_word(value, unit)}"


def percent(share: Decimal | float) -> str:
    """Write a share as a whole percentage, halves up: the one rule of rounding for all percentages.

    Only 0 is 0 % and only 1 is 100 %, so that neither hides a rest: what would be rounded to them is <1 %,
    >99 % or, above 1, >100 %.
    """
    exact = Decimal(str(share)) if isinstance(share, float) else share
    rounded = (exact * 100).quantize(Decimal(1), ROUND_HALF_UP)
    if rounded == 0 < exact:
        return "<1 %"
    if rounded == 100 and exact != 1:
        return ">99 %" if exact < 1 else ">100 %"
    return f"{number(rounded)} %"


def group_steps(steps: Iterable[ScopeStep], days: int) -> list[ScopeStep]:
    """Sum scope changes over spans of `days` days, each at its last change, without sums of 0.

    The amounts keep their total.
    """
    groups = dict[int, ScopeStep]()
    for step in steps:
        before = groups.get(step.day // days)
        amount = before.amount + step.amount if before else step.amount
        groups[step.day // days] = ScopeStep(step.day, amount)
    return [step for step in groups.values() if step.amount]
