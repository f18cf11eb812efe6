"""The words after a command: `"quoted text"`, `key:value`, and plain words, each with its place."""

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
# Of a line that is wrong, so much is shown on each side of the place, and of the place itself.
_MOST_SHOWN = 100
_LONGEST_NUMBER = 20

Day = date


@dataclass(frozen=True, slots=True)
class _Days:
    first: Day
    last: Day


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one size: `2x5` are two of size 5. A bare `8` has no count."""

    size: Decimal
    count: int | None = None


Value = str | date | bool | int | Decimal | tuple[str, ...] | _Days | Batch


class ArgumentKind(Enum):
    """What an argument's value must be. Its value is how the syntax names it."""

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

    A positional one is given without its name; of ITEMS and TEXTS there may then be several. `choices` go
    with CHOICE; `limits` are the least and the most that NUMBER or DAYS may be. One that `is_required` must
    be given.
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
        """How it is written, as in the list of commands."""
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
    """One argument as it was typed; `start` and `end` are its place in the line, `values` its parts."""

    key: str | None
    value: str
    start: int
    end: int
    values: tuple[str, ...] = ()


class Arguments:
    """The values given to a command, by argument."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Several texts, or items as `#12` and `owner/repo#12`; empty where none were given."""
        value = self._values.get(name)
        return value if isinstance(value, tuple) else ()

    def numbers(self, name: str) -> tuple[int, ...]:
        """Items of this repository. Raises UserError for one of another repository."""
        return tuple(_own_number(one) for one in self.texts(name))

    def date(self, name: str) -> date | None:
        value = self._values.get(name)
        return value if isinstance(value, date) else None

    def dates(self, name: str) -> tuple[Day, Day] | None:
        """The first and the last day of a range."""
        value = self._values.get(name)
        return (value.first, value.last) if isinstance(value, _Days) else None

    def number(self, name: str) -> int | None:
        value = self._values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def batch(self, name: str) -> Batch | None:
        """Items of one size."""
        value = self._values.get(name)
        return value if isinstance(value, Batch) else None

    def flag(self, name: str) -> bool:
        return self._values.get(name) is True


def words_of(line: str, start: int) -> list[Word]:
    """The words of a line from `start` on. Raises UserError for a quotation that never ends."""
    words = []
    for match in _TOKEN.finditer(line, start):
        if match["endless"] is not None:
            raise UserError(f"The quotation never ends: {_spot(line, match.start(), len(line))}")
        key = match["key"].lower() if match["key"] else None
        if match["quoted"] is not None:
            values = tuple(_INSIDE.findall(match["quoted"]))
            words.append(Word(key, values[0], match.start(), match.end(), values))
        else:
            values = tuple(part for part in match["word"].split(",") if part)
            words.append(Word(key, match["word"], match.start(), match.end(), values))
    return words


def read(line: str, words: Sequence[Word], accepted: Sequence[Argument]) -> Arguments:
    """The values of the accepted arguments. Raises UserError that points at what cannot be understood."""
    named = {argument.name: argument for argument in accepted if not argument.is_positional}
    positional = [argument for argument in accepted if argument.is_positional]
    values: dict[str, Value] = {}
    for word in words:
        spot = _spot(line, word.start, word.end)
        if word.key and word.key in named:
            argument = named[word.key]
        elif word.key is None and positional:
            argument = positional[0]
            if argument.kind not in _SEVERAL:
                positional.pop(0)
        else:
            known = ", ".join(f"`{a.syntax.strip('[]')}`".replace("\\|", "|") for a in accepted) or "none"
            raise UserError(f"I do not know this argument: {spot}. This command takes {known}.")
        values[argument.name] = _with_value(values.get(argument.name), argument, word, spot)
    for argument in accepted:
        if argument.is_required and argument.name not in values:
            raise UserError(f"`{argument.syntax}` is missing: {argument.summary}.".replace("\\|", "|"))
    return Arguments(values)


def _with_value(before: Value | None, argument: Argument, word: Word, spot: str) -> Value:
    value = _value(argument, word, spot)
    if before is None:
        return value
    if argument.is_positional and isinstance(before, tuple) and isinstance(value, tuple):
        return (*before, *value)
    raise UserError(f"`{argument.name}` is given twice: {spot}")


def _value(argument: Argument, word: Word, spot: str) -> Value:
    if not word.value.strip():
        raise UserError(f"`{argument.name}` is empty: {spot}")
    try:
        return _READERS[argument.kind](argument, word)
    except (ValueError, InvalidOperation):
        must = _MUST[argument.kind].format(choices=" or ".join(f"`{one}`" for one in argument.choices))
        if argument.limits:
            must = "a whole number from {} to {}".format(*map(whole, argument.limits))
        raise UserError(f"`{argument.name}` must be {must}: {spot}") from None


def _choice(argument: Argument, word: Word) -> str:
    if word.value.lower() not in argument.choices:
        raise ValueError(word.value)
    return word.value.lower()


def _dates(_: Argument, word: Word) -> _Days:
    first, _dots, last = word.value.partition("..")
    days = _Days(_day(first), _day(last or first))
    if days.first > days.last:
        raise ValueError(word.value)
    return days


def _day(text: str) -> Day:
    """A day as people type it. Raises ValueError for what is no date, UserError for one too far away."""
    day = date.fromisoformat(text)
    if not is_in_range(day):
        raise UserError(
            f"`{day.isoformat()}` is too far away. Use a date from {FIRST_DAY.year} to {LAST_DAY.year}."
        )
    return day


def _flag(_: Argument, word: Word) -> bool:
    if word.value.lower() not in {"yes", "no"}:
        raise ValueError(word.value)
    return word.value.lower() == "yes"


def _items(_: Argument, word: Word) -> tuple[str, ...]:
    if not word.values or not all(_ITEM.match(one) for one in word.values):
        raise ValueError(word.value)
    return word.values


def _number(argument: Argument, word: Word) -> int:
    if not re.fullmatch(r"\d{1,6}", word.value):
        raise ValueError(word.value)
    return _within(argument, int(word.value))


def _within(argument: Argument, value: int) -> int:
    """A number within the limits of its argument. Raises ValueError for one beyond them."""
    if argument.limits and not argument.limits[0] <= value <= argument.limits[1]:
        raise ValueError(value)
    return value


def _days(_: Argument, word: Word) -> int:
    match = _DAYS.match(word.value)
    if match is None:
        raise ValueError(word.value)
    return int(match[1])


def _batch(_: Argument, word: Word) -> Batch:
    match = _BATCH.fullmatch(word.value.strip())
    if match is None:
        raise ValueError(word.value)
    size, count = _size(match["size"]), int(match["count"] or 1)
    if not 1 <= count <= _MOST_ITEMS:
        raise ValueError(word.value)
    return Batch(size, count if match["count"] else None)


def _size(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(text)
    size = Decimal(text.replace(",", "."))
    if not 0 <= size <= _MOST_POINTS or size != round(size, 2):
        raise ValueError(text)
    return size


def _person(_: Argument, word: Word) -> str:
    login = word.value.removeprefix("@")
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})", login):
        raise ValueError(word.value)
    return login


def _own_number(item: str) -> int:
    repository, _, number = item.rpartition("#")
    if repository:
        raise UserError(
            f"{code(item)} is of another repository; this works on items of this one, such as `#12`."
        )
    return int(number)


_SEVERAL = {ArgumentKind.ITEMS, ArgumentKind.TEXTS}
_READERS: dict[ArgumentKind, Callable[[Argument, Word], Value]] = {
    ArgumentKind.TEXT: lambda _, word: word.value.strip(),
    ArgumentKind.TEXTS: lambda _, word: word.values,
    ArgumentKind.CHOICE: _choice,
    ArgumentKind.DATE: lambda _, word: _day(word.value),
    ArgumentKind.DATES: _dates,
    ArgumentKind.FLAG: _flag,
    ArgumentKind.ITEMS: _items,
    ArgumentKind.NUMBER: _number,
    ArgumentKind.DAYS: _days,
    ArgumentKind.BATCH: _batch,
    ArgumentKind.PERSON: _person,
}
_MUST = {
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


def _spot(line: str, start: int, end: int) -> str:
    """The line as code, with an arrow to the place that is meant."""
    before, spot, after = line[:start], line[start:end], line[end:]
    if len(before) > _MOST_SHOWN:
        before = f"…{before[-_MOST_SHOWN:]}"
    return code(f"{before}👉{_beginning(spot)}👈{_beginning(after)}")


def _beginning(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
