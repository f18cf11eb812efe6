"""Parse the arguments after a command's name: `"quoted text"`, `key:value` and plain words."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum

from charts.reading import whole
from commands.formatting.foreign_text import code
from commands.framework.errors import UserError
from sprints.calendar import FIRST_DAY, LAST_DAY, is_in_range

_QUOTES = '"“”„'
_QUOTED = rf"[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]"
_TOKEN = re.compile(
    rf"(?:(?P<key>[a-z][a-z-]*):(?!//))?"
    rf"(?:(?P<quoted>{_QUOTED}(?:,\s*{_QUOTED})*)|(?P<endless>[{_QUOTES}].*)|(?P<word>\S+))",
    re.IGNORECASE,
)
_INSIDE = re.compile(rf"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]")
_ITEM = re.compile(r"^(?:[\w.-]+/[\w.-]+)?#[1-9]\d{0,9}$")
_DAYS = re.compile(r"^(\d{1,9})d?$", re.IGNORECASE)
_BATCH = re.compile(r"(?:(?P<count>\d{1,9})\s*[x×]\s*)?(?P<size>[\d.,]+)", re.IGNORECASE)
_MOST_POINTS, _MOST_ITEMS = Decimal(9999), 100
# Characters of a faulty line that an error shows on each side of the fault, and of the fault itself.
_MOST_SHOWN = 100
_LONGEST_NUMBER = 20

Day = date


@dataclass(frozen=True, slots=True)
class _DateRange:
    first: Day
    last: Day


@dataclass(frozen=True, slots=True)
class ItemCount:
    """A number of items of one size: `2x5` means two of size 5. A bare `8` has no count."""

    size: Decimal
    count: int | None = None


Value = str | date | bool | int | Decimal | tuple[str, ...] | _DateRange | ItemCount


class ArgumentKind(Enum):
    """The type of an argument's value; each member's value is its placeholder in the syntax."""

    TEXT = "text"
    TEXTS = '"one","two"'
    CHOICE = "choice"
    DATE = "date"
    DATES = "date..date"
    FLAG = "yes or no"
    ITEMS = "#1,#2"
    NUMBER = "number"
    DAYS = "days"
    BATCH = "2x5"
    PERSON = "@login"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command.

    A positional argument is given without its name; ITEMS and TEXTS may then be repeated. `choices` go with
    CHOICE; `limits` are the lowest and the highest value of NUMBER or DAYS.
    """

    name: str
    kind: ArgumentKind
    summary: str
    is_positional: bool = False
    choices: tuple[str, ...] = ()
    is_required: bool = False
    limits: tuple[int, int] | None = None

    @property
    def syntax(self) -> str:
        """The argument as the list of commands writes it; optional arguments stand in square brackets."""
        if self.is_positional:
            shown = _POSITIONAL.get(self.kind, '"{name}"').format(name=self.name)
            if self.choices:
                shown = "\\|".join(self.choices)
        else:
            shown = f"{self.name}:{self._value_syntax}"
        return shown if self.is_required else f"[{shown}]"

    @property
    def _value_syntax(self) -> str:
        if self.choices:
            return "\\|".join(self.choices)
        return "yes" if self.kind is ArgumentKind.FLAG else self.kind.value


_POSITIONAL = {
    ArgumentKind.ITEMS: "#1 #2",
    ArgumentKind.NUMBER: "{name}",
    ArgumentKind.DATES: "date..date",
    ArgumentKind.DATE: "{name}",
    ArgumentKind.PERSON: "@login",
    ArgumentKind.CHOICE: "{name}",
}


@dataclass(frozen=True, slots=True)
class Word:
    """One argument as typed; `start` and `end` are its position in the line, `values` its parts."""

    key: str | None
    value: str
    start: int
    end: int
    values: tuple[str, ...] = ()


class Arguments:
    """The parsed values of a command's arguments, by name."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    @property
    def values(self) -> Mapping[str, Value]:
        """All given values, by name."""
        return self._values

    def text(self, name: str) -> str | None:
        """The value of a TEXT, CHOICE or PERSON argument."""
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """The values of a TEXTS argument, or of ITEMS as `#12` and `owner/repo#12`; empty if not given."""
        value = self._values.get(name)
        return value if isinstance(value, tuple) else ()

    def numbers(self, name: str) -> tuple[int, ...]:
        """The numbers of an ITEMS argument. Raises UserError for an item of another repository."""
        return tuple(_parse_own_number(item) for item in self.texts(name))

    def date(self, name: str) -> date | None:
        """The value of a DATE argument."""
        value = self._values.get(name)
        return value if isinstance(value, date) else None

    def dates(self, name: str) -> tuple[Day, Day] | None:
        """The first and the last day of a DATES argument."""
        value = self._values.get(name)
        return (value.first, value.last) if isinstance(value, _DateRange) else None

    def number(self, name: str) -> int | None:
        """The value of a NUMBER argument, or a DAYS argument in days."""
        value = self._values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def batch(self, name: str) -> ItemCount | None:
        """The value of a BATCH argument."""
        value = self._values.get(name)
        return value if isinstance(value, ItemCount) else None

    def flag(self, name: str) -> bool:
        """Whether a FLAG argument was given as `yes`."""
        return self._values.get(name) is True


def split_words(line: str, start: int) -> list[Word]:
    """Split a line into words from the position `start` on. Raises UserError for an open quotation."""
    words = []
    for match in _TOKEN.finditer(line, start):
        if match["endless"] is not None:
            raise UserError(f"The quotation never ends: {_mark_place(line, match.start(), len(line))}")
        key = match["key"].lower() if match["key"] else None
        if match["quoted"] is not None:
            values = tuple(_INSIDE.findall(match["quoted"]))
            words.append(Word(key, values[0], match.start(), match.end(), values))
        else:
            values = tuple(part for part in match["word"].split(",") if part)
            words.append(Word(key, match["word"], match.start(), match.end(), values))
    return words


def parse_arguments(line: str, words: Sequence[Word], accepted: Sequence[Argument]) -> Arguments:
    """Parse words as the accepted arguments. Raises UserError that points at the faulty word."""
    named = {argument.name: argument for argument in accepted if not argument.is_positional}
    positional = [argument for argument in accepted if argument.is_positional]
    values: dict[str, Value] = {}
    for word in words:
        place = _mark_place(line, word.start, word.end)
        if word.key and word.key in named:
            argument = named[word.key]
        elif word.key is None and positional:
            argument = positional[0]
            if argument.kind not in _REPEATABLE:
                positional.pop(0)
        else:
            names = ", ".join(f"`{a.syntax.strip('[]')}`".replace("\\|", "|") for a in accepted) or "none"
            raise UserError(f"I do not know this argument: {place}. This command takes {names}.")
        values[argument.name] = _merge_value(values.get(argument.name), argument, word, place)
    for argument in accepted:
        if argument.is_required and argument.name not in values:
            raise UserError(f"`{argument.syntax}` is missing: {argument.summary}.".replace("\\|", "|"))
    return Arguments(values)


def _merge_value(earlier: Value | None, argument: Argument, word: Word, place: str) -> Value:
    value = _parse_value(argument, word, place)
    if earlier is None:
        return value
    if argument.is_positional and isinstance(earlier, tuple) and isinstance(value, tuple):
        return (*earlier, *value)
    raise UserError(f"`{argument.name}` is given twice: {place}")


def _parse_value(argument: Argument, word: Word, place: str) -> Value:
    if not word.value.strip():
        raise UserError(f"`{argument.name}` is empty: {place}")
    try:
        return _PARSERS[argument.kind](argument, word)
    except (ValueError, InvalidOperation):
        requirement = _REQUIREMENTS[argument.kind].format(
            choices=" or ".join(f"`{choice}`" for choice in argument.choices)
        )
        if argument.limits:
            requirement = "a whole number from {} to {}".format(*map(whole, argument.limits))
        raise UserError(f"`{argument.name}` must be {requirement}: {place}") from None


def _parse_choice(argument: Argument, word: Word) -> str:
    if word.value.lower() not in argument.choices:
        raise ValueError(word.value)
    return word.value.lower()


def _parse_dates(_: Argument, word: Word) -> _DateRange:
    first, _dots, last = word.value.partition("..")
    days = _DateRange(_parse_day(first), _parse_day(last or first))
    if days.first > days.last:
        raise ValueError(word.value)
    return days


def _parse_day(text: str) -> Day:
    """Parse an ISO date. Raises ValueError for anything else, UserError for a date too far away."""
    day = date.fromisoformat(text)
    if not is_in_range(day):
        raise UserError(
            f"`{day.isoformat()}` is too far away. Use a date from {FIRST_DAY.year} to {LAST_DAY.year}."
        )
    return day


def _parse_flag(_: Argument, word: Word) -> bool:
    if word.value.lower() not in {"yes", "no"}:
        raise ValueError(word.value)
    return word.value.lower() == "yes"


def _parse_items(_: Argument, word: Word) -> tuple[str, ...]:
    if not word.values or not all(_ITEM.match(item) for item in word.values):
        raise ValueError(word.value)
    return word.values


def _parse_number(argument: Argument, word: Word) -> int:
    if not re.fullmatch(r"\d{1,6}", word.value):
        raise ValueError(word.value)
    return _require_limits(argument, int(word.value))


def _require_limits(argument: Argument, value: int) -> int:
    """The number, if it is within the limits of its argument. Raises ValueError otherwise."""
    if argument.limits and not argument.limits[0] <= value <= argument.limits[1]:
        raise ValueError(value)
    return value


def _parse_days(_: Argument, word: Word) -> int:
    match = _DAYS.match(word.value)
    if match is None:
        raise ValueError(word.value)
    return int(match[1])


def _parse_batch(_: Argument, word: Word) -> ItemCount:
    match = _BATCH.fullmatch(word.value.strip())
    if match is None:
        raise ValueError(word.value)
    points, count = _parse_size(match["size"]), int(match["count"] or 1)
    if not 1 <= count <= _MOST_ITEMS:
        raise ValueError(word.value)
    return ItemCount(points, count if match["count"] else None)


def _parse_size(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(text)
    points = Decimal(text.replace(",", "."))
    if not 0 <= points <= _MOST_POINTS or points != round(points, 2):
        raise ValueError(text)
    return points


def _parse_person(_: Argument, word: Word) -> str:
    login = word.value.removeprefix("@")
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})", login):
        raise ValueError(word.value)
    return login


def _parse_own_number(item: str) -> int:
    repository, _, number = item.rpartition("#")
    if repository:
        raise UserError(
            f"{code(item)} is of another repository; this works on items of this one, such as `#12`."
        )
    return int(number)


_REPEATABLE = {ArgumentKind.ITEMS, ArgumentKind.TEXTS}
_PARSERS: dict[ArgumentKind, Callable[[Argument, Word], Value]] = {
    ArgumentKind.TEXT: lambda _, word: word.value.strip(),
    ArgumentKind.TEXTS: lambda _, word: word.values,
    ArgumentKind.CHOICE: _parse_choice,
    ArgumentKind.DATE: lambda _, word: _parse_day(word.value),
    ArgumentKind.DATES: _parse_dates,
    ArgumentKind.FLAG: _parse_flag,
    ArgumentKind.ITEMS: _parse_items,
    ArgumentKind.NUMBER: _parse_number,
    ArgumentKind.DAYS: _parse_days,
    ArgumentKind.BATCH: _parse_batch,
    ArgumentKind.PERSON: _parse_person,
}
_REQUIREMENTS = {
    ArgumentKind.TEXT: "a text",
    ArgumentKind.TEXTS: 'texts in quotation marks, such as `"one","two"`',
    ArgumentKind.CHOICE: "{choices}",
    ArgumentKind.DATE: "a date such as `2026-12-01`",
    ArgumentKind.DATES: (
        "a day such as `2026-12-24`, or a first and a last one such as `2026-12-24..2027-01-02`"
    ),
    ArgumentKind.FLAG: "`yes` or `no`",
    ArgumentKind.ITEMS: "issues or pull requests such as `#12` or `#12,#15`",
    ArgumentKind.NUMBER: "a whole number such as `5`",
    ArgumentKind.DAYS: "a number of days such as `2d`",
    ArgumentKind.BATCH: (
        f"one size up to {_MOST_POINTS}, such as `8` or `0.5`, or up to {_MOST_ITEMS} items of a size, "
        "such as `2x5`"
    ),
    ArgumentKind.PERSON: "a login such as `@alice`",
}


def _mark_place(line: str, start: int, end: int) -> str:
    """The line as code, with arrows around the place from `start` to `end`."""
    before, place, after = line[:start], line[start:end], line[end:]
    if len(before) > _MOST_SHOWN:
        before = f"…{before[-_MOST_SHOWN:]}"
    return code(f"{before}👉{_shorten(place)}👈{_shorten(after)}")


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
