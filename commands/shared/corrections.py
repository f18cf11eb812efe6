"""Correct a line that could not be read, with this repository's own sprints, items, sizes and days."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from commands.formatting.wording import plain
from commands.framework.argument_parser import InputError, parse_arguments
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import Fault, NamedValueError, ValueFaultError
from commands.framework.input_settings import InputSettings
from commands.framework.registry import Command
from commands.framework.values import format_range, parse_value
from commands.framework.words import find_closing_mark, quote
from commands.messages.bad_input import input_error_text, with_correction
from commands.shared.choosing import suggest_due
from sprints.selection import choose_sprint

_ITEM_KINDS = {ArgumentKind.ITEM, ArgumentKind.ITEMS}
# So many faults of one line are corrected at most.
_MOST_FAULTS = 3
_RECENT = timedelta(days=60)
_MOST_WORDS_SHOWN = 100
# Words with which people begin a reason.
_BEGINS_REASON = re.compile(r"(?:because|since|as|due to|so that|while|until)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExampleValues:
    """Values of a repository that are right today: a day in the past and one to come, a sprint, an item."""

    earlier: date
    later: date
    sprint: str | None
    item: int | None
    sender: str
    sizes: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A typed line: its text, its command, the position of its arguments, and the settings to read them."""

    text: str
    command: Command
    start: int
    settings: InputSettings


async def explain_input_error(context: Context, typed: TypedLine, error: InputError) -> str:
    """The text about a line that could not be read, with the corrected line if one can be derived."""
    text = input_error_text(error, typed.text, typed.command, typed.settings.sizes)
    if error.fault is Fault.TOO_LARGE:
        return text
    values = await _read_example_values(context, typed.command)
    return with_correction(text, _list_corrections(typed, error, values))


def explain_named_value(typed: TypedLine, arguments: Arguments, error: NamedValueError) -> str:
    """The text about a value that the command refused, with the line for each value that would be right."""
    argument = next(argument for argument in typed.command.accepted if argument.name == error.argument)
    if lines := _list_other_places(typed, arguments, argument):
        return with_correction(f"I don't understand {_shown_value(arguments, argument)} there.", lines)
    lines = [(arguments.places.replace_value(argument, reading.value), "") for reading in error.readings]
    return with_correction(str(error), lines)


def _list_other_places(typed: TypedLine, arguments: Arguments, argument: Argument) -> list[tuple[str, str]]:
    """The lines in which loose words, which are the title of no sprint, are what they may be instead.

    They may be a day for a date of the command, or of many words the reason for a change.
    """
    start, end = arguments.places.by_name.get(argument.name, (0, 0))
    words = typed.text[start:end]
    if argument.kind is not ArgumentKind.SPRINT or words != arguments.text(argument.name):
        return []  # They have a name or quotation marks, so they are a title.
    free = [other for other in typed.command.accepted if other.name not in arguments.values]
    lines = list[tuple[str, str]]()
    for other in free:
        if other.kind is ArgumentKind.DATE:
            with suppress(ValueFaultError):
                parse_value(other, words, typed.settings)
                lines.append((arguments.places.insert(argument, f"{other.name}:{words}"), ""))
    if not lines and _BEGINS_REASON.match(words):
        reason = next((other for other in free if other.kind is ArgumentKind.TEXT), None)
        text = f" {reason.name}:{quote(words)}" if reason else ""
        lines.append((arguments.places.insert(argument, text.strip()), ""))
    return lines


def _shown_value(arguments: Arguments, argument: Argument) -> str:
    text = arguments.text(argument.name) or ""
    return f"“{plain(text if len(text) <= _MOST_WORDS_SHOWN else f'{text[:_MOST_WORDS_SHOWN]}…')}”"


def _list_corrections(typed: TypedLine, error: InputError, values: ExampleValues) -> list[tuple[str, str]]:
    is_asked = error.fault in {Fault.AMBIGUOUS, Fault.UNKNOWN} and error.readings
    readings = error.readings if is_asked else (None,)
    lines = list[tuple[str, str]]()
    for reading in readings:
        replacement = reading.value if reading else None
        line = _correct_line(typed, error, replacement, values)
        if line is not None:
            lines.append((line, reading.sense if reading else ""))
    if not lines and (shortest := _build_shortest_line(typed, values)):
        lines.append((shortest, ""))
    return lines


def _correct_line(
    typed: TypedLine, error: InputError, replacement: str | None, values: ExampleValues
) -> str | None:
    """The line without its faults, or None. `replacement` is the value that is meant, if it is known."""
    line, fault = typed.text, error
    for _ in range(_MOST_FAULTS):
        corrected = _replace_fault(line, fault, replacement, values)
        if corrected is None:
            return None
        line, replacement = corrected, None
        try:
            parse_arguments(line, typed.start, typed.command.accepted, typed.settings)
        except InputError as another:
            fault = another
        else:
            return line
    return None


def _replace_fault(
    line: str, error: InputError, replacement: str | None, values: ExampleValues
) -> str | None:
    before, place, after = line[: error.start], line[error.start : error.end], line[error.end :]
    if error.fault is Fault.ENDLESS_QUOTATION:
        return f"{line.rstrip()}{find_closing_mark(place[0])}"
    if error.fault is Fault.GIVEN_TWICE or (error.fault is Fault.UNKNOWN and not error.readings):
        return " ".join(filter(None, (before.rstrip(), after.lstrip())))
    if error.fault is Fault.UNKNOWN:
        return f"{before}{replacement or error.readings[0].value}{after}"
    if error.argument is None:
        return None
    if replacement is None:
        replacement = error.readings[0].value if error.readings else _write_example(error.argument, values)
    if replacement is None:
        return None
    is_named = not error.argument.is_positional or place.lower().startswith(f"{error.argument.name}:")
    text = f"{error.argument.name}:{replacement}" if is_named else replacement
    return " ".join(filter(None, (before.rstrip(), text, after.lstrip())))


def _build_shortest_line(typed: TypedLine, values: ExampleValues) -> str | None:
    """The command with its required arguments alone; None if one of them has no example."""
    parts = [typed.text[: typed.start].rstrip()]
    for argument in typed.command.accepted:
        if argument.is_required:
            example = _write_example(argument, values)
            if example is None:
                return None
            parts.append(example if argument.is_positional else f"{argument.name}:{example}")
    return " ".join(parts)


def _write_example(argument: Argument, values: ExampleValues) -> str | None:
    """A value that the argument takes in this repository; None if there is none."""
    kind = argument.kind
    if argument.example:
        return argument.example
    if kind is ArgumentKind.DATE:
        return (values.earlier if argument.is_past else values.later).isoformat()
    if kind is ArgumentKind.DATES:
        return format_range(values.later, values.later)
    if kind in _ITEM_KINDS:
        return f"#{values.item}" if values.item else None
    if kind is ArgumentKind.SPRINT:
        return quote(values.sprint) if values.sprint else None
    if kind is ArgumentKind.ESTIMATE:
        return _choose_size(list(values.sizes))
    if kind is ArgumentKind.CHOICE:
        return argument.choices[0]
    if kind is ArgumentKind.PERSON:
        return f"@{values.sender}"
    if kind is ArgumentKind.NUMBER and argument.limits:
        return str(min(max(5, argument.limits[0]), argument.limits[1]))
    return _CONSTANT_EXAMPLES.get(kind)


_CONSTANT_EXAMPLES = {
    ArgumentKind.NUMBER: "5",
    ArgumentKind.DAYS: "2d",
    ArgumentKind.BATCH: "2x5",
    ArgumentKind.FLAG: "yes",
}


def _choose_size(sizes: Sequence[str]) -> str:
    """A size in the middle of the team's, or a number where it has none."""
    return sizes[len(sizes) // 2] if sizes else "5"


async def _read_example_values(context: Context, command: Command) -> ExampleValues:
    today = context.calendar.day_of(context.now)
    sprints = await context.sprints.all(context.now)
    sprint = choose_sprint(sprints, context.now, context.request.milestone)
    needs_item = any(argument.kind in _ITEM_KINDS for argument in command.arguments)
    return ExampleValues(
        earlier=today - timedelta(days=1),
        later=suggest_due(context),
        sprint=sprint.title if sprint else None,
        item=await find_example_item(context) if needs_item else None,
        sender=context.request.sender,
        sizes=context.project.rules.estimates.sizes,
    )


async def find_example_item(context: Context) -> int | None:
    """An open issue of the repository besides the thread itself, the latest one."""
    flows = await context.flows.moved(context.now - _RECENT, context.now)
    numbers = [
        flow.number
        for flow in flows
        if flow.is_open and not flow.is_pull_request and isinstance(flow.number, int)
    ]
    return max((number for number in numbers if number != context.request.thread), default=None)
