"""Ticks of axes: round numbers for values, and days, weeks, months or years for dates, whichever fit."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil, floor, log10

from charts.locales import get_locale, localize
from charts.reading import MONTHS, WEEKDAYS

# The least distance between neighbouring labels of each kind, in CSS pixels.
_ROOM_FOR_WEEKDAY, ROOM_FOR_DAY, _ROOM_FOR_WEEK, _ROOM_FOR_MONTH, _ROOM_FOR_YEAR = 86, 31, 40, 56, 72


@dataclass(frozen=True, slots=True)
class DateTick:
    """A label under `days[day]`: its name, and below that its month or year where that begins.

    A month has its year where a reader would think of another one.
    """

    day: int
    name: str
    period: str


def choose_value_ticks(highest: float, whole: bool) -> list[float]:
    """Return values from 0 to the first round one at or above `highest`.

    There are two to five equal steps of 1, 2 or 5. `whole` allows no fractions, as for items. When everything
    is 0 the axis goes to 1.
    """
    if highest <= 0:
        return [0.0, 1.0]
    magnitude = 10.0 ** floor(log10(highest / 4))
    step = next(size * magnitude for size in (1, 2, 5, 10) if size * magnitude * 4.0001 >= highest)
    if whole:
        step = max(step, 1.0)
    return [step * n for n in range(max(1, ceil(highest / step - 1e-9)) + 1)]


def write_value(value: float) -> str:
    """Write a tick's value without the noise of binary fractions."""
    return localize(f"{Decimal(f'{value:.10f}').normalize():,f}")


def choose_date_ticks(days: Sequence[date], day_width: float) -> list[DateTick]:
    """Return labels for days that are `day_width` wide, dense enough to read, too sparse to collide.

    These are all days, or else the Mondays, the first and the last day, or else months or years.
    """
    if day_width >= ROOM_FOR_DAY:
        chosen = list(range(len(days)))
    elif 7 * day_width >= _ROOM_FOR_WEEK:
        chosen = _choose_week_starts(days, day_width)
    else:
        return _month_ticks(days, day_width)
    with_weekday = day_width >= _ROOM_FOR_WEEKDAY
    periods = name_month_periods([days[i] for i in chosen])
    return [
        DateTick(
            i, f"{WEEKDAYS[days[i].weekday()]} {days[i].day}" if with_weekday else str(days[i].day), period
        )
        for i, period in zip(chosen, periods, strict=True)
    ]


def _choose_week_starts(days: Sequence[date], day_width: float) -> list[int]:
    """Return the first and the last day, and the Mondays between them that do not collide with these."""
    room, last = _ROOM_FOR_WEEK / day_width, len(days) - 1
    mondays = [i for i, day in enumerate(days) if day.weekday() == 0 and room <= i <= last - room]
    return [0, *mondays, *([last] if last >= room else [])]


def name_month_periods(days: Sequence[date], hidden: Container[int] = ()) -> list[str]:
    """Return for each day its month, where that begins; else an empty string.

    A month has its year, unless that is plain. `hidden` are indices with another text: a year that is due
    there is written at the next one.
    """
    periods, previous, year = list[str](), None, get_locale().year
    for index, day in enumerate(days):
        month, needs_year = (day.year, day.month), year is not None and day.year != year
        if index in hidden or (month == previous and not needs_year):
            periods.append("")
        else:
            name = MONTHS[day.month - 1]
            periods.append(f"{name} {day.year}" if needs_year else name)
            year = day.year if year is not None else None
        previous = month
    return periods


def _month_ticks(days: Sequence[date], day_width: float) -> list[DateTick]:
    """Return labels on first days of months, quarters or years."""
    months = next((n for n in (1, 3) if 30 * n * day_width >= _ROOM_FOR_MONTH), None)
    if months is None:
        every = next(
            n * 10**e for e in range(5) for n in (1, 2, 5) if 365 * n * 10**e * day_width >= _ROOM_FOR_YEAR
        )
        firsts = [i for i, day in enumerate(days) if (day.month, day.day) == (1, 1)]
        return [DateTick(i, str(days[i].year), "") for i in firsts if days[i].year % every == 0]
    ticks, year = list[DateTick](), None
    for i, day in enumerate(days):
        if day.day == 1 and (day.month - 1) % months == 0:
            ticks.append(DateTick(i, MONTHS[day.month - 1], "" if day.year == year else str(day.year)))
            year = day.year
    return ticks
