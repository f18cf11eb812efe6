"""Our part of an issue's or a comment's text. What people wrote around it stays, and is never said twice.

Our part ends in an invisible marker. Where it begins is known from the text that GitHub took last. Pure
functions, in time proportional to the texts.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Of the 65,536 characters that GitHub takes; the rest is for Unicode that counts double.
MOST_CHARACTERS = 65_000
_CRLF = "\r\n"
_QUOTATION = ">"
# A line is one of ours that somebody changed if this part of their words is the same. A word leads to a few
# lines of ours only, so that the time stays proportional to the texts.
_SAME_LINE = 0.6
_MOST_OF_A_WORD = 8
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What people wrote before and after our part."""

    before: str = ""
    after: str = ""

    def room(self, marker: str) -> int:
        """How many characters are left for our part."""
        return MOST_CHARACTERS - len(self.before) - len(self.after) - len(marker) - 2

    def around(self, part: str, marker: str) -> str:
        """The text with our part in its place."""
        return f"{self.before}{part}\n\n{marker}{self.after}"


def find_surroundings(
    text: str, markers: Iterable[str], sent: Sequence[str], wanted: str = ""
) -> Surroundings | None:
    """What people wrote around our part, or None if they have taken our part out.

    `markers` are those that may end our part. `sent` are the texts of which one is our part as GitHub has it;
    empty if that is not known: then our part begins with a line like the first one of `wanted`, which is to
    be sent. Lines that somebody added within our part come after it; where somebody changed a line of ours,
    ours counts.
    """
    plain = text.replace(_CRLF, "\n")
    parts = [part.replace(_CRLF, "\n") for part in sent if part.strip()]
    marker = _marker_in(plain, markers, parts)
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
            return Surroundings(before, text[original.of(end) :])
        between = text[original.of(end) : original.of(marker[0])]
        return Surroundings(before, _as_paragraphs(between) + text[original.of(marker[1]) :])
    if marker is None:
        return None
    after = text[original.of(marker[1]) :]
    lines, added = _MarkedLines(plain[: marker[0]]), list[tuple[int, int]]()
    if parts:
        end, added = lines.around(parts)
    else:
        end = lines.begin_of(wanted)
    before = text[: original.of(end)]
    if before and not before.endswith("\n"):
        before += "\n\n"  # Nothing of ours stands there any more.
    pieces = [text[original.of(first) : original.of(last)] for first, last in added]
    return Surroundings(before, "".join(_as_paragraphs(piece) for piece in pieces) + after)


def _marker_in(plain: str, markers: Iterable[str], parts: Sequence[str]) -> tuple[int, int] | None:
    """Where the marker that ends our part begins and ends: what somebody quoted may hold copies of it."""
    places = sorted({place for name in set(markers) if name for place in _places(plain, name)})
    following = [place for place in places if any(_stands_before(place[0], part, plain) for part in parts)]
    at_line_start = [place for place in places if place[0] == 0 or plain[place[0] - 1] == "\n"]
    return next((some[-1] for some in (following, at_line_start, places) if some), None)


def _places(plain: str, name: str) -> Iterator[tuple[int, int]]:
    place = plain.find(name)
    while place >= 0:
        yield place, place + len(name)
        place = plain.find(name, place + len(name))


def _stands_before(place: int, part: str, plain: str) -> bool:
    ending = f"{part}\n\n"
    return place >= len(ending) and plain.startswith(ending, place - len(ending))


class _MarkedLines:
    """The lines above our marker, where what we sent does not stand as a whole any more."""

    def __init__(self, plain: str) -> None:
        self._lines = plain.split("\n")
        self._begins, begin = list[int](), 0
        for line in self._lines:
            self._begins.append(begin)
            begin += len(line) + 1

    def begin_of(self, wanted: str) -> int:
        """Where our part begins, by the head of what is to be sent; its end if there is no such head."""
        lines = [line for line in wanted.split("\n") if line.strip()]
        heads = {_head(line) for line in lines[:1] + [line for line in lines if line.startswith("#")]}
        like_heads = (n for n, line in enumerate(self._lines) if line.strip() and _head(line) in heads)
        first = next(like_heads, None)
        return self._end_of_all() if first is None else self._begins[first]

    def around(self, parts: Sequence[str]) -> tuple[int, list[tuple[int, int]]]:
        """Where what people wrote before our part ends, and the places of what they added within it."""
        theirs = self._theirs(parts)
        is_ours = (n for n, line in enumerate(self._lines) if line.strip() and n not in theirs)
        first = next(is_ours, None)
        if first is None:
            return self._end_of_all(), []
        is_anything_before = any(n in theirs for n in range(first))
        runs = list[tuple[int, int]]()
        is_open = False
        for n in range(first, len(self._lines)):
            if n in theirs:
                begin = runs.pop()[0] if is_open else self._begins[n]
                runs.append((begin, self._begins[n] + len(self._lines[n])))
                is_open = True
            elif self._lines[n].strip():
                is_open = False
        return (self._begins[first] if is_anything_before else 0), runs

    def _theirs(self, parts: Sequence[str]) -> set[int]:
        """Which lines are not ours. A paragraph that is not one of ours stays whole."""
        ours = Counter[tuple[str, ...]]()
        for part in parts:
            lines = part.split("\n")
            ours |= Counter(tuple(lines[n].rstrip() for n in block) for block in _paragraphs(lines))
        others = list[list[int]]()
        for block in _paragraphs(self._lines):
            text = tuple(self._lines[n].rstrip() for n in block)
            if ours[text] > 0:
                ours[text] -= 1
            else:
                others.append(block)
        missing = _MissingLines(line for text in ours.elements() for line in text)
        unlike = list[tuple[list[int], bool]]()
        theirs = set[int]()
        for block in others:
            ours_there = missing.take_equal([self._lines[n].rstrip() for n in block])
            rest = [n for n, is_one in zip(block, ours_there, strict=True) if not is_one]
            unlike += [([n], True) for n in rest] if any(ours_there) else [(rest, False)]
        for block, is_within_ours in unlike:
            lines = [self._lines[n] for n in block]
            if not missing.take_similar(lines, is_within_ours=is_within_ours):
                theirs.update(block)
        return theirs

    def _end_of_all(self) -> int:
        ends = [self._begins[n] + len(line) for n, line in enumerate(self._lines) if line.strip()]
        return ends[-1] if ends else 0


class _MissingLines:
    """Lines of ours whose paragraphs are not there as we sent them. Each accounts for one line."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._left = Counter(lines)
        self._words = {line: len(_words_of(line)) for line in self._left}
        self._wordless = [line for line, words in self._words.items() if not words][:_MOST_OF_A_WORD]
        self._lines_of = dict[str, list[str]]()
        for line in self._left:
            for word in _words_of(line):
                lines_with_word = self._lines_of.setdefault(word, [])
                if len(lines_with_word) < _MOST_OF_A_WORD:
                    lines_with_word.append(line)

    def take_equal(self, lines: Sequence[str]) -> list[bool]:
        """Which lines of a paragraph are ours. None of them if only lines without words are."""
        if not any(self._left[line] > 0 and _words_of(line) for line in lines):
            return [False] * len(lines)
        are_ours = list[bool]()
        for line in lines:
            are_ours.append(self._left[line] > 0)
            self._left[line] -= are_ours[-1]
        return are_ours

    def take_similar(self, lines: Sequence[str], *, is_within_ours: bool) -> bool:
        """Whether each of these lines is one of ours that was changed.

        A line without words can be that only if it `is_within_ours`: beside lines that are ours.
        """
        taken = Counter[str]()
        for line in lines:
            similar = self._most_similar(line, taken)
            if similar is None and is_within_ours and not _words_of(line):
                similar = next((ours for ours in self._wordless if self._left[ours] > taken[ours]), None)
            if similar is None:
                return False
            taken[similar] += 1
        self._left.subtract(taken)
        return True

    def _most_similar(self, line: str, taken: Counter[str]) -> str | None:
        words = _words_of(line)
        if line.startswith(_QUOTATION) or not words:
            return None
        shared = Counter(ours for word in words for ours in self._lines_of.get(word, ()))
        shares = {
            ours: 2 * count / (len(words) + self._words[ours])
            for ours, count in shared.items()
            if self._left[ours] > taken[ours]
        }
        best = max(shares, key=shares.__getitem__, default=None)
        return best if best is not None and shares[best] >= _SAME_LINE else None


def _paragraphs(lines: Sequence[str]) -> Iterator[list[int]]:
    """Of each run of lines that are not blank their numbers."""
    run = list[int]()
    for n, line in enumerate(lines):
        if line.strip():
            run.append(n)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _words_of(line: str) -> set[str]:
    return set(_WORD.findall(line.casefold()))


def _head(line: str) -> str:
    """What stays of a first line from day to day: `### Sprint 12` of `### Sprint 12 · day 3 of 5`."""
    return line.partition(" · ")[0].strip()


def _as_paragraphs(text: str) -> str:
    """What follows our part, as a paragraph of its own."""
    if not text.strip():
        return ""
    lines = text.split("\n")
    numbers = [n for n, line in enumerate(lines) if line.strip()]
    return "\n\n" + "\n".join(lines[numbers[0] : numbers[-1] + 1]).removesuffix("\r")


class _Offsets:
    """From places in a text whose line breaks are single characters to those in the text as it is."""

    def __init__(self, text: str) -> None:
        self._breaks, place = list[int](), 0
        for line in text.split(_CRLF)[:-1]:
            self._breaks.append(place + len(line))
            place += len(line) + 1

    def of(self, place: int) -> int:
        return place + bisect_left(self._breaks, place)
