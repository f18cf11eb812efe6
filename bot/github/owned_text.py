"""The App's part of the text of an issue or comment: edited without changing people's text around it.

The App's part ends in an invisible marker. The beginning is found by the text that was sent last. Pure
functions, in time proportional to the texts.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# GitHub takes 65,536 characters; the difference is for characters that GitHub counts twice.
MOST_CHARACTERS = 65_000
_CRLF = "\r\n"
_QUOTATION = ">"
# A line counts as an edited line of the App if this share of their words is the same. Each word leads to a
# few of the App's lines only, so that the time stays proportional to the texts.
_SAME_LINE = 0.6
_MOST_LINES_PER_WORD = 8
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class PeopleText:
    """The text before and after the App's part, written by people."""

    before: str = ""
    after: str = ""

    def room(self, marker: str) -> int:
        """The number of characters left for the App's part."""
        return MOST_CHARACTERS - len(self.before) - len(self.after) - len(marker) - 2

    def around(self, part: str, marker: str) -> str:
        """The whole text with the App's part in its place."""
        return f"{self.before}{part}\n\n{marker}{self.after}"


def find_people_text(
    text: str, markers: Iterable[str], sent: Sequence[str], desired: str = ""
) -> PeopleText | None:
    """Find the text around the App's part; None if a person removed the App's part.

    `markers` are the possible markers at the end of the App's part. One of `sent` is the App's part as it was
    sent; if `sent` is empty, the App's part begins with a line like the first line of `desired`, the text to
    send. Lines that people added within the App's part are moved behind it; edits of its lines are dropped.
    """
    plain = text.replace(_CRLF, "\n")
    parts = [part.replace(_CRLF, "\n") for part in sent if part.strip()]
    marker = _find_marker(plain, markers, parts)
    original = _Offsets(text)
    if marker is not None:
        parts.sort(key=lambda part: (not _stands_before(marker[0], part, plain), -len(part)))
    for part in parts:
        begin = plain.rfind(part, 0, marker[0]) if marker else plain.find(part)
        if begin < 0:
            continue
        end = begin + len(part)
        before = text[: original.of(begin)]
        if marker is None:
            return PeopleText(before, text[original.of(end) :])
        between = text[original.of(end) : original.of(marker[0])]
        return PeopleText(before, _as_paragraphs(between) + text[original.of(marker[1]) :])
    if marker is None:
        return None
    after = text[original.of(marker[1]) :]
    lines, added_spans = _MarkedLines(plain[: marker[0]]), list[tuple[int, int]]()
    if parts:
        end, added_spans = lines.around(parts)
    else:
        end = lines.begin_of(desired)
    before = text[: original.of(end)]
    if before and not before.endswith("\n"):
        before += "\n\n"  # The App's lines were deleted, so nothing separates its part.
    pieces = [text[original.of(first) : original.of(last)] for first, last in added_spans]
    return PeopleText(before, "".join(_as_paragraphs(piece) for piece in pieces) + after)


def _find_marker(plain: str, markers: Iterable[str], parts: Sequence[str]) -> tuple[int, int] | None:
    """Find the span of the marker that ends the App's part; quotations may hold copies of it."""
    spans = sorted({span for name in set(markers) if name for span in _find_all(plain, name)})
    following = [span for span in spans if any(_stands_before(span[0], part, plain) for part in parts)]
    at_line_start = [span for span in spans if span[0] == 0 or plain[span[0] - 1] == "\n"]
    return next((group[-1] for group in (following, at_line_start, spans) if group), None)


def _find_all(plain: str, name: str) -> Iterator[tuple[int, int]]:
    begin = plain.find(name)
    while begin >= 0:
        yield begin, begin + len(name)
        begin = plain.find(name, begin + len(name))


def _stands_before(offset: int, part: str, plain: str) -> bool:
    ending = f"{part}\n\n"
    return offset >= len(ending) and plain.startswith(ending, offset - len(ending))


class _MarkedLines:
    """The lines above the App's marker, if the sent text is not there as a whole any more."""

    def __init__(self, plain: str) -> None:
        self._lines = plain.split("\n")
        self._begins, begin = list[int](), 0
        for line in self._lines:
            self._begins.append(begin)
            begin += len(line) + 1

    def begin_of(self, desired: str) -> int:
        """Find the offset at which the App's part begins, by its first line; without one, the end."""
        lines = [line for line in desired.split("\n") if line.strip()]
        heads = {_head(line) for line in lines[:1] + [line for line in lines if line.startswith("#")]}
        like_heads = (n for n, line in enumerate(self._lines) if line.strip() and _head(line) in heads)
        first = next(like_heads, None)
        return self._end_of_all() if first is None else self._begins[first]

    def around(self, parts: Sequence[str]) -> tuple[int, list[tuple[int, int]]]:
        """Find the offset where people's text before the part ends, and the spans they added within it."""
        foreign = self._foreign_lines(parts)
        own_lines = (n for n, line in enumerate(self._lines) if line.strip() and n not in foreign)
        first = next(own_lines, None)
        if first is None:
            return self._end_of_all(), []
        is_anything_before = any(n in foreign for n in range(first))
        runs = list[tuple[int, int]]()
        is_open = False
        for n in range(first, len(self._lines)):
            if n in foreign:
                begin = runs.pop()[0] if is_open else self._begins[n]
                runs.append((begin, self._begins[n] + len(self._lines[n])))
                is_open = True
            elif self._lines[n].strip():
                is_open = False
        return (self._begins[first] if is_anything_before else 0), runs

    def _foreign_lines(self, parts: Sequence[str]) -> set[int]:
        """Find the lines that are not the App's. A foreign paragraph stays whole."""
        own_paragraphs = Counter[tuple[str, ...]]()
        for part in parts:
            lines = part.split("\n")
            own_paragraphs |= Counter(tuple(lines[n].rstrip() for n in block) for block in _paragraphs(lines))
        others = list[list[int]]()
        for block in _paragraphs(self._lines):
            text = tuple(self._lines[n].rstrip() for n in block)
            if own_paragraphs[text] > 0:
                own_paragraphs[text] -= 1
            else:
                others.append(block)
        missing = _MissingLines(line for text in own_paragraphs.elements() for line in text)
        unlike = list[tuple[list[int], bool]]()
        foreign = set[int]()
        for block in others:
            are_own = missing.take_equal([self._lines[n].rstrip() for n in block])
            rest = [n for n, is_own in zip(block, are_own, strict=True) if not is_own]
            unlike += [([n], True) for n in rest] if any(are_own) else [(rest, False)]
        for block, is_within_ours in unlike:
            lines = [self._lines[n] for n in block]
            if not missing.take_similar(lines, is_within_ours=is_within_ours):
                foreign.update(block)
        return foreign

    def _end_of_all(self) -> int:
        ends = [self._begins[n] + len(line) for n, line in enumerate(self._lines) if line.strip()]
        return ends[-1] if ends else 0


class _MissingLines:
    """The App's lines whose paragraphs are not there as sent. Each can be matched with one present line."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._left = Counter(lines)
        self._words = {line: len(_split_words(line)) for line in self._left}
        self._wordless = [line for line, words in self._words.items() if not words][:_MOST_LINES_PER_WORD]
        self._lines_of = dict[str, list[str]]()
        for line in self._left:
            for word in _split_words(line):
                lines_with_word = self._lines_of.setdefault(word, [])
                if len(lines_with_word) < _MOST_LINES_PER_WORD:
                    lines_with_word.append(line)

    def take_equal(self, lines: Sequence[str]) -> list[bool]:
        """Match lines of a paragraph with equal ones of the App; none if only lines without words match."""
        if not any(self._left[line] > 0 and _split_words(line) for line in lines):
            return [False] * len(lines)
        are_own = list[bool]()
        for line in lines:
            are_own.append(self._left[line] > 0)
            self._left[line] -= are_own[-1]
        return are_own

    def take_similar(self, lines: Sequence[str], *, is_within_ours: bool) -> bool:
        """Match lines with edited ones of the App; whether all of them match.

        A line without words can match only if it `is_within_ours`: beside lines of the App.
        """
        taken = Counter[str]()
        for line in lines:
            similar = self._most_similar(line, taken)
            if similar is None and is_within_ours and not _split_words(line):
                similar = next(
                    (own_line for own_line in self._wordless if self._left[own_line] > taken[own_line]), None
                )
            if similar is None:
                return False
            taken[similar] += 1
        self._left.subtract(taken)
        return True

    def _most_similar(self, line: str, taken: Counter[str]) -> str | None:
        words = _split_words(line)
        if line.startswith(_QUOTATION) or not words:
            return None
        shared = Counter(own_line for word in words for own_line in self._lines_of.get(word, ()))
        shares = {
            own_line: 2 * count / (len(words) + self._words[own_line])
            for own_line, count in shared.items()
            if self._left[own_line] > taken[own_line]
        }
        best = max(shares, key=shares.__getitem__, default=None)
        return best if best is not None and shares[best] >= _SAME_LINE else None


def _paragraphs(lines: Sequence[str]) -> Iterator[list[int]]:
    """Yield the line numbers of each run of lines that are not blank."""
    run = list[int]()
    for n, line in enumerate(lines):
        if line.strip():
            run.append(n)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _split_words(line: str) -> set[str]:
    return set(_WORD.findall(line.casefold()))


def _head(line: str) -> str:
    """The part of a first line that stays each day: `### Sprint 12` of `### Sprint 12 · day 3 of 5`."""
    return line.partition(" · ")[0].strip()


def _as_paragraphs(text: str) -> str:
    """Separate the text after the App's part into its own paragraphs."""
    if not text.strip():
        return ""
    lines = text.split("\n")
    numbers = [n for n, line in enumerate(lines) if line.strip()]
    return "\n\n" + "\n".join(lines[numbers[0] : numbers[-1] + 1]).removesuffix("\r")


class _Offsets:
    """Converts offsets in a text with `\n` line breaks into offsets in the original text with `\r\n`."""

    def __init__(self, text: str) -> None:
        self._breaks, place = list[int](), 0
        for line in text.split(_CRLF)[:-1]:
            self._breaks.append(place + len(line))
            place += len(line) + 1

    def of(self, place: int) -> int:
        return place + bisect_left(self._breaks, place)
