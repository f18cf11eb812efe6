"""The words after a command: `"quoted text"`, `key:value`, and plain words, each with its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from commands.errors import UserError

_QUOTES = '"“”„'
_TOKEN = re.compile(
    rf"(?:(?P<key>[a-z][a-z-]*):)?(?:[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)(?P<end>[{_QUOTES}])?|(?P<word>\S+))",
    re.IGNORECASE,
)


class Kind(Enum):
    """What an argument's value must be."""

    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    FLAG = "yes or no"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command. A positional one is given without its name; `choices` go with CHOICE."""

    name: str
    kind: Kind
    summary: str
    is_positional: bool = False
    choices: tuple[str, ...] = ()

    @property
    def syntax(self) -> str:
        """How it is written, as in the list of commands."""
        if self.is_positional:
            return f'["{self.name}"]'
        value = (
            "\\|".join(self.choices) if self.choices else {Kind.FLAG: "yes"}.get(self.kind, self.kind.value)
        )
        return f"[{self.name}:{value}]"


@dataclass(frozen=True, slots=True)
class Word:
    """One argument as it was typed; `start` and `end` are its place in the line."""

    key: str | None
    value: str
    start: int
    end: int


class Arguments:
    """The values given to a command, by argument."""

    def __init__(self, values: Mapping[str, str | date | bool]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def date(self, name: str) -> date | None:
        value = self._values.get(name)
        return value if isinstance(value, date) else None

    def flag(self, name: str) -> bool:
        return self._values.get(name) is True


def words_of(line: str, start: int) -> list[Word]:
    """The words of a line from `start` on. Raises UserError for a quotation that never ends."""
    words = []
    for match in _TOKEN.finditer(line, start):
        if match["quoted"] is not None and match["end"] is None:
            raise UserError(f"The quotation never ends: {_spot(line, match.start(), len(line))}")
        value = match["quoted"] if match["quoted"] is not None else match["word"]
        key = match["key"].lower() if match["key"] else None
        words.append(Word(key, value, match.start(), match.end()))
    return words


def read(line: str, words: Sequence[Word], accepted: Sequence[Argument]) -> Arguments:
    """The values of the accepted arguments. Raises UserError that points at what cannot be understood."""
    named = {argument.name: argument for argument in accepted if not argument.is_positional}
    positional = [argument for argument in accepted if argument.is_positional]
    values: dict[str, str | date | bool] = {}
    for word in words:
        spot = _spot(line, word.start, word.end)
        if word.key and word.key in named:
            argument = named[word.key]
        elif word.key is None and positional:
            argument = positional.pop(0)
        else:
            known = ", ".join(f"`{a.syntax.strip('[]')}`".replace("\\|", "|") for a in accepted) or "none"
            raise UserError(f"I do not know this argument: {spot}. This command takes {known}.")
        if argument.name in values:
            raise UserError(f"`{argument.name}` is given twice: {spot}")
        values[argument.name] = _value(argument, word, spot)
    return Arguments(values)


def _value(argument: Argument, word: Word, spot: str) -> str | date | bool:
    given = word.value.strip()
    if not given:
        raise UserError(f"`{argument.name}` is empty: {spot}")
    match argument.kind:
        case Kind.TEXT:
            return given
        case Kind.CHOICE:
            if given.lower() in argument.choices:
                return given.lower()
            choices = " or ".join(f"`{choice}`" for choice in argument.choices)
            raise UserError(f"`{argument.name}` must be {choices}: {spot}")
        case Kind.DATE:
            try:
                return date.fromisoformat(given)
            except ValueError:
                raise UserError(f"`{argument.name}` must be a date such as `2026-12-01`: {spot}") from None
        case Kind.FLAG:
            if given.lower() in {"yes", "no"}:
                return given.lower() == "yes"
            raise UserError(f"`{argument.name}` must be `yes` or `no`: {spot}")


def _spot(line: str, start: int, end: int) -> str:
    """The line as code, with an arrow to the place that is meant."""
    shown = f"{line[:start]}👉{line[start:end]}👈{line[end:]}".replace("`", "'")
    return f"`{shown}`"
