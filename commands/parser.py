"""Finds command lines in a comment, as a reader of the rendered comment would see them.

A command is a line that begins with a slash, in running text: not in code, a quotation, a heading's
underline, a table, a link or HTML. A real Markdown parser decides. It tells nothing of the place of inline
text, so every candidate line is marked with a character of the private use area before parsing, and those
that come out as plain text at the beginning of a line are commands.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from commands.request import CommandLine

_CANDIDATE = re.compile(r"^( {0,3}/)(?=[a-zA-Z])", re.MULTILINE)
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"/{_OPEN}([0-9]+){_CLOSE}")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
# Elements without content, or whose end tag may be left out: they enclose nothing that follows.
_NEVER_OPEN = {"area", "base", "br", "col", "hr", "img", "input", "li", "link", "meta", "p", "source", "wbr"}
_HOLD_PARAGRAPHS = {"blockquote", "details", "div", "dl", "ol", "pre", "table", "ul"}


def commands_in(text: str) -> list[CommandLine]:
    """All command lines of a comment, from the top."""
    lines = _LINE_ENDS.split(text.replace(_OPEN, "").replace(_CLOSE, ""))
    marked, candidates = list[str](), 0
    for number, line in enumerate(lines):
        replaced, found = _CANDIDATE.subn(rf"\g<1>{_OPEN}{number}{_CLOSE}", line)
        marked.append(replaced)
        candidates += found
    if not candidates:
        return []
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse("\n".join(marked))
    return [CommandLine(lines[number].strip(), number + 1) for number in _marks_in_plain_text(tokens)]


def added_commands(text: str, before: str) -> list[CommandLine]:
    """The command lines of an edited comment that it did not have before the edit."""
    had = Counter(command.text for command in commands_in(before)) if before else Counter[str]()
    added = []
    for command in commands_in(text):
        if had[command.text]:
            had[command.text] -= 1
        else:
            added.append(command)
    return added


def _marks_in_plain_text(tokens: Sequence[Token]) -> Iterator[int]:
    quotes, html = 0, _OpenElements()
    for token in tokens:
        if token.type in {"blockquote_open", "table_open"}:
            quotes += 1
        elif token.type in {"blockquote_close", "table_close"}:
            quotes -= 1
        elif token.type == "html_block":
            html.read(token.content)
        elif token.type == "inline":
            depth = html.depth
            yield from _marks_in_line_starts(token.children or [], html, is_quoted=quotes > 0)
            html.end_paragraph(depth)


def _marks_in_line_starts(
    children: Sequence[Token], html: "_OpenElements", *, is_quoted: bool
) -> Iterator[int]:
    nesting, at_line_start = 0, True
    for child in children:
        if child.type == "html_inline":
            html.read(child.content)
        nesting += child.nesting
        if child.type == "text":
            mark = _MARK.match(child.content)
            if mark and at_line_start and not nesting and not html.depth and not is_quoted:
                yield int(mark[1])
            at_line_start = at_line_start and not child.content.strip()
        else:
            at_line_start = child.type in {"softbreak", "hardbreak"}


class _OpenElements(HTMLParser):
    """Counts the HTML elements that are open, so that what they enclose can be told."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    @property
    def depth(self) -> int:
        return len(self._open)

    def read(self, html: str) -> None:
        """One piece of HTML. A tag that it leaves unfinished ends with it."""
        self.feed(html)
        self.reset()

    def end_paragraph(self, depth: int) -> None:
        """The end of a paragraph closes what it opened, but for elements that may hold paragraphs."""
        self._open[depth:] = [tag for tag in self._open[depth:] if tag in _HOLD_PARAGRAPHS]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag not in _NEVER_OPEN:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
