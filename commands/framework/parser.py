"""Finds command lines in a comment, as a reader of the rendered comment would see them.

A command is a line that begins with a slash, in running text: not in code, a quotation, a heading's
underline, a table, a link or HTML. A real Markdown parser decides. It tells nothing of the place of inline
text, so every candidate line is marked with a character of the private use area before parsing, and those
that come out as plain text at the beginning of a line are commands.

What is Markdown, commands/formatting/markdown.py knows.
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
    parse,
    skimming,
)
from commands.framework.request import CommandLine

__all__ = ["MOST_AT_ONCE", "MOST_CHARACTERS", "added_commands", "commands_in", "skimming"]

_CANDIDATE = re.compile(r"^( {0,3}/)(?=[a-zA-Z])", re.MULTILINE)
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"/{_OPEN}([0-9]+){_CLOSE}")
_CANDIDATE_LINE = re.compile(r"^ {0,3}(/[a-zA-Z].*)$", re.MULTILINE)


def commands_in(text: str) -> list[CommandLine]:
    """All command lines of a comment, from the top; none of what is longer than a comment may be."""
    if len(text) > MOST_CHARACTERS or not _CANDIDATE.search(cleaned := _cleaned(text)):
        return []
    lines = cleaned.split("\n")
    marked, candidates = list[str](), 0
    for number, line in enumerate(lines):
        replaced, found = _CANDIDATE.subn(rf"\g<1>{_OPEN}{number}{_CLOSE}", line)
        marked.append(replaced)
        candidates += found
    if not candidates:
        return []
    marks = _marks_in_plain_text(parse("\n".join(marked)))
    return [CommandLine(lines[number].strip(), number + 1) for number in marks]


def added_commands(text: str, before: str) -> list[CommandLine]:
    """The command lines of an edited comment that it did not have before the edit.

    A line that differs in white space only, or in characters that nobody sees, is the same command.
    """
    if text == before or len(before) > MOST_CHARACTERS:
        return []
    skim = current_skim()
    if skim is not None and len(text) + len(before) > MOST_AT_ONCE:
        candidates = _candidates(text)
        skim.is_inexact |= bool(candidates)
        return candidates
    added, commands = [], commands_in(text)
    present = Counter(map(_compared, commands_in(before))) if commands else Counter[str]()
    for command in commands:
        if present[_compared(command)]:
            present[_compared(command)] -= 1
        else:
            added.append(command)
    return added


def _compared(command: CommandLine) -> str:
    return one_line(command.text)


def _candidates(text: str) -> list[CommandLine]:
    """The lines that look like commands, whatever is around them."""
    text, line, position = _cleaned(text[:MOST_CHARACTERS]), 1, 0
    candidates = []
    for match in _CANDIDATE_LINE.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        candidates.append(CommandLine(match[1].strip(), line))
    return candidates


def _cleaned(text: str) -> str:
    """The text with a line feed at the end of each line, and without the characters that mark candidates."""
    text = text.replace(_OPEN, "").replace(_CLOSE, "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _marks_in_plain_text(tokens: Sequence[Token]) -> Iterator[int]:
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
            yield from _marks_in_line_starts(token.children or [], html, is_quoted=quotes > 0)
            html.end_paragraph(depth)


def _marks_in_line_starts(children: Sequence[Token], html: OpenElements, *, is_quoted: bool) -> Iterator[int]:
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
