"""Items in lists, with number and title: `#12` becomes the link `[#12 Card form](…/issues/12)`.

On GitHub a bare `#12` in a list shows the item's title, but not in a table, and nowhere in the mail that
GitHub sends of a comment. A link with a text of its own reads the same everywhere. Answers are written with
bare numbers; whoever publishes them adds the titles here, so that all lists name their items in the same way.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from commands.formatting.foreign_text import one_line, plain
from sprints.numbering import Number, qualify_number, ref, split_number

# The longest title, in characters.
MOST_OF_TITLE = 60
# A text that is longer gets no more titles: GitHub takes 65,536 characters of a comment.
MOST_CHARACTERS = 40_000
_FENCE = re.compile(r"\s*(?:```|~~~)")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)]) ")
_REPOSITORY = r"(?:[\w.-]+/[\w.-]+)?"
_REFERENCE = re.compile(rf"(?<![\w/#&\[-])(?P<repository>{_REPOSITORY})#(?P<number>[1-9]\d{{0,9}})(?![\w-])")
# Of several items in a row none gets its title.
_ROW = re.compile(rf", {_REPOSITORY}#| and \d")
_FIRST_CELL = re.compile(rf"\| (?P<repository>{_REPOSITORY})#(?P<number>[1-9]\d{{0,9}})(?= \|)")
# Where no reference is meant: code, links and pictures, comments.
_CLOSED = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)|!?\[[^\]]*\]\([^)]*\)|<!--.*?-->")


@dataclass(frozen=True, slots=True)
class ItemPages:
    """The addresses of items: GitHub's web pages, and the repository (`owner/name`) of bare numbers."""

    web_url: str
    repository: str

    def address(self, number: Number) -> str:
        """The address of an issue's or pull request's page; GitHub forwards a pull request's."""
        repository, digits = split_number(number)
        return f"{self.web_url}/{repository or self.repository}/issues/{digits}"


def find_listed_items(markdown: str) -> set[Number]:
    """Find the items that lists and tables of a text begin their lines with."""
    references = (_find_reference(line) for line in _lines_outside_code(markdown))
    return {_number(reference) for reference in references if reference}


def add_titles(markdown: str, titles: Mapping[Number, str], pages: ItemPages) -> str:
    """Add titles to the items of lists and tables. An item without a known title keeps its bare number."""
    lines, room = list[str](), MOST_CHARACTERS - len(markdown)
    references = iter([_find_reference(line) for line in _lines_outside_code(markdown)])
    for line in markdown.split("\n"):
        reference = next(references)
        title = one_line(titles.get(_number(reference), "")) if reference else ""
        if reference and title:
            number = _number(reference)
            link = f"[{ref(number)} {plain(shorten_title(title))}]({pages.address(number)})"
            begin, end = reference.start("repository"), reference.end("number")
            added = len(link) - (end - begin)
            if added <= room:
                line, room = f"{line[:begin]}{link}{line[end:]}", room - added  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines)


def shorten_title(title: str) -> str:
    """Cut a title to at most 60 characters, at the end of a word if there is one."""
    if len(title) <= MOST_OF_TITLE:
        return title
    cut = title[: MOST_OF_TITLE - 1]
    words = cut.rpartition(" ")[0]
    return f"{(words if len(words) > MOST_OF_TITLE // 2 else cut).rstrip()}…"


def _lines_outside_code(markdown: str) -> Iterator[str]:
    """Each line of a text; empty for the lines of code blocks."""
    is_code = False
    for line in markdown.split("\n"):
        is_fence = _FENCE.match(line) is not None
        yield "" if is_code or is_fence else line
        is_code ^= is_fence


def _find_reference(line: str) -> re.Match[str] | None:
    """Find the item of a line: in a table the first cell, in a list the first reference."""
    if line.startswith("| "):
        return _FIRST_CELL.match(line)
    if not _LIST_ITEM.match(line):
        return None
    open_line = _CLOSED.sub(lambda closed: "`" * len(closed[0]), line)
    reference = _REFERENCE.search(open_line)
    return None if reference is None or _ROW.match(open_line, reference.end()) else reference


def _number(reference: re.Match[str]) -> Number:
    return qualify_number(reference["repository"], int(reference["number"]))
