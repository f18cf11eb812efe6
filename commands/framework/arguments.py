"""Arguments of commands: their declarations, and the values that a line gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

from commands.formatting.foreign_text import code
from commands.framework.errors import UserError

Day = date


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from `first` to `last`, both included."""

    first: Day
    last: Day


@dataclass(frozen=True, slots=True)
class ItemCount:
    """A number of items of one size: `2x5` means two of size 5.

    A bare `8` has no count, and `3 items` no size.
    """

    size: Decimal | None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A given estimate; its points are None if the item is to have none."""

    points: Decimal | None


Value = str | date | bool | int | Decimal | tuple[str, ...] | DateRange | ItemCount | Estimate


class ArgumentKind(Enum):
    """The type of an argument's value; each member's value is its placeholder in the syntax.

    TEXT takes all words up to the next name, with or without quotation marks, and SPRINT likewise the title
    or the number of a sprint. WORD is a single word.
    """

    TEXT = "text"
    WORD = "word"
    TEXTS = '"one","two"'
    SPRINT = '"title"'
    CHOICE = "choice"
    DATE = "date"
    DATES = "date..date"
    FLAG = "yes or no"
    ITEM = "#1"
    ITEMS = "#1,#2"
    NUMBER = "number"
    DAYS = "days"
    ESTIMATE = "points"
    BATCH = "2x5"
    PERSON = "@login"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command.

    A positional argument is given without its name; ITEMS and TEXTS may then be repeated. `choices` go with
    CHOICE; `limits` are the lowest and the highest value of NUMBER or DAYS. `aliases` are other names of it.
    A date without a year that `is_past` is the latest such day, else the next one. `example` is a value for
    errors to show, where nothing better can be derived from the repository.
    """

    name: str
    kind: ArgumentKind
    summary: str
    is_positional: bool = False
    choices: tuple[str, ...] = ()
    is_required: bool = False
    limits: tuple[int, int] | None = None
    aliases: tuple[str, ...] = ()
    is_past: bool = False
    example: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the argument, its own first."""
        return (self.name, *self.aliases)

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
    ArgumentKind.ITEM: "#1",
    ArgumentKind.ITEMS: "#1 #2",
    ArgumentKind.NUMBER: "{name}",
    ArgumentKind.ESTIMATE: "{name}",
    ArgumentKind.WORD: "{name}",
    ArgumentKind.DATES: "date..date",
    ArgumentKind.DATE: "{name}",
    ArgumentKind.PERSON: "@login",
    ArgumentKind.CHOICE: "{name}",
}


@dataclass(frozen=True, slots=True)
class DateNote:
    """A day, or a range of days, as it was typed and as it was read."""

    typed: str
    first: Day
    last: Day


@dataclass(frozen=True, slots=True)
class Places:
    """Where a line holds the values of its arguments, by name: each with its start and its end."""

    line: str = ""
    by_name: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def remove_argument(self, name: str) -> str:
        """The line without an argument's name and value; unchanged if it is not given."""
        start, end = self.by_name.get(name, (len(self.line), len(self.line)))
        return f"{self.line[:start].rstrip()} {self.line[end:].lstrip()}".strip()

    def replace_value(self, argument: Argument, value: str) -> str:
        """The line with another value for an argument, in the place of the present one or at the end."""
        return self.insert(argument, value if argument.is_positional else f"{argument.name}:{value}")

    def insert(self, argument: Argument, text: str) -> str:
        """The line with a text in the place of an argument, or at the end if that is not given."""
        start, end = self.by_name.get(argument.name, (len(self.line), len(self.line)))
        return " ".join(filter(None, (self.line[:start].rstrip(), text, self.line[end:].lstrip())))


class Arguments:
    """The parsed values of a command's arguments, by name.

    `dates` are those that were not typed in ISO's form.
    """

    def __init__(
        self,
        values: Mapping[str, Value],
        accepted: Sequence[Argument] = (),
        dates: Sequence[DateNote] = (),
        places: Places | None = None,
    ) -> None:
        self._values = values
        self._accepted = accepted
        self._names = {alias: argument.name for argument in accepted for alias in argument.aliases}
        self.dates_read = tuple(dates)
        self.places = places or Places()

    def with_text(self, name: str, text: str) -> "Arguments":
        """The same values with another one for a TEXT or SPRINT argument."""
        return Arguments({**self._values, name: text}, self._accepted, self.dates_read, self.places)

    @property
    def values(self) -> Mapping[str, Value]:
        """All given values, by name."""
        return self._values

    def text(self, name: str) -> str | None:
        """The value of a TEXT, WORD, SPRINT, CHOICE or PERSON argument."""
        value = self._find(name)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """The values of a TEXTS argument, or of ITEMS as `#12` and `owner/repo#12`; empty if not given."""
        value = self._find(name)
        return value if isinstance(value, tuple) else ()

    def numbers(self, name: str) -> tuple[int, ...]:
        """The numbers of an ITEM or ITEMS argument. Raises UserError for an item of another repository."""
        return tuple(_parse_own_number(item) for item in self.texts(name))

    def date(self, name: str) -> date | None:
        """The value of a DATE argument."""
        value = self._find(name)
        return value if isinstance(value, date) else None

    def dates(self, name: str) -> tuple[Day, Day] | None:
        """The first and the last day of a DATES argument."""
        value = self._find(name)
        return (value.first, value.last) if isinstance(value, DateRange) else None

    def number(self, name: str) -> int | None:
        """The value of a NUMBER argument, or a DAYS argument in days."""
        value = self._find(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def estimate(self, name: str) -> Estimate | None:
        """The value of an ESTIMATE argument; None if not given."""
        value = self._find(name)
        return value if isinstance(value, Estimate) else None

    def batch(self, name: str) -> ItemCount | None:
        """The value of a BATCH argument."""
        value = self._find(name)
        return value if isinstance(value, ItemCount) else None

    def flag(self, name: str) -> bool:
        """Whether a FLAG argument was given as `yes`."""
        return self._find(name) is True

    def _find(self, name: str) -> Value | None:
        return self._values.get(self._names.get(name, name))


def _parse_own_number(item: str) -> int:
    repository, _, number = item.rpartition("#")
    if repository:
        raise UserError(
            f"{code(item)} is in another repository, and this command only works on items of this one. "
            "Nothing was changed."
        )
    return int(number)
