"""Read a day as people write it: `2026-12-16`, `25.11.`, `11/25`, `25 Nov`, `next friday`, `in 2 weeks`.

Every function returns all days that a text may mean: more than one if only the writer knows. Text that is no
date raises ValueError. A year that is not written is the one that makes the day come next, or for questions
about the past the one that makes it the latest.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from charts.reading import FULL_MONTHS, WEEKDAYS
from commands.framework.input_settings import InputSettings
from commands.framework.plain_input import simplify
from sprints.calendar import FIRST_DAY, LAST_DAY, is_in_range

LONGEST_DAY = 60
_A_DAY, _A_WEEK = timedelta(days=1), timedelta(weeks=1)
_MONTHS = {name[:length].lower(): n for n, name in enumerate(FULL_MONTHS, 1) for length in (3, len(name))}
_MONTHS["sept"] = 9
_FULL_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAY_NAMES = {
    **{name.lower(): n for n, name in enumerate(WEEKDAYS)},
    **{name: n for n, name in enumerate(_FULL_WEEKDAYS)},
    "tues": 1,
    "thur": 3,
    "thurs": 3,
}
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}

_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_YEAR = r"(?:,? ?(?P<year>\d{4}))?"
_NAMED_FORMS = (
    re.compile(rf"{_DAY} ?(?:of )?{_MONTH}{_YEAR}"),
    re.compile(rf"{_MONTH} ?{_DAY}{_YEAR}"),
)
_NUMBERS = re.compile(r"(\d{1,2})(?:([./-]) ?(\d{1,2})|\. (\d{1,2}))(?:(?:\2|\.) ?(\d{4}|\d{2}))?")
_YEAR_FIRST = re.compile(r"(\d{4})([./-]) ?(\d{1,2})\2 ?(\d{1,2})")
_AWAY = re.compile(
    rf"(?P<sign>in |\+ ?|-)?(?P<count>\d{{1,4}}|{'|'.join(_COUNTS)}) ?"
    r"(?P<unit>d|days?|w|wks?|weeks?|months?|y|years?)(?P<after> from now| from today| ago| back)?"
)
_WEEKDAY_ONLY = re.compile(rf"(?P<which>this |next |last |on |the )?(?P<name>{'|'.join(WEEKDAY_NAMES)})")
_WEEKDAY_BEFORE = re.compile(
    rf"(?P<name>{'|'.join(sorted(WEEKDAY_NAMES, key=len, reverse=True))})\.?,? (?P<rest>.+)"
)
_PERIOD_END = re.compile(
    r"(?:the )?end of (?:the )?(?P<which>this |next )?(?P<period>week|month|quarter|year)"
)
_SHORT_ENDS = {"eow": "end of week", "eom": "end of month", "eoq": "end of quarter", "eoy": "end of year"}


class TooFarError(ValueError):
    """A day that is written well but outside of the years that are computed with."""


def read_day(text: str, settings: InputSettings, *, is_past: bool = False) -> tuple[date, ...]:
    """All days that a text may mean, the likelier one first. Raises ValueError if it is no date."""
    plain = simplify(text)
    if not plain or len(plain) > LONGEST_DAY:
        raise ValueError(text)
    days = tuple(dict.fromkeys(_list_readings(_SHORT_ENDS.get(plain, plain), settings, is_past)))
    if not days:
        raise ValueError(text)
    return tuple(day for day, _ in require_near(tuple((day, day) for day in days)))


def require_near(ranges: tuple[tuple[date, date], ...]) -> tuple[tuple[date, date], ...]:
    """The ranges within the years that are computed with. Raises TooFarError if there is none."""
    near = tuple(days for days in ranges if is_in_range(days[0]) and is_in_range(days[1]))
    if not near:
        raise TooFarError(f"Use a date from {FIRST_DAY.year} to {LAST_DAY.year}.")
    return near


def is_iso(text: str) -> bool:
    """Whether a text states a day, or a range of days, in ISO's form, which needs no repetition."""
    return all(re.fullmatch(r"\d{4}-\d\d-\d\d", part) for part in simplify(text).split(".."))


def list_calendar_days(text: str, settings: InputSettings, is_past: bool = False) -> Iterator[date]:
    """All days that a text in its simplest spelling may mean, if it states a day of a month; else nothing."""
    if days := _read_day_of_month(text, settings, is_past):
        yield from days
    elif match := _WEEKDAY_BEFORE.fullmatch(text):  # `Fri 27 Nov`: the weekday must be right.
        weekday = WEEKDAY_NAMES[match["name"]]
        days = _read_day_of_month(match["rest"], settings, is_past, weekday)
        yield from (day for day in days if day.weekday() == weekday)


def _list_readings(text: str, settings: InputSettings, is_past: bool) -> Iterator[date]:
    for read in (list_calendar_days, _read_relative, _read_weekday):
        if days := list(read(text, settings, is_past)):
            yield from days
            return


def _read_day_of_month(
    text: str, settings: InputSettings, is_past: bool, weekday: int | None = None
) -> list[date]:
    return (
        list(_read_iso(text))
        or list(_read_year_first(text))
        or list(_read_numbers(text, settings, is_past, weekday))
        or list(_read_named_month(text, settings, is_past, weekday))
    )


def _read_iso(text: str) -> Iterator[date]:
    try:
        yield date.fromisoformat(text.upper())
    except ValueError:
        return


def _read_year_first(text: str) -> Iterator[date]:
    if match := _YEAR_FIRST.fullmatch(text):
        yield from build_day(int(match[1]), int(match[3]), int(match[4]))


def _read_numbers(text: str, settings: InputSettings, is_past: bool, weekday: int | None) -> Iterator[date]:
    """Read `25.11.`, `11/25` and `25-11-2026` in the order of the team's locale."""
    match = _NUMBERS.fullmatch(text)
    if match is None:
        return
    mark, first, second, year = match[2] or ".", int(match[1]), int(match[3] or match[4]), match[5]
    if mark == "-" and (
        year is None or len(year) == 2
    ):  # Too much like a range, or like the end of an ISO date.
        return
    order = settings.locale.first if settings.locale else None
    if order == "year" and year is not None and len(year) == 2:
        yield from build_day(2000 + first, second, int(year))
        return
    orders = _list_orders(order, mark)
    # If it is no date in the team's order, it was written in the other one.
    for attempt in (orders, (not orders[0],)):
        days = [
            day
            for is_month_first in attempt
            for day in _complete_day(
                year, *((first, second) if is_month_first else (second, first)), settings, is_past, weekday
            )
        ]
        if days:
            yield from days
            return


def _list_orders(first_part: str | None, mark: str) -> tuple[bool, ...]:
    """Whether the month comes before the day: one answer, or both where nothing tells."""
    if first_part is None:
        return (False, True) if mark == "/" else (False,)
    if first_part == "month":  # Full stops between numbers are a habit of those who write the day first.
        return (True,) if mark == "/" else (False, True)
    return (first_part == "year",)


def _read_named_month(
    text: str, settings: InputSettings, is_past: bool, weekday: int | None
) -> Iterator[date]:
    for form in _NAMED_FORMS:
        if match := form.fullmatch(text):
            month, day = _MONTHS[match["month"]], int(match["day"])
            yield from _complete_day(match["year"], month, day, settings, is_past, weekday)
            return


def _complete_day(
    year: str | None, month: int, day: int, settings: InputSettings, is_past: bool, weekday: int | None
) -> Iterator[date]:
    """The day of a year, or of the nearest year in which it exists and falls on the weekday."""
    if year is not None:
        yield from build_day(int(year) + (2000 if len(year) == 2 else 0), month, day)
        return
    today = settings.today
    years = range(today.year, today.year + 9) if not is_past else range(today.year, today.year - 9, -1)
    for possible in years:
        for candidate in build_day(possible, month, day):
            is_on_its_side = candidate <= today if is_past else candidate >= today
            if is_on_its_side and weekday in {None, candidate.weekday()}:
                yield candidate
                return


def build_day(year: int, month: int, day: int) -> Iterator[date]:
    """The day with these numbers, or nothing if there is none."""
    try:
        yield date(year, month, day)
    except ValueError:
        return


def _read_relative(text: str, settings: InputSettings, is_past: bool) -> Iterator[date]:
    today = settings.today
    if text in _SINGLE_DAYS:
        yield today + timedelta(days=_SINGLE_DAYS[text])
    elif match := _AWAY.fullmatch(text):
        yield from _read_distance(match, today, is_past)
    elif match := _PERIOD_END.fullmatch(text):
        yield _PERIOD_ENDS[match["period"]](today, match["which"] == "next ")
    elif text in {"next week", "next month"}:
        yield from _list_bounds(text, today)


_SINGLE_DAYS = {
    "today": 0,
    "now": 0,
    "tonight": 0,
    "tomorrow": 1,
    "day after tomorrow": 2,
    "the day after tomorrow": 2,
    "yesterday": -1,
    "day before yesterday": -2,
    "the day before yesterday": -2,
}


def _read_distance(match: re.Match[str], today: date, is_past: bool) -> Iterator[date]:
    count = _COUNTS.get(match["count"]) or int(match["count"])
    sign, after = (match["sign"] or "").strip(), (match["after"] or "").strip()
    is_back = sign == "-" or after in {"ago", "back"} or (is_past and not sign and not after)
    amount = -count if is_back else count
    unit = match["unit"][0]
    try:
        if unit in "dw":
            yield today + amount * (_A_DAY if unit == "d" else _A_WEEK)
        else:
            yield _add_months(today, amount * (1 if unit == "m" else 12))
    except (OverflowError, ValueError):
        raise TooFarError(f"Use a date from {FIRST_DAY.year} to {LAST_DAY.year}.") from None


def _add_months(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        raise ValueError(year)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _find_month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _end_week(today: date, is_next: bool) -> date:
    """The Friday of the week; on a weekend that of the week that comes."""
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    return friday + _A_WEEK if is_next else friday


def _end_month(today: date, is_next: bool) -> date:
    return _find_month_end(_add_months(today.replace(day=1), 1 if is_next else 0))


def _end_quarter(today: date, is_next: bool) -> date:
    return _find_month_end(_add_months(today.replace(day=1), (-today.month) % 3 + (3 if is_next else 0)))


def _end_year(today: date, is_next: bool) -> date:
    return date(today.year + is_next, 12, 31)


_PERIOD_ENDS: dict[str, Callable[[date, bool], date]] = {
    "week": _end_week,
    "month": _end_month,
    "quarter": _end_quarter,
    "year": _end_year,
}


def _list_bounds(period: str, today: date) -> tuple[date, date]:
    """Monday and Friday of the next week, or the first and the last day of the next month."""
    if period == "next week":
        monday = today + timedelta(days=7 - today.weekday())
        return monday, monday + timedelta(days=4)
    last = _end_month(today, True)
    return last.replace(day=1), last


def _read_weekday(text: str, settings: InputSettings, is_past: bool) -> Iterator[date]:
    """The nearest day with this name; today counts, but not for the next or the last one."""
    match = _WEEKDAY_ONLY.fullmatch(text)
    if match is None:
        return
    which, weekday, today = (match["which"] or "").strip(), WEEKDAY_NAMES[match["name"]], settings.today
    if which == "last" or (is_past and which != "next"):
        yield today - timedelta(days=((today.weekday() - weekday) % 7) or (7 if which == "last" else 0))
    else:
        yield today + timedelta(days=((weekday - today.weekday()) % 7) or (7 if which == "next" else 0))
