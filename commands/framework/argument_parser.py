"""Parse the arguments after a command's name: names with values, quoted texts, and plain words.

A name is `due:`, `due=`, `--due`, or the bare word `due` where its value follows. Words without a name go to
the first positional argument that takes them: `/estimate #70 5` and `/estimate 5 #70` are the same.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from commands.formatting.foreign_text import is_blank
from commands.framework.arguments import (
    Argument,
    ArgumentKind,
    Arguments,
    DateNote,
    DateRange,
    Day,
    Places,
    Value,
)
from commands.framework.dates import is_iso
from commands.framework.errors import Fault, Reading, ValueFaultError
from commands.framework.input_settings import InputSettings
from commands.framework.item_references import is_filler, looks_like_item, read_items
from commands.framework.spelling import find_closest
from commands.framework.values import MOST_WORDS, parse_value
from commands.framework.words import EndlessQuotationError, Word, quote, split_words

_FREE = {ArgumentKind.TEXT, ArgumentKind.SPRINT}
_LISTS = {ArgumentKind.ITEM, ArgumentKind.ITEMS}
# A value of these kinds is recognized without a name, where no text is expected.
_EVIDENT = {
    ArgumentKind.DATE,
    ArgumentKind.CHOICE,
    ArgumentKind.NUMBER,
    ArgumentKind.DAYS,
    ArgumentKind.BATCH,
}
# The words that are looked at, or marked as wrong, after a value's first one.
_MOST_WORDS_SHOWN = 12
_REPEATABLE = {ArgumentKind.ITEMS, ArgumentKind.TEXTS}
_LEADING = {"for", "on", "of", "to"}
# The words between a text and a day.
_BEFORE_DAY = {"until", "till", "by", "on", "from", "to", "through"}
_BEFORE_DAY |= {"due", "ending", "ends", "starting", "starts"}
# More likely the end of a title, as in `Release 2.12`, than a day.
_VERSION = re.compile(r"\d{1,2}[./]\d{1,2}")
_UNKNOWN_NAME = re.compile(r"(?P<name>[a-z][a-z_-]{1,30})[:=](?!//)(?P<value>.+)", re.IGNORECASE)


class InputError(Exception):
    """A line that cannot be read: what is wrong, and where, from `start` to `end`.

    `argument` is the one concerned, if it is known; `readings` are what its value may mean.
    """

    def __init__(
        self,
        fault: Fault,
        start: int,
        end: int,
        argument: Argument | None = None,
        readings: Sequence[Reading] = (),
        detail: str = "",
    ) -> None:
        super().__init__(fault.name)
        self.fault = fault
        self.start = start
        self.end = end
        self.argument = argument
        self.readings = tuple(readings)
        self.detail = detail


def parse_arguments(
    line: str, start: int, accepted: Sequence[Argument], settings: InputSettings
) -> Arguments:
    """Parse a line from the position `start` on as the accepted arguments. Raises InputError."""
    names = {name for argument in accepted for name in argument.names}
    try:
        words = split_words(line, start, names)
    except EndlessQuotationError as problem:
        raise InputError(Fault.ENDLESS_QUOTATION, problem.start, len(line)) from None
    return _ArgumentReader(line, words, accepted, settings).read()


class _ArgumentReader:
    """A reader that goes through the words of one line."""

    def __init__(
        self, line: str, words: Sequence[Word], accepted: Sequence[Argument], settings: InputSettings
    ) -> None:
        self._line = line
        self._words = words
        self._accepted = accepted
        self._settings = settings
        self._by_name = {name: argument for argument in accepted for name in argument.names}
        self._positional = [argument for argument in accepted if argument.is_positional]
        self._takes_bare_numbers = bool(self._positional) and self._positional[0].kind is ArgumentKind.ITEMS
        self._values = dict[str, Value]()
        self._places = dict[str, tuple[int, int]]()
        self._dates = list[DateNote]()
        # The words of texts without quotation marks: the first one, and the one behind the last.
        self._loose_texts = dict[str, tuple[int, int]]()

    def read(self) -> Arguments:
        position = 0
        while position < len(self._words):
            word = self._words[position]
            if word.is_name:
                position = self._read_named(self._by_name[word.text], position)
            elif not word.is_quoted and not any(map(str.isalnum, word.text)) and not self._is_text_open():
                position += 1  # A full stop by itself, or a comma between two arguments.
            else:
                position = (
                    self._read_keyword(position)
                    or self._skip_filler(position)
                    or self._read_positional(position)
                )
        self._refuse_doubtful_texts()
        for argument in self._accepted:
            if argument.is_required and argument.name not in self._values:
                raise InputError(Fault.MISSING, len(self._line), len(self._line), argument)
        dates = tuple(dict.fromkeys(self._dates))
        return Arguments(self._values, self._accepted, dates, Places(self._line, self._places))

    # Names

    def _read_named(self, argument: Argument, position: int) -> int:
        """Read the value after a name; returns the position behind it."""
        name = self._words[position]
        is_bare_flag = argument.kind is ArgumentKind.FLAG and (name.is_option or not name.is_name)
        value, after = None, position + 1
        if after < len(self._words) and not self._words[after].is_name:
            try:
                value, after = self._take_value(argument, after, begin=position)
            except InputError:
                if not is_bare_flag:
                    raise
        elif not is_bare_flag:
            raise InputError(Fault.EMPTY, name.start, name.end, argument)
        self._store(argument, True if value is None else value, position, after)
        return after

    def _read_keyword(self, position: int) -> int | None:
        """Read a name without a colon, as in `by tomorrow`; None if the word is none."""
        word = self._words[position]
        argument = self._by_name.get(word.text.lower().rstrip(".,!"))
        if argument is None or word.is_quoted or argument.name in self._values:
            return None
        is_blocked = (
            self._is_open(ArgumentKind.TEXT) if argument.kind is ArgumentKind.SPRINT else self._is_text_open()
        )
        if is_blocked and argument.kind in {*_FREE, ArgumentKind.FLAG, ArgumentKind.WORD}:
            return None
        if argument.is_positional and argument.kind in _FREE and word.text.lower() == argument.name:
            return None  # `sprint 23` is a title.
        if argument.kind is ArgumentKind.FLAG and self._is_open(ArgumentKind.SPRINT):
            return None
        if argument.kind is not ArgumentKind.FLAG and (
            position + 1 >= len(self._words) or self._words[position + 1].is_name
        ):
            return None
        try:
            return self._read_named(argument, position)
        except InputError as problem:
            if problem.fault is Fault.INVALID and (self._is_text_open() or argument.kind in _FREE):
                return None
            raise

    def _is_open(self, kind: ArgumentKind) -> bool:
        return any(argument.kind is kind for argument in self._positional)

    def _is_text_open(self) -> bool:
        return self._is_open(ArgumentKind.TEXT) or self._is_open(ArgumentKind.TEXTS)

    # Words without a name

    def _skip_filler(self, position: int) -> int | None:
        """The position behind a word that only leads to an item, as in `5 points for #70`; None otherwise."""
        word, after = self._words[position], position + 1
        is_leading = not word.is_quoted and (is_filler(word.text) or word.text.lower() in _LEADING)
        if not is_leading or after >= len(self._words) or not looks_like_item(self._words[after].text):
            return None
        return after if any(argument.kind in _LISTS for argument in self._positional) else None

    def _read_positional(self, position: int) -> int:
        """Give a word to the first positional argument that takes it; returns the position behind it."""
        word = self._words[position]
        self._refuse_unknown_name(position)
        refusal = InputError(Fault.UNKNOWN, word.start, word.end)
        for argument in self._positional:
            if self._is_for_another(argument, word):
                continue
            try:
                value, after = self._take_value(argument, position)
            except InputError as problem:
                refusal = problem
                # `#70` is no estimate, but may be the item to estimate.
                if (
                    problem.fault is Fault.INVALID
                    and self._is_item_here(word)
                    and argument.kind not in _LISTS
                ):
                    continue
                break
            self._store(argument, value, position, after)
            return after
        if refusal.fault in {Fault.UNKNOWN, Fault.INVALID} and (end := self._read_loose_value(position)):
            return end
        raise refusal

    def _read_loose_value(self, position: int) -> int | None:
        """Read a value without its name, as in `/start yesterday`; None if no argument without one takes it.

        Raises InputError if several arguments do: its readings are the value with each of their names.
        """
        if self._words[position].is_quoted:
            return None
        takers = list[tuple[Argument, Value, int]]()
        for argument in self._accepted:
            if argument.kind in _EVIDENT and argument.name not in self._values:
                with suppress(InputError), self._without_notes():
                    takers.append((argument, *self._take_value(argument, position)))
        if len(takers) > 1:
            after = max(after for _, _, after in takers)
            readings = [
                Reading(f"{argument.name}:{self._slice(position, end)}")
                for argument, _, end in takers
                if end == after
            ]
            start, end = self._words[position].start, self._words[after - 1].end
            raise InputError(Fault.UNKNOWN, start, end, readings=readings)
        if not takers:
            return None
        argument, value, after = takers[0]
        self._note_date(self._slice(position, after), value)
        self._store(argument, value, position, after)
        return after

    @contextmanager
    def _without_notes(self) -> Iterator[None]:
        """Try to read a value without noting its date: the value may not be the one that is meant."""
        before = len(self._dates)
        try:
            yield
        finally:
            del self._dates[before:]

    def _is_for_another(self, argument: Argument, word: Word) -> bool:
        """Whether a word cannot be meant for an argument, although its kind would take it."""
        if argument.kind in _LISTS:
            is_number = self._takes_bare_numbers and word.text[:1].isdigit()
            return word.is_quoted or not (looks_like_item(word.text) or is_number)
        return argument.kind is ArgumentKind.SPRINT and self._is_item_here(word)

    def _is_item_here(self, word: Word) -> bool:
        takes_items = any(argument.kind in _LISTS for argument in self._accepted)
        return takes_items and not word.is_quoted and looks_like_item(word.text)

    def _refuse_unknown_name(self, position: int) -> None:
        """Raise InputError for `foo:bar`, unless it is in the middle of a text."""
        word = self._words[position]
        match = None if word.is_quoted else _UNKNOWN_NAME.fullmatch(word.text)
        if match is None:
            return
        close = self._find_close_name(match["name"])
        readings = (Reading(f"{close}:{match['value']}"),) if close else ()
        raise InputError(Fault.UNKNOWN, word.start, word.end, readings=readings)

    def _find_close_name(self, name: str) -> str | None:
        return find_closest(name.lower(), self._by_name)

    # Values

    def _take_value(self, argument: Argument, position: int, begin: int | None = None) -> tuple[Value, int]:
        """The value that begins at a position, and the position behind it; `begin` is that of its name."""
        word = self._words[position]
        if word.is_quoted and is_blank(word.text):
            raise self._complain(Fault.EMPTY, argument, position if begin is None else begin, position + 1)
        if argument.kind in _LISTS:
            return self._take_items(argument, position, begin)
        if argument.kind not in {ArgumentKind.TEXTS, *_FREE}:
            return self._take_longest(argument, position, begin)
        value, after = (
            self._take_texts(position, is_named=begin is not None)
            if argument.kind is ArgumentKind.TEXTS
            else self._take_text(argument, position)
        )
        if not any([value] if isinstance(value, str) else value):
            raise self._complain(Fault.EMPTY, argument, position if begin is None else begin, after)
        return value, after

    def _take_items(self, argument: Argument, position: int, begin: int | None) -> tuple[Value, int]:
        items, after = list[str](), position
        allows_bare = argument.kind is ArgumentKind.ITEMS and (begin is not None or self._takes_bare_numbers)
        while after < len(self._words) and not self._words[after].is_name:
            word = self._words[after]
            if not (items and is_filler(word.text)):
                try:
                    items += read_items(word.text, self._settings.repository, allows_bare=allows_bare)
                except ValueError:
                    if is_filler(word.text) and any(map(str.isalpha, word.text)):
                        after += 1
                        continue
                    if looks_like_item(word.text) or not items:
                        raise self._complain(
                            Fault.INVALID, argument, after if items or begin is None else begin, after + 1
                        ) from None
                    break
            after += 1
            if argument.kind is ArgumentKind.ITEM and items:
                break
        if not items:
            raise self._complain(Fault.INVALID, argument, position if begin is None else begin, after)
        return tuple(items), after

    def _take_texts(self, position: int, *, is_named: bool) -> tuple[tuple[str, ...], int]:
        """All quoted texts in a row; or one word, after a name all words, separated by commas."""
        texts, after = list[str](), position
        while after < len(self._words) and self._words[after].is_quoted:
            texts.append(_empty_if_blank(self._words[after].text))
            after += 1
            if (
                after + 1 < len(self._words)
                and self._words[after + 1].is_quoted
                and is_filler(self._words[after].text)
            ):
                after += 1
        if texts:
            return tuple(texts), after
        after = self._find_group_end(position) if is_named else position + 1
        parts = (part.strip() for part in self._slice(position, after).split(","))
        return tuple(part for part in parts if not is_blank(part)), after

    def _take_text(self, argument: Argument, position: int) -> tuple[str, int]:
        """A quoted text, or all words up to the next name."""
        first = self._words[position]
        if first.is_quoted:
            return first.text, position + 1
        after = position + 1
        while after < len(self._words) and not self._ends_text(argument, after):
            after += 1
        if argument.kind is ArgumentKind.TEXT:
            self._loose_texts[argument.name] = position, after
        return _empty_if_blank(self._slice(position, after)), after

    def _refuse_doubtful_texts(self) -> None:
        """Raise InputError for a text without quotation marks whose end may be another argument's value."""
        for argument in self._accepted:
            if argument.name not in self._loose_texts:
                continue
            first, after = self._loose_texts[argument.name]
            others = (
                self._list_named_ends(first, after)
                or self._list_date_ends(argument, first, after)
                or self._list_item_ends(argument, first, after)
            )
            if others:
                whole = Reading(quote(self._slice(first, after)), f"As `{argument.name}`")
                start, end = self._places[argument.name]
                raise InputError(Fault.AMBIGUOUS, start, end, argument, (*others, whole))

    def _list_named_ends(self, first: int, after: int) -> list[Reading]:
        """`Ship it due friday` with a name before a value."""
        for position in range(first + 1, after - 1):
            other = self._by_name.get(self._words[position].text.lower())
            if other is None or other.kind not in _EVIDENT or other.name in self._values:
                continue
            with suppress(ValueFaultError):
                parse_value(other, self._slice(position + 1, after), self._settings)
                text = (
                    f"{quote(self._slice(first, position))} {other.name}:{self._slice(position + 1, after)}"
                )
                return [Reading(text, f"With `{other.name}`")]
        return []

    def _list_date_ends(self, argument: Argument, first: int, after: int) -> list[Reading]:
        """`Sprint 25 in 2 weeks` and `next friday`, where none of the command's dates is given."""
        dates = [other for other in self._accepted if other.kind is ArgumentKind.DATE]
        if any(other.name in self._values for other in dates):
            return []
        # A text with its name in front is one, even where it is a day.
        is_named = self._places[argument.name][0] < self._words[first].start
        earliest = max(first + is_named, after - MOST_WORDS[ArgumentKind.DATE])
        for position in range(earliest, after):
            typed, behind = self._slice(position, after), position
            if typed.lower() == "now" or (position > first and _VERSION.fullmatch(typed)):
                continue
            while behind > first and self._words[behind - 1].text.lower() in _BEFORE_DAY:
                behind -= 1
            text = quote(self._slice(first, behind)) if behind > first else ""
            readings = list[Reading]()
            for other in dates:
                with suppress(ValueFaultError):
                    day = parse_value(other, typed, self._settings)
                    readings.append(Reading(f"{text} {other.name}:{day}".strip(), f"With `{other.name}`"))
            if readings:
                return readings
        return []

    def _list_item_ends(self, argument: Argument, first: int, after: int) -> list[Reading]:
        """`waiting for #9`, where no item is given."""
        lists = [
            other for other in self._positional if other.kind in _LISTS and other.name not in self._values
        ]
        if not (argument.is_positional and lists and looks_like_item(self._words[after - 1].text)):
            return []
        item = self._words[after - 1].text.rstrip(".,!")
        return [Reading(f"{quote(self._slice(first, after))} {item}", f"With `{lists[0].name}`")]

    def _ends_text(self, argument: Argument, position: int) -> bool:
        word = self._words[position]
        if word.is_name:
            return True
        if argument.kind is ArgumentKind.SPRINT and self._is_item_here(word):
            return True
        match = None if word.is_quoted else _UNKNOWN_NAME.fullmatch(word.text)
        if match and (argument.kind is ArgumentKind.SPRINT or self._find_close_name(match["name"])):
            self._refuse_unknown_name(position)
        following = self._by_name.get(word.text.lower())
        if (
            following is None
            or word.is_quoted
            or not argument.is_positional
            or following.name in self._values
        ):
            return False
        if following.kind in {ArgumentKind.TEXT, ArgumentKind.FLAG, ArgumentKind.WORD, ArgumentKind.TEXTS}:
            return False
        if following.kind is ArgumentKind.SPRINT and (
            argument.kind is ArgumentKind.TEXT or following is argument
        ):
            return False
        if position + 1 >= len(self._words):
            return False
        try:
            self._take_value(following, position + 1, begin=position)
        except InputError as problem:
            return problem.fault is Fault.AMBIGUOUS
        return True

    def _take_longest(self, argument: Argument, position: int, begin: int | None) -> tuple[Value, int]:
        """The longest run of words that is a value. Raises InputError if not even the first word is one."""
        is_quoted = self._words[position].is_quoted
        end = position + 1 if is_quoted else self._find_group_end(position, _MOST_WORDS_SHOWN)
        for after in range(min(end, position + MOST_WORDS.get(argument.kind, 1)), position, -1):
            text = self._words[position].text if after == position + 1 else self._slice(position, after)
            try:
                value = parse_value(argument, text, self._settings)
            except ValueFaultError as problem:
                if problem.fault is Fault.INVALID and after > position + 1:
                    continue
                start = position if begin is None else begin
                is_all_its = begin is not None or argument in self._positional[-1:]
                faulty_end = end if problem.fault is Fault.INVALID and is_all_its else after
                raise self._complain(
                    problem.fault, argument, start, faulty_end, problem.readings, problem.detail
                ) from None
            self._note_date(text, value)
            return value, after
        raise self._complain(Fault.EMPTY, argument, position, position + 1)

    def _find_group_end(self, position: int, most: int = sys.maxsize) -> int:
        """The position of the next name or quotation behind a word, or that after `most` words."""
        after, limit = position + 1, min(len(self._words), position + most)
        while after < limit and not self._words[after].is_name and not self._words[after].is_quoted:
            after += 1
        return after

    def _slice(self, first: int, after: int) -> str:
        return self._line[self._words[first].start : self._words[after - 1].end]

    def _note_date(self, text: str, value: Value) -> None:
        if isinstance(value, Day) and not is_iso(text):
            self._dates.append(DateNote(text, value, value))
        elif isinstance(value, DateRange) and not is_iso(text):
            self._dates.append(DateNote(text, value.first, value.last))

    def _store(self, argument: Argument, value: Value, first: int, after: int) -> None:
        earlier, start, end = (
            self._values.get(argument.name),
            self._words[first].start,
            self._words[after - 1].end,
        )
        if earlier is None:
            self._values[argument.name] = value
        elif argument.is_positional and isinstance(earlier, tuple) and isinstance(value, tuple):
            self._values[argument.name] = (*earlier, *value)
            start = self._places[argument.name][0]
        else:
            raise self._complain(Fault.GIVEN_TWICE, argument, first, after)
        self._places[argument.name] = start, end
        if argument in self._positional and argument.kind not in _REPEATABLE:
            self._positional.remove(argument)

    def _complain(
        self,
        fault: Fault,
        argument: Argument,
        first: int,
        after: int,
        readings: Sequence[Reading] = (),
        detail: str = "",
    ) -> InputError:
        start, end = self._words[first].start, self._words[after - 1].end
        return InputError(fault, start, end, argument, readings, detail)


def _empty_if_blank(text: str) -> str:
    """The text as typed; empty if it shows nothing, so that no title, goal or reason is invisible."""
    return "" if is_blank(text) else text
