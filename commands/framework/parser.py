"""Find command lines in a comment, as a reader of the rendered comment would see them.

A command is a line that begins with a slash, in running text: not in code, a quotation, a heading's
underline, a table, a link or HTML. The Markdown parser (`commands/formatting/markdown.py`) does not report
the position of inline text, so every candidate line is marked with a character of the private use area
before parsing; the marks that come out as plain text at the beginning of a line belong to commands.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from commands.formatting.foreign_text import one_line
from commands.formatting.markdown import (
    MOST_AT_ONCE,
    MOST_CHARACTERS,
    OpenElements,
    current_skim,
    parse_markdown,
    skim_long_texts,
)
from commands.framework.request import CommandLine

__all__ = ["MOST_AT_ONCE", "MOST_CHARACTERS", "find_added_lines", "find_command_lines", "skim_long_texts"]

_CANDIDATE = re.compile(r"^( {0,3}/)(?=[a-zA-Z])", re.MULTILINE)
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"/{_OPEN}([0-9]+){_CLOSE}")
_CANDIDATE_LINE = re.compile(r"^ {0,3}(/[a-zA-Z].*)$", re.MULTILINE)


def find_command_lines(text: str) -> list[CommandLine]:
    """All command lines of a comment, from the top; none if the text is longer than GitHub allows."""
    if len(text) > MOST_CHARACTERS or not _CANDIDATE.search(cleaned := _clean_text(text)):
        return []
    lines = cleaned.split("\n")
    marked, candidates = list[str](), 0
    for number, line in enumerate(lines):
        replaced, count = _CANDIDATE.subn(rf"\g<1>{_OPEN}{number}{_CLOSE}", line)
        marked.append(replaced)
        candidates += count
    if not candidates:
        return []
    marks = _find_marks(parse_markdown("\n".join(marked)))
    return [CommandLine(lines[number].strip(), number + 1) for number in marks]


def find_added_lines(text: str, before: str) -> list[CommandLine]:
    """The command lines that an edit added to a comment.

    Lines that differ in white space or invisible characters only are the same command.
    """
    if text == before or len(before) > MOST_CHARACTERS:
        return []
    skim = current_skim()
    if skim is not None and len(text) + len(before) > MOST_AT_ONCE:
        candidates = _find_candidates(text)
        skim.is_inexact |= bool(candidates)
        return candidates
    added, commands = [], find_command_lines(text)
    present = Counter(map(_comparison_key, find_command_lines(before))) if commands else Counter[str]()
    for command in commands:
        if present[_comparison_key(command)]:
            present[_comparison_key(command)] -= 1
        else:
            added.append(command)
    return added


def _comparison_key(command: CommandLine) -> str:
    return one_line(command.text)


def _find_candidates(text: str) -> list[CommandLine]:
    """The lines that look like commands, without parsing the Markdown around them."""
    text, line, position = _clean_text(text[:MOST_CHARACTERS]), 1, 0
    candidates = []
    for match in _CANDIDATE_LINE.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        candidates.append(CommandLine(match[1].strip(), line))
    return candidates


def _clean_text(text: str) -> str:
    """The text with normalized line ends, and without the characters that mark candidates."""
    text = text.replace(_OPEN, "").replace(_CLOSE, "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _find_marks(tokens: Sequence[Token]) -> Iterator[int]:
    quotes, html = 0, OpenElements()
    for token in tokens:
        if token.type in {"blockquote_open", "table_open"}:
            quotes += 1
        elif token.type in {"blockquote_close", "table_close"}:
            quotes -= 1
        elif token.type == "html_block":
            html.read(token.content)
        elif token.type == "inline":
            depth = html.depth
            yield from _find_marks_at_line_starts(token.children or [], html, is_quoted=quotes > 0)
            html.end_paragraph(depth)


def _find_marks_at_line_starts(
    children: Sequence[Token], html: OpenElements, *, is_quoted: bool
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
