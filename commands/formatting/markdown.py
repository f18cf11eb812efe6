"""Parsing of GitHub's Markdown: which parts of a text are running text.

The parser may need seconds for a text that was crafted to keep it busy. So the event loop parses only short
texts and skims long ones (`skim_long_texts`); bot/jobs/comment_reader.py parses these in a separate process.
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

# The most characters that the event loop parses: the worst text takes about 30 ms of CPU, a usual one 1 ms.
MOST_AT_ONCE = 1_000
# GitHub's limit for the characters of a comment or body.
MOST_CHARACTERS = 65_536

# Elements without content, or whose end tag may be left out: they enclose nothing that follows.
_NEVER_OPEN = {"area", "base", "br", "col", "hr", "img", "input", "li", "link", "meta", "p", "source", "wbr"}
_HOLD_PARAGRAPHS = {"blockquote", "details", "div", "dl", "ol", "pre", "table", "ul"}
# Elements whose content is shown verbatim, or is a link or a quotation.
_NO_RUNNING_TEXT = ("a", "blockquote", "code", "kbd", "pre", "samp", "script", "style", "tt")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(slots=True)
class Skim:
    """The gaps in the parsed parts of texts that were too long to be parsed in one piece.

    If `is_inexact`, the lines found may be no commands; if `has_unread_references`, references to issues were
    not looked for.
    """

    is_inexact: bool = False
    has_unread_references: bool = False


_SKIM: ContextVar[Skim | None] = ContextVar("skim", default=None)


@contextmanager
def skim_long_texts() -> Iterator[Skim]:
    """Skip the parsing of long texts within the block, and note the gaps in the yielded value."""
    skim = Skim()
    token = _SKIM.set(skim)
    try:
        yield skim
    finally:
        _SKIM.reset(token)


def current_skim() -> Skim | None:
    """The `Skim` of the current `skim_long_texts` block; None outside, where every text is parsed."""
    return _SKIM.get()


def parse_markdown(markdown: str) -> list[Token]:
    """Parse a text into tokens: CommonMark with GitHub's tables and strikethrough."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)


def extract_running_text(markdown: str) -> str:
    """Extract the author's own words, a line for each stretch of plain text.

    Code, HTML comments, quotations, the text of links and pictures are left out. Backslashes and entities
    are resolved as in the rendered text.
    """
    stretches, quotations, html = list[str](), 0, OpenElements()
    for token in parse_markdown(markdown):
        if token.type == "blockquote_open":
            quotations += 1
        elif token.type == "blockquote_close":
            quotations -= 1
        elif token.type == "html_block":
            texts = html.read(_COMMENT.sub("", token.content))
            stretches += [] if quotations else texts
        elif token.type == "inline":
            depth = html.depth
            texts = _split_stretches(token.children or [], html)
            stretches += [] if quotations else texts
            html.end_paragraph(depth)
    return "\n".join(stretches)


def _split_stretches(children: Sequence[Token], html: "OpenElements") -> list[str]:
    """The stretches of plain text in a paragraph, separated by everything else."""
    stretches, links = [""], list[Token]()
    for child in children:
        if child.type == "text":
            if not links and not html.is_without_running_text:
                stretches[-1] += child.content
            continue
        if child.type == "html_inline":
            html.read(child.content)
        if child.type == "link_open" and child.info != "auto":
            links.append(child)
        elif child.type == "link_close" and child.info != "auto":
            links.pop()
        if child.info != "auto":  # An address in angle brackets is shown verbatim, so it is running text.
            stretches.append("")
    return [stretch for stretch in stretches if stretch]


class OpenElements(HTMLParser):
    """The HTML elements that are open at a point of the text, and so enclose it."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._counts = Counter[str]()
        self._heard: list[str] = []

    @property
    def depth(self) -> int:
        """The number of open elements."""
        return len(self._open)

    @property
    def is_without_running_text(self) -> bool:
        """Whether the text at this point is code, a link or a quotation."""
        return any(self._counts[tag] > 0 for tag in _NO_RUNNING_TEXT)

    def read(self, html: str) -> list[str]:
        """Feed one piece of HTML and return its running text.

        A tag that is unfinished at its end is dropped.
        """
        self._heard = []
        self.feed(html)
        self.reset()
        return self._heard

    def end_paragraph(self, depth: int) -> None:
        """Close a paragraph's elements above `depth`, except elements that may contain paragraphs."""
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
