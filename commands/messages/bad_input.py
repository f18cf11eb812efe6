"""The texts about lines that cannot be read: what is wrong, where, and the line to write instead."""

from collections.abc import Mapping, Sequence

from charts.reading import whole
from commands.formatting.foreign_text import code, visible
from commands.formatting.wording import footer, plain, weekday
from commands.framework.argument_parser import InputError
from commands.framework.arguments import Argument, ArgumentKind, DateNote
from commands.framework.errors import Fault
from commands.framework.registry import Command
from commands.framework.sizes import MOST_ITEMS, MOST_POINTS

# Characters of a faulty line that an error shows on each side of the fault, and of the fault itself.
_MOST_SHOWN = 100
# The longest line that is shown to be copied.
_LONGEST_LINE = 1_000
_MOST_SIZES = 8
_TEXTS = {
    Fault.AMBIGUOUS: (
        "{name} can be read in {count} ways, so {outcome}: {place}. Copy the line that you mean."
    ),
    Fault.EMPTY: "{name} is empty: {place}",
    Fault.GIVEN_TWICE: "{name} is given twice: {place}",
    Fault.NEGATIVE: "{name} can't be below 0: {place}",
    Fault.NO_SIZES: (
        "Your team has not set its sizes yet, so `{detail}` has no points: {place}. A maintainer can set "
        "them, for example with 8 points: `/agile config set sizes.{detail} 8`. Until then, write a number."
    ),
    Fault.TOO_FAR: "This date is too far away: {place}. {detail}",
    Fault.TOO_LARGE: "{name} can be up to {detail}: {place}",
    Fault.TOO_PRECISE: "{name} can have up to two decimal places: {place}",
}


def input_error_text(error: InputError, line: str, command: Command, sizes: Mapping[str, object]) -> str:
    """What is wrong with a line, and the word that is."""
    place, argument = mark_place(line, error.start, error.end), error.argument
    if error.fault is Fault.UNKNOWN or argument is None:
        unknown = f"This argument does not exist: {place}. {_accepted_text(command)}"
        return (
            f"The closing quotation mark is missing: {place}"
            if error.fault is Fault.ENDLESS_QUOTATION
            else unknown
        )
    if error.fault is Fault.MISSING:
        syntax = argument.syntax.replace("\\|", "|")
        return f"`{syntax}` is missing: {argument.summary}."
    if error.fault is Fault.INVALID:
        return f"`{argument.name}` must be {_requirement(argument, sizes)}: {place}"
    return _TEXTS[error.fault].format(
        name=f"`{argument.name}`",
        place=place,
        detail=error.detail,
        count="two" if len(error.readings) == 2 else len(error.readings),
        outcome="nothing was changed" if command.is_changing else "I did not guess",
    )


def with_correction(text: str, lines: Sequence[tuple[str, str]]) -> str:
    """A text with the lines to copy below it, each with what it means; one alone needs no meaning."""
    short = [(line, sense) for line, sense in lines if len(line) <= _LONGEST_LINE]
    if not short:
        return text
    if len(short) == 1:
        return f"{text}\n\nTry:\n\n{_block(short[0][0])}"
    return "\n\n".join(
        [text, *(f"{sense}:\n\n{_block(line)}" if sense else _block(line) for line, sense in short)]
    )


def mark_place(line: str, start: int, end: int) -> str:
    """The line as code, with arrows around the place from `start` to `end`."""
    before, place, after = line[:start], line[start:end], line[end:]
    if len(before) > _MOST_SHOWN:
        before = f"…{before[-_MOST_SHOWN:]}"
    return code(f"{before}👉{_shorten(place)}👈{_shorten(after)}")


def dates_note(notes: Sequence[DateNote]) -> str:
    """The small line that says in full how dates were read."""
    return footer(*(f"I read “{plain(note.typed)}” as {_days_text(note)}" for note in notes))


def _days_text(note: DateNote) -> str:
    if note.first == note.last:
        return weekday(note.first, with_year=True)
    return f"{weekday(note.first, with_year=True)} to {weekday(note.last, with_year=True)}"


def _accepted_text(command: Command) -> str:
    names = ", ".join(f"`{argument.syntax.strip('[]')}`".replace("\\|", "|") for argument in command.accepted)
    return f"This command takes {names or 'none'}."


def _requirement(argument: Argument, sizes: Mapping[str, object]) -> str:
    if argument.limits:
        return "a whole number from {} to {}".format(*map(whole, argument.limits))
    if argument.kind is ArgumentKind.CHOICE:
        return " or ".join(f"`{choice}`" for choice in argument.choices)
    if argument.kind is ArgumentKind.ESTIMATE and sizes:
        shown = ", ".join(code(size) for size in list(sizes)[:_MOST_SIZES])
        return f"a number such as `5` or `0.5`, one of your sizes ({shown}), or `none`"
    if argument.kind is ArgumentKind.DATE and argument.is_past:
        return "a day, such as `yesterday`, `last friday`, `2 weeks ago` or `2026-11-12`"
    return _REQUIREMENTS[argument.kind]


_REQUIREMENTS = {
    ArgumentKind.TEXT: "text",
    ArgumentKind.WORD: "a single word",
    ArgumentKind.TEXTS: 'texts in quotation marks, such as `"one","two"`',
    ArgumentKind.SPRINT: "the title or the number of a sprint",
    ArgumentKind.DATE: "a date, such as `tomorrow`, `next friday`, `in 2 weeks` or `2026-12-24`",
    ArgumentKind.DATES: "a day, or a range such as `2026-12-24..2027-01-02`",
    ArgumentKind.FLAG: "`yes` or `no`",
    ArgumentKind.ITEM: "an issue or a pull request, such as `#12` or its URL",
    ArgumentKind.ITEMS: "issues or pull requests, such as `#12 #13` or their URLs",
    ArgumentKind.NUMBER: "a whole number such as `5`",
    ArgumentKind.DAYS: "a number of days such as `2d`",
    ArgumentKind.ESTIMATE: "a number such as `5` or `0.5`, or `none`",
    ArgumentKind.BATCH: (
        f"one size up to {MOST_POINTS:,}, such as `8` or `0.5`, or up to {MOST_ITEMS} items of a size, "
        "such as `2x5`"
    ),
    ArgumentKind.PERSON: "a login such as `@alice`",
}


def _block(line: str) -> str:
    """A line in a block of code, which GitHub shows with a button to copy it."""
    shown = visible(line).strip()
    fence = "```"
    while fence in shown:
        fence += "`"
    return f"{fence}text\n{shown}\n{fence}"


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
