"""Parse the value of one argument, by its kind."""

import re
from collections.abc import Callable
from datetime import date

from charts.reading import whole
from commands.formatting.foreign_text import is_blank
from commands.formatting.wording import weekday, weekdays
from commands.framework.arguments import Argument, ArgumentKind, DateRange, Estimate, ItemCount, Value
from commands.framework.date_ranges import read_days
from commands.framework.dates import TooFarError, read_day
from commands.framework.errors import Fault, Reading, ValueFaultError
from commands.framework.input_settings import InputSettings
from commands.framework.plain_input import simplify
from commands.framework.sizes import read_batch, read_estimate

# The most words of a value that is written without quotation marks: `Fri, 27 Nov 2026`, `2 x 5 points`.
MOST_WORDS = {
    ArgumentKind.DATE: 6,
    ArgumentKind.DATES: 11,
    ArgumentKind.NUMBER: 2,
    ArgumentKind.DAYS: 3,
    ArgumentKind.ESTIMATE: 4,
    ArgumentKind.BATCH: 5,
}
# The most characters of a value that is no free text.
_LONGEST = 130
_YES, _NO = {"yes", "y", "true", "on", "1", "ok"}, {"no", "n", "false", "off", "0"}
_NUMBER = re.compile(r"(\d{1,9}) ?(?:weeks?|sprints?|items?|issues?|entries)?", re.ASCII)
_DAYS = re.compile(r"(\d{1,9}) ?(?:d|days?|working days?)?", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}")
_LEAST_OF_CHOICE = 3


def parse_value(argument: Argument, text: str, settings: InputSettings) -> Value:
    """Parse a value that is neither free text nor a list. Raises ValueFaultError."""
    if is_blank(text):
        raise ValueFaultError(Fault.EMPTY)
    if len(text) > _LONGEST and argument.kind is not ArgumentKind.WORD:
        raise ValueFaultError(Fault.INVALID)
    try:
        return _PARSERS[argument.kind](argument, text, settings)
    except ValueFaultError:
        raise
    except TooFarError as problem:
        raise ValueFaultError(Fault.TOO_FAR, detail=str(problem)) from None
    except ValueError:
        raise ValueFaultError(Fault.INVALID) from None


def _parse_word(_: Argument, text: str, __: InputSettings) -> str:
    return text.strip()


def _parse_choice(argument: Argument, text: str, _: InputSettings) -> str:
    plain = simplify(text)
    if plain in argument.choices:
        return plain
    close = [choice for choice in argument.choices if choice.startswith(plain) or plain.startswith(choice)]
    if (
        len(close) == 1
        and min(len(plain), len(close[0])) >= _LEAST_OF_CHOICE
        and len(plain) < 2 * len(close[0])
    ):
        return close[0]
    raise ValueError(text)


def _parse_date(argument: Argument, text: str, settings: InputSettings) -> date:
    days = read_day(text, settings, is_past=argument.is_past)
    if len(days) > 1:
        raise ValueFaultError(
            Fault.AMBIGUOUS, tuple(Reading(day.isoformat(), weekday(day, with_year=True)) for day in days)
        )
    return days[0]


def _parse_dates(argument: Argument, text: str, settings: InputSettings) -> DateRange:
    ranges = read_days(text, settings, is_past=argument.is_past)
    if len(ranges) > 1:
        raise ValueFaultError(
            Fault.AMBIGUOUS,
            tuple(Reading(format_range(first, last), _describe_range(first, last)) for first, last in ranges),
        )
    first, last = ranges[0]
    if first > last:
        raise ValueError(text)
    return DateRange(first, last)


def format_range(first: date, last: date) -> str:
    """A range of days as it is typed."""
    return first.isoformat() if first == last else f"{first.isoformat()}..{last.isoformat()}"


def _describe_range(first: date, last: date) -> str:
    if first == last:
        return weekday(first, with_year=True)
    return weekdays(first, last) if first.year != last.year else f"{weekdays(first, last)} {last.year}"


def _parse_flag(_: Argument, text: str, __: InputSettings) -> bool:
    plain = simplify(text)
    if plain not in _YES | _NO:
        raise ValueError(text)
    return plain in _YES


def _parse_number(argument: Argument, text: str, _: InputSettings) -> int:
    match = _NUMBER.fullmatch(simplify(text))
    if match is None:
        raise ValueError(text)
    return _require_limits(argument, int(match[1]))


def _parse_days(argument: Argument, text: str, _: InputSettings) -> int:
    match = _DAYS.fullmatch(simplify(text))
    if match is None:
        raise ValueError(text)
    return _require_limits(argument, int(match[1]))


def _require_limits(argument: Argument, value: int) -> int:
    """The number, if it is within the limits of its argument. Raises ValueError otherwise."""
    if argument.limits and not argument.limits[0] <= value <= argument.limits[1]:
        raise ValueError(whole(value))
    return value


def _parse_estimate(_: Argument, text: str, settings: InputSettings) -> Estimate:
    return Estimate(read_estimate(text, settings.sizes))


def _parse_batch(_: Argument, text: str, settings: InputSettings) -> ItemCount:
    return ItemCount(*read_batch(text, settings.sizes))


def _parse_person(_: Argument, text: str, __: InputSettings) -> str:
    login = text.strip().rstrip(".,:;!").removeprefix("@").removeprefix("＠")
    if not _LOGIN.fullmatch(login):
        raise ValueError(text)
    return login


_PARSERS: dict[ArgumentKind, Callable[[Argument, str, InputSettings], Value]] = {
    ArgumentKind.WORD: _parse_word,
    ArgumentKind.CHOICE: _parse_choice,
    ArgumentKind.DATE: _parse_date,
    ArgumentKind.DATES: _parse_dates,
    ArgumentKind.FLAG: _parse_flag,
    ArgumentKind.NUMBER: _parse_number,
    ArgumentKind.DAYS: _parse_days,
    ArgumentKind.ESTIMATE: _parse_estimate,
    ArgumentKind.BATCH: _parse_batch,
    ArgumentKind.PERSON: _parse_person,
}
