"""Reads GitHub's Markdown with a Markdown parser: the one place that knows what of a text is running text.

The parser may need seconds for a text that was made to keep it busy. So the event loop reads short texts only
and skims long ones (`skimming`); bot/jobs/comment_reader.py reads these in a process of its own.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

# As much as the event loop reads: the worst text of this length takes about 30 ms of CPU, a usual one 1 ms.
MOST_AT_ONCE = 1_000
# GitHub takes no longer texts. What is longer nobody typed.
MOST_CHARACTERS = 65_536

# Elements without content, or whose end tag may be left out: they enclose nothing that follows.
_NEVER_OPEN = {"area", "base", "br", "col", "hr", "img", "input", "li", "link", "meta", "p", "source", "wbr"}
_HOLD_PARAGRAPHS = {"blockquote", "details", "div", "dl", "ol", "pre", "table", "ul"}
# What stands within these is shown as it is, or is somebody else's.
_NO_RUNNING_TEXT = ("a", "blockquote", "code", "kbd", "pre", "samp", "script", "style", "tt")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(slots=True)
class Skim:
    """What of some texts could not be told, because they were too long to be read at once.

    Commands found in them may be none (`is_inexact`), references to issues were not looked for
    (`has_unread_references`).
    """

    is_inexact: bool = False
    has_unread_references: bool = False


_SKIM: ContextVar[Skim | None] = ContextVar("skim", default=None)


@contextmanager
def skimming() -> Iterator[Skim]:
    """While it lasts, long texts are not parsed. What is passed over is noted in the value."""
    skim = Skim()
    token = _SKIM.set(skim)
    try:
        yield skim
    finally:
        _SKIM.reset(token)


def current_skim() -> Skim | None:
    """Where it is noted that a long text was not parsed; None where every text is."""
    return _SKIM.get()


def parse(markdown: str) -> list[Token]:
    """The tokens of GitHub's Markdown, as far as we tell it from CommonMark."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)


def running_text(markdown: str) -> str:
    """What readers take for the author's own words, a line for each stretch of plain text.

    Code, HTML comments, quotations, the text of links and pictures are left out. Backslashes and entities
    are resolved as they are when the text is shown.
    """
    stretches, quotations, html = list[str](), 0, OpenElements()
    for token in parse(markdown):
        if token.type == "blockquote_open":
            quotations += 1
        elif token.type == "blockquote_close":
            quotations -= 1
        elif token.type == "html_block":
            heard = html.read(_COMMENT.sub("", token.content))
            stretches += [] if quotations else heard
        elif token.type == "inline":
            depth = html.depth
            heard = _stretches(token.children or [], html)
            stretches += [] if quotations else heard
            html.end_paragraph(depth)
    return "\n".join(stretches)


def _stretches(children: Sequence[Token], html: "OpenElements") -> list[str]:
    """The plain text of a paragraph, parted by all that is not plain text."""
    found, links = [""], list[Token]()
    for child in children:
        if child.type == "text":
            if not links and not html.is_without_running_text:
                found[-1] += child.content
            continue
        if child.type == "html_inline":
            html.read(child.content)
        if child.type == "link_open" and child.info != "auto":
            links.append(child)
        elif child.type == "link_close" and child.info != "auto":
            links.pop()
        if child.info != "auto":  # A bare address in angle brackets is shown as it is.
            found.append("")
    return [stretch for stretch in found if stretch]


class OpenElements(HTMLParser):
    """Counts the HTML elements that are open, so that what they enclose can be told."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._counts = Counter[str]()
        self._heard: list[str] = []

    @property
    def depth(self) -> int:
        return len(self._open)

    @property
    def is_without_running_text(self) -> bool:
        """Whether what stands here is code, a link or a quotation."""
        return any(self._counts[tag] > 0 for tag in _NO_RUNNING_TEXT)

    def read(self, html: str) -> list[str]:
        """Takes in one piece of HTML and returns its running text.

        A tag that it leaves unfinished ends with it.
        """
        self._heard = []
        self.feed(html)
        self.reset()
        return self._heard

    def end_paragraph(self, depth: int) -> None:
        """The end of a paragraph closes what it opened, but for elements that may hold paragraphs."""
        opened = self._open[depth:]
        self._counts.subtract(tag for tag in opened if tag not in _HOLD_PARAGRAPHS)
        self._open[depth:] = [tag for tag in opened if tag in _HOLD_PARAGRAPHS]

    def handle_data(self, data: str) -> None:
        if not self.is_without_running_text:
            self._heard.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag not in _NEVER_OPEN:
            self._open.append(tag)
            self._counts[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if not self._counts[tag]:
            return
        while (closed := self._open.pop()) != tag:
            self._counts[closed] -= 1
        self._counts[tag] -= 1
