"""Our part of an issue's or a comment's text. What people wrote around it stays, and is never said twice.

Our part ends in an invisible marker. Where it begins is known from the text that GitHub took last. Pure
functions, in time proportional to the texts.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

# Of the 65,536 characters that GitHub takes; the rest is for Unicode that counts double.
MOST_CHARACTERS = 65_000
_CRLF = "\r\n"


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


def surroundings_of(text: str, markers: Sequence[str], sent: str | None) -> Surroundings | None:
    """What people wrote around our part, or None if they have taken our part out.

    `markers` are those that may end our part; `sent` is our part as GitHub took it last, None if that is not
    known: then all before the marker is ours. Within our part ours counts, but whole lines that somebody
    added there come after it.
    """
    plain = text.replace(_CRLF, "\n")
    marker = min(((at, at + len(name)) for name in markers if (at := plain.find(name)) >= 0), default=None)
    original = _Offsets(text)
    if sent:
        sent = sent.replace(_CRLF, "\n")
        begin = plain.rfind(sent, 0, marker[0]) if marker else plain.find(sent)
        if begin >= 0:
            end = begin + len(sent)
            before = text[: original.of(begin)]
            if marker is None:
                return Surroundings(before, text[original.of(end) :])
            between = text[original.of(end) : original.of(marker[0])]
            after = text[original.of(marker[1]) :]
            return Surroundings(before, _apart(between) + after)
    if marker is None:
        return None
    after = text[original.of(marker[1]) :]
    if not sent:
        return Surroundings("", after)
    lines = plain[: marker[0]].rstrip("\n").split("\n")
    first, inserted, last = _added(sent.rstrip("\n").split("\n"), lines)
    before = text[: original.of(sum(len(line) + 1 for line in first))]
    return Surroundings(before, _apart("\n".join(inserted)) + _apart("\n".join(last)) + after)


def _added(sent: Sequence[str], lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """The lines that are not ours, of `lines` in which `sent` was changed: before it, within it, after it."""
    head = _equal(sent, lines)
    tail = _equal(sent[head:][::-1], lines[head:][::-1])
    if head + tail == len(sent):
        return (), lines[head : len(lines) - tail], ()
    before = _surplus(sent, lines)
    after = _surplus(sent[::-1], lines[before:][::-1])
    return lines[:before], (), lines[len(lines) - after :]


def _equal(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines are equal from the first on."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def _surplus(sent: Sequence[str], lines: Sequence[str]) -> int:
    """How many lines stand before the first of ours that is still there, beyond those of ours before it."""
    places = {line: n for n, line in reversed(list(enumerate(sent))) if line.strip()}
    anchor = next(((n, places[line]) for n, line in enumerate(lines) if line in places), None)
    return max(anchor[0] - anchor[1], 0) if anchor else 0


def _apart(text: str) -> str:
    """What follows our part, as a paragraph of its own."""
    return f"\n\n{text.strip()}" if text.strip() else ""


class _Offsets:
    """From places in a text whose line breaks are single characters to those in the text as it is."""

    def __init__(self, text: str) -> None:
        self._breaks, place = list[int](), 0
        for line in text.split(_CRLF)[:-1]:
            self._breaks.append(place + len(line))
            place += len(line) + 1

    def of(self, place: int) -> int:
        return place + bisect_left(self._breaks, place)
