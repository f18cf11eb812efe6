"""The errors that are shown to the person who typed a command."""

from dataclasses import dataclass
from enum import Enum, auto


class UserError(Exception):
    """A mistake in a command. Its text is Markdown: the mistake, and the text to write instead."""


class Fault(Enum):
    """What is wrong with a part of a line; `commands/messages/bad_input.py` has the words."""

    AMBIGUOUS = auto()
    EMPTY = auto()
    ENDLESS_QUOTATION = auto()
    GIVEN_TWICE = auto()
    INVALID = auto()
    MISSING = auto()
    NEGATIVE = auto()
    NO_SIZES = auto()
    OTHER_REPOSITORY = auto()
    TOO_FAR = auto()
    TOO_LARGE = auto()
    TOO_PRECISE = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Reading:
    """A way in which a value may be meant: how to write it unmistakably, and its sense."""

    value: str
    sense: str = ""


class ValueFaultError(ValueError):
    """A value that an argument does not take: `readings` are what it may mean, `detail` a word to show."""

    def __init__(self, fault: Fault, readings: tuple[Reading, ...] = (), detail: str = "") -> None:
        super().__init__(fault.name)
        self.fault = fault
        self.readings = readings
        self.detail = detail


class NamedValueError(UserError):
    """A value of an argument that only the command could judge, such as a title that no sprint has.

    `readings` are values that would be right, the likeliest first: several if the typed one may mean each.
    """

    def __init__(self, text: str, argument: str, readings: tuple[Reading, ...] = ()) -> None:
        super().__init__(text)
        self.argument = argument
        self.readings = readings
