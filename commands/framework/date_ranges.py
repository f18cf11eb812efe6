"""Read a range of days as people write it: `24 Dec - 2 Jan`, `24.-26.12.`, `28-2 Jan`, `2026-12-24..26`.

One half may be abbreviated; it ends up beside the other one, so that `28-2 Jan` begins in December. Where no
year is written, the range is the one that comes next; a range that runs today and its next one are both
possible. `next week`, `this month`, `weekend` and `2026-W52` are ranges, too.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from commands.framework.dates import (
    LONGEST_DAY,
    WEEKDAY_NAMES,
    TooFarError,
    build_day,
    list_calendar_days,
    read_day,
    require_near,
)
from commands.framework.input_settings import InputSettings
from commands.framework.plain_input import simplify
from sprints.calendar import is_in_range

_Range = tuple[date, date]
_Pairing = Callable[[InputSettings], Iterator[_Range]]

_A_YEAR = timedelta(days=366)
_YEARS_TO_TRY = range(-9, 10)  # 29 February is up to eight years away.
# Between the first and the last day of a range; a hyphen stands within days, too, and is tried last.
_BETWEEN = re.compile(r"\.\.+| (?:to|until|till|through|bis|-) |-|(?<=\d{4}-\d\d-\d\d)/")
# A half without a month, and the year that may follow the last half: `Dec 24-26, 2026`.
_DAY_ONLY = re.compile(
    rf"(?:(?P<weekday>{'|'.join(WEEKDAY_NAMES)})\.?,? )?(?:the )?"
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?(?:,? (?P<year>\d{4}))?"
)
_PERIOD = re.compile(
    r"(?:the )?(?:(?:all|whole|rest) (?:of )?)?(?:the )?(?:(?P<which>this|next) )?"
    r"(?P<unit>weekend|week|month)"
)
_ISO_WEEK = re.compile(r"(?P<year>\d{4})-?w(?P<week>\d{1,2})", re.IGNORECASE)
_MONTH_AND_DAY = re.compile(r"(\d{1,2})[./-] ?(\d{1,2})")
_YEAR_FIRST = re.compile(r"\d{4}([./-]) ?\d{1,2}\1 ?\d{1,2}")
_HAS_YEAR = re.compile(r"\d{4}|\d[./-] ?\d{1,2}[./] ?\d{2}$")


def read_days(text: str, settings: InputSettings, *, is_past: bool = False) -> tuple[_Range, ...]:
    """All ranges of days that a text may mean: a day alone, or a first and a last one."""
    plain = simplify(text)
    if len(plain) > 2 * LONGEST_DAY:
        raise ValueError(text)
    if periods := tuple(_list_periods(plain, settings.today)):
        return require_near(periods)
    try:
        return tuple((day, day) for day in read_day(plain, settings, is_past=is_past))
    except TooFarError:
        raise
    except ValueError:
        pass
    for match in _BETWEEN.finditer(plain):
        first, last = simplify(plain[: match.start()]), simplify(plain[match.end() :])
        if ranges := tuple(dict.fromkeys(_read_halves(first, last, settings, is_past))):
            return require_near(ranges)
        for half in (first, last):
            _read_or_skip(half, settings, is_past)  # Raises TooFarError for a day that can be none.
    raise ValueError(text)


def _list_periods(text: str, today: date) -> Iterator[_Range]:
    """The working days of a week, or the days of a month or a weekend; nothing for any other text.

    Of `this` week, month or weekend, the days that are left. Before a weekend, the `next` one is either.
    """
    if week := _ISO_WEEK.fullmatch(text):
        yield from _list_iso_week(int(week["year"]), int(week["week"]))
        return
    match = _PERIOD.fullmatch(text)
    if match is None:
        return
    find = _PERIODS[match["unit"]]
    first, last = find(today)
    if match["which"] != "next":
        yield max(first, today), last
        return
    if match["unit"] == "weekend" and today < first:
        yield first, last
    yield find(last + timedelta(days=1))


def _list_iso_week(year: int, week: int) -> Iterator[_Range]:
    """Monday to Friday of a week by its number; nothing if the year has no such week."""
    try:
        monday = date.fromisocalendar(year, week, 1)
    except ValueError:
        return
    yield monday, monday + timedelta(days=4)


def _find_week(day: date) -> _Range:
    """Monday to Friday of a day's week; on a weekend of the week that comes, as for `end of week`."""
    friday = day + timedelta(days=(4 - day.weekday()) % 7)
    return friday - timedelta(days=4), friday


def _find_month(day: date) -> _Range:
    following = day.replace(day=28) + timedelta(days=4)
    return day.replace(day=1), following.replace(day=1) - timedelta(days=1)


def _find_weekend(day: date) -> _Range:
    """Saturday and Sunday, of a day's week."""
    sunday = day + timedelta(days=6 - day.weekday())
    return sunday - timedelta(days=1), sunday


_PERIODS: dict[str, Callable[[date], _Range]] = {
    "week": _find_week,
    "month": _find_month,
    "weekend": _find_weekend,
}


def _read_halves(first: str, last: str, settings: InputSettings, is_past: bool) -> Iterable[_Range]:
    pair = _choose_pairing(first, last)
    if pair is None:
        return _pair_any_days(first, last, settings, is_past)
    if _HAS_YEAR.search(first) or _HAS_YEAR.search(last):
        return pair(settings)
    return _list_nearest(pair, settings, is_past)


def _choose_pairing(first: str, last: str) -> _Pairing | None:
    """How two halves become a range; None for whole days of which one needs today, such as `tomorrow`."""
    if match := _DAY_ONLY.fullmatch(first):
        return _complete_first(match, last)
    if match := _DAY_ONLY.fullmatch(last):
        return _complete_last(first, match)
    if _YEAR_FIRST.fullmatch(first) and (match := _MONTH_AND_DAY.fullmatch(last)):
        return _complete_year(first, int(match[1]), int(match[2]))
    if _is_calendar_day(first) and _is_calendar_day(last):
        return _pair_calendar_days(first, last)
    return None


def _complete_first(first: re.Match[str], last: str) -> _Pairing:
    """`24-26 Dec`, `28-2 Jan`: the day on or before the last one."""

    def pair(settings: InputSettings) -> Iterator[_Range]:
        for end in _list_days(last, settings):
            for begin in _find_beside(end, first, is_before=True):
                yield begin, end

    return pair


def _complete_last(first: str, last: re.Match[str]) -> _Pairing:
    """`Dec 24-26`, `2026-12-28 - 2`: the day on or after the first one.

    The year in `Dec 28-2, 2030` may be that of either day.
    """
    year = int(last["year"] or 0)
    years = (f" {year}", f" {year - 1}") if year else ("",)

    def pair(settings: InputSettings) -> Iterator[_Range]:
        for suffix in years:
            for begin in _list_days(first + suffix, settings):
                for end in _find_beside(begin, last, is_before=False):
                    if not year or year in {begin.year, end.year}:
                        yield begin, end

    return pair


def _complete_year(first: str, month: int, day: int) -> _Pairing:
    """`2026-12-28 - 01-02`: the year of the first day, or the next one."""

    def pair(settings: InputSettings) -> Iterator[_Range]:
        for begin in _list_days(first, settings):
            ends = (end for year in (begin.year, begin.year + 1) for end in build_day(year, month, day))
            yield from ((begin, end) for end in ends if _is_range(begin, end))

    return pair


def _pair_calendar_days(first: str, last: str) -> _Pairing:
    """`24 Dec - 2 Jan`: a day without a year is the one that is nearest to the other day."""
    is_first_dated, is_last_dated = bool(_HAS_YEAR.search(first)), bool(_HAS_YEAR.search(last))

    def pair(settings: InputSettings) -> Iterator[_Range]:
        if is_last_dated:
            for end in _list_days(last, settings):
                for begin in _list_days(first, replace(settings, today=end), is_past=True):
                    if begin <= end and (is_first_dated or _is_range(begin, end)):
                        yield begin, end
            return
        for begin in _list_days(first, settings):
            for end in _list_days(last, replace(settings, today=begin)):
                if _is_range(begin, end):
                    yield begin, end

    return pair


def _pair_any_days(first: str, last: str, settings: InputSettings, is_past: bool) -> Iterator[_Range]:
    """`today to Friday`: the last day is read as on the first one."""
    for begin in _read_or_skip(first, settings, is_past):
        for end in _read_or_skip(last, replace(settings, today=begin), False):
            if begin <= end:
                yield begin, end


def _list_nearest(pair: _Pairing, settings: InputSettings, is_past: bool) -> Iterator[_Range]:
    """Of a range without a year, the one that comes next; if it runs today, also the one after it.

    For questions about the past, the latest one; if it has not ended, also the one before it.
    """
    today = settings.today
    if not any(pair(settings)):
        return
    by_days = dict[tuple[int, ...], set[_Range]]()
    for offset in _YEARS_TO_TRY:
        for first, last in pair(replace(settings, today=date(today.year + offset, 1, 1))):
            by_days.setdefault((first.month, first.day, last.month, last.day), set()).add((first, last))
    for ranges in by_days.values():
        if is_past:
            near = sorted((days for days in ranges if days[0] <= today), reverse=True)
            is_running = bool(near) and near[0][1] > today
        else:
            near = sorted(days for days in ranges if days[1] >= today)
            is_running = bool(near) and near[0][0] < today
        yield from near[: 2 if is_running else 1]


def _list_days(text: str, settings: InputSettings, *, is_past: bool = False) -> list[date]:
    return [day for day in list_calendar_days(text, settings, is_past) if is_in_range(day)]


def _read_or_skip(text: str, settings: InputSettings, is_past: bool) -> tuple[date, ...]:
    try:
        return read_day(text, settings, is_past=is_past)
    except TooFarError:
        raise
    except ValueError:
        return ()


def _is_calendar_day(text: str) -> bool:
    return any(list_calendar_days(text, InputSettings(date(2026, 1, 1))))


def _is_range(first: date, last: date) -> bool:
    """Whether a range may be meant if one of its years is not written: `26 Dec - 24 Dec` is a slip."""
    is_reversed = first.month == last.month and first.year != last.year
    return first <= last < first + _A_YEAR and not is_reversed


def _find_beside(day: date, half: re.Match[str], *, is_before: bool) -> Iterator[date]:
    """The day of a half without a month, in the month of the other day or in the one beside that month."""
    number, month = int(half["day"]), day
    if is_before and number > day.day:
        month = day.replace(day=1) - timedelta(days=1)
    elif not is_before and number < day.day:
        month = day.replace(day=28) + timedelta(days=4)
    for candidate in build_day(month.year, month.month, number):
        if half["weekday"] is None or WEEKDAY_NAMES[half["weekday"]] == candidate.weekday():
            yield candidate
