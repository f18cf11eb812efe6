"""Split a line into words: `"quoted text"`, plain words, and names such as `due:` and `--due`."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from commands.framework.plain_input import narrow_marks

# The characters that end a quotation, by the one that begins it. People mix the kinds of one family.
_DOUBLE = '"“”„‟＂'
_SINGLE = "'‘’‚‛"
_CLOSERS = {
    **dict.fromkeys(_DOUBLE, _DOUBLE),
    **dict.fromkeys(_SINGLE, _SINGLE),
    "«": "»",
    "»": "«",
    "‹": "›",
    "›": "‹",
    "「": "」",
    "『": "』",
    "`": "`",
}
_USUAL_CLOSERS = {"“": "”", "„": "“", "‘": "’", "‚": "‘"}
# These stand within words and between them, too: without an end they begin no quotation.
_DOUBTFUL = frozenset(f"{_SINGLE}`«»‹›")
_END = {
    opening: re.compile(
        f"[{re.escape(closing)}]" + (r"(?=$|[\s,.!?;])" if opening in _DOUBTFUL and opening != "`" else "")
    )
    for opening, closing in _CLOSERS.items()
}
# Within the marks of the double family, a mark that is written twice stands for itself, as in a CSV file.
_DOUBLE_QUOTATION = re.compile(rf"((?:[^{_DOUBLE}]|([{_DOUBLE}])\2)*)[{_DOUBLE}]")
_WRITTEN_TWICE = re.compile(rf"([{_DOUBLE}])\1")
_WORD = re.compile(r"\S+")
_BLANKS = re.compile(r"\s*")
_NEXT_QUOTED = re.compile(r"\s*,\s*(?=[" + re.escape("".join(_CLOSERS)) + "])")
_NAME = re.compile(r"(?P<dashes>--?|—|–)?(?P<name>[A-Za-z][A-Za-z_-]{0,30})(?P<mark> ?[:=](?!//))?")


class EndlessQuotationError(ValueError):
    """A quotation without an end; `start` is where it begins."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.start = start


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line, from `start` to `end`; `text` is its value without quotation marks.

    A word that `is_name` names the argument whose value follows; it `is_option` if it began with dashes.
    """

    text: str
    start: int
    end: int
    is_quoted: bool = False
    is_name: bool = False
    is_option: bool = False


def split_words(line: str, start: int, names: Collection[str]) -> list[Word]:
    """Split a line from a position on. `names` are those of arguments. Raises EndlessQuotationError."""
    marks = narrow_marks(line)
    endless, spaced = set[str](), _SpacedNames(names)
    words, position = list[Word](), _skip_blanks(line, start)
    while position < len(line):
        word = (
            _read_name(marks, position, names)
            or spaced.read(marks, position)
            or _read_quotation(line, position, endless)
        )
        if word is None:
            match = _WORD.match(line, position)
            end = match.end() if match else len(line)
            word = Word(line[position:end], position, end)
        words.append(word)
        position = word.end
        if word.is_quoted and (comma := _NEXT_QUOTED.match(marks, position)):
            position = comma.end()
        position = _skip_blanks(line, position)
    return words


def quote(text: str) -> str:
    """A text of one line in quotation marks, so that it is read as this text.

    The marks are those that it does not contain itself; where it has all kinds, its own are written twice.
    """
    if set(_DOUBLE) & set(text) and not set("«»") & set(text):
        return f"«{text}»"
    return '"' + re.sub(f"[{_DOUBLE}]", r"\g<0>\g<0>", text) + '"'


def find_closing_mark(opening: str) -> str:
    """The mark that ends a quotation."""
    return _USUAL_CLOSERS.get(opening) or (opening if opening in _CLOSERS[opening] else _CLOSERS[opening][0])


def _skip_blanks(line: str, position: int) -> int:
    match = _BLANKS.match(line, position)
    return match.end() if match else position


def _read_name(marks: str, position: int, names: Collection[str]) -> Word | None:
    match = _NAME.match(marks, position)
    if match is None:
        return None
    name = match["name"].lower().replace("_", "-")
    is_alone = match["mark"] is not None or match.end() == len(marks) or marks[match.end()].isspace()
    if name not in names or not is_alone or not (match["mark"] or match["dashes"]):
        return None
    return Word(name, position, match.end(), is_name=True, is_option=match["dashes"] is not None)


class _SpacedNames:
    """The names with a hyphen, which people write with a blank instead, or in one: `as of` for `as-of`."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = {name.replace("-", ""): name for name in names if "-" in name}
        spellings = "|".join(sorted(name.replace("-", "[ _-]?") for name in names if "-" in name))
        self._pattern = re.compile(rf"({spellings})(?P<mark> ?[:=](?!//)|(?=\s|$))", re.IGNORECASE)

    def read(self, marks: str, position: int) -> Word | None:
        """The name at a position; without a colon it is a plain word, as it may be part of a text."""
        match = self._pattern.match(marks, position) if self._names else None
        if match is None:
            return None
        name = self._names[re.sub("[ _-]", "", match[1]).lower()]
        return Word(name, position, match.end(), is_name=bool(match["mark"]))


def _read_quotation(line: str, position: int, endless: set[str]) -> Word | None:
    """The quotation at a position; `endless` collects the marks that nothing closes any more."""
    opening = line[position]
    if opening not in _CLOSERS or opening in endless:
        return None
    if opening in _DOUBLE:
        quotation = _DOUBLE_QUOTATION.match(line, position + 1)
        if quotation is None:
            raise EndlessQuotationError(position)
        text = _WRITTEN_TWICE.sub(r"\1", quotation[1])
        return Word(text.strip(), position, quotation.end(), is_quoted=True)
    end = _END[opening].search(line, position + 1)
    if end is None:
        if opening in _DOUBTFUL:
            endless.add(opening)
            return None
        raise EndlessQuotationError(position)
    return Word(line[position + 1 : end.start()].strip(), position, end.end(), is_quoted=True)
