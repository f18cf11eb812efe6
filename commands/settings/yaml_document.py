"""Parsing of a settings file's text into values, each with its line.

YAML 1.2, as editors parse it today: `yes`, `18:00` and `2026-12-24` are texts. Features that could confuse or
exhaust a parser are refused: references and tags where they stand; a second document or an excessive depth in
the file as a whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from commands.formatting.wording import code, plain

_MOST_DEPTH = 8

Path_ = tuple[str | int, ...]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A problem of a settings file. `line` counts from 1; 0 stands for the file as a whole.

    `key` is the setting that is invalid because of it; empty if the whole file is.
    """

    line: int
    text: str
    key: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text

    @property
    def sentence(self) -> str:
        """The text as a sentence, without the line."""
        return f"{self.text[0].upper()}{self.text[1:]}{'' if self.text.endswith('?') else '.'}"


class UnreadableError(Exception):
    """The text cannot be parsed at all; `problem` gives the reason."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line, text)


@dataclass(slots=True)
class Document:
    """A parsed document: its values, the line of each value by its path, and the problems of its text.

    A setting with a problem in its text has no value.
    """

    value: Any
    lines: dict[Path_, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    text: tuple[str, ...] = ()

    def at(self, path: Path_) -> Any:
        """The value at a path that exists."""
        value = self.value
        for step in path:
            value = value[step]
        return value

    def line(self, path: Path_) -> int:
        """The line of a value, or of the closest enclosing value with a line."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def problem(self, path: Path_, text: str) -> Problem:
        """Create a problem at a path's line."""
        return Problem(self.line(path), text, str(path[0]) if path else "")

    def has_comment(self, path: Path_) -> bool:
        """Whether the line of a value has a comment, which may have been intended as the value."""
        line = self.line(path)
        return bool(re.search(r"\s#", self.text[line - 1])) if 0 < line <= len(self.text) else False


def read_document(text: str) -> Document:
    """Parse a text into a document. Raises UnreadableError."""
    return _YamlReader(text).read()


def parse_values(text: str) -> Json:
    """Parse a text without checking the settings; empty if it is no mapping or has a problem."""
    try:
        document = read_document(text)
    except UnreadableError:
        return {}
    return document.value if isinstance(document.value, dict) and not document.problems else {}


_NULL = re.compile(r"(~|null|Null|NULL)?$")
_TRUE, _FALSE = {"true", "True", "TRUE"}, {"false", "False", "FALSE"}
_INTEGER = re.compile(r"[-+]?\d{1,15}$")
_NUMBER = re.compile(r"[-+]?(\.\d{1,15}|\d{1,15}(\.\d{0,15})?)$")


def parse_scalar(text: str) -> Any:
    """Parse an unquoted YAML 1.2 scalar: a number, true, false, None, or the text itself."""
    if _NULL.match(text):
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _NUMBER.match(text) else text


# The path of an entry without a usable name.
_NAMELESS = ("?",)
_TAG = "tags such as `!name` are not supported"
_REFERENCE = "references (`&name`, `*name`) are not supported; write the value out"
_COMMENT_HINT = "; `#` begins a comment, so put text that contains `#` in quotation marks"
_COLON = "there is a colon too many, or the indentation is wrong; put text with a colon in quotation marks"
_INDENTATION = "the indentation does not match the lines around it"
# Fragments of the library's messages, and the bot's texts for them.
_MISTAKES = {
    "mapping values are not allowed": _COLON,
    "expected <block end>": _INDENTATION,
    "could not find expected ':'": "a colon is missing after a setting's name",
    "did not find expected ',' or": "a bracket or brace is not closed, or a comma is missing",
    "did not find expected key": _INDENTATION,
    "did not find expected node content": "a bracket or brace is not closed",
    "cannot start any token": "text that begins with this character must be in quotation marks",
    "unexpected end of stream": "a quotation mark is not closed",
}


class _YamlReader:
    """Reader of one YAML document of plain values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._document = Document({}, text=tuple(text.splitlines()))
        # Refused references and tags, each with its position in the text.
        self._refused: list[tuple[int, Problem]] = []

    def read(self) -> Document:
        """Parse the document. Raises UnreadableError."""
        try:
            self._look_through()
            node = yaml.compose(self._text, Loader=yaml.CBaseLoader)
        except yaml.YAMLError as problem:
            if self._refused:  # Such as a reference to nothing.
                raise UnreadableError(self._refused[0][1].line, self._refused[0][1].text) from None
            mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
            line = mark.line + 1 if mark else 0
            raise UnreadableError(*self._mistake(problem, line)) from None
        if isinstance(node, yaml.MappingNode):
            self._document.value = dict(self._settings(node))
        elif self._refused:
            raise UnreadableError(self._refused[0][1].line, self._refused[0][1].text)
        elif node is not None:
            self._document.value = self._value(node, ())
        if self._document.value is None:  # Comments alone.
            self._document.value = {}
        return self._document

    def _look_through(self) -> None:
        """Check the stream of events before values are built, so that a deep document is refused early."""
        depth = documents = 0
        for event in yaml.parse(self._text, Loader=yaml.CBaseLoader):
            mark = event.start_mark
            line, place = (mark.line + 1, mark.index) if mark else (0, 0)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
            if documents > 1:
                raise UnreadableError(
                    line, "a second document begins here, but a settings file can have only one"
                )
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                self._refused.append((place, Problem(line, _REFERENCE)))
            if getattr(event, "tag", None):
                self._refused.append((place, Problem(line, _TAG)))
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MOST_DEPTH:
                raise UnreadableError(line, "the settings are nested too deeply")

    def _settings(self, node: yaml.MappingNode) -> Iterator[tuple[str, Any]]:
        """Read the settings of the file, skipping settings with refused text."""
        self._document.lines[()] = node.start_mark.line + 1
        starts = [key.start_mark.index for key, _ in node.value]
        ends = [*starts, len(self._text) + 1][1:]
        for (key_node, value_node), start, end in zip(node.value, starts, ends, strict=True):
            refused = [problem for index, problem in self._refused if start <= index < end]
            if refused and isinstance(key_node, yaml.ScalarNode):
                key = str(key_node.value)
                self._document.lines.setdefault((key,), key_node.start_mark.line + 1)
                self._document.problems += [Problem(problem.line, problem.text, key) for problem in refused]
            elif refused:
                self._document.problems += [
                    Problem(problem.line, problem.text, *_NAMELESS) for problem in refused
                ]
            else:
                before = len(self._document.problems)
                entries = list(self._entry(key_node, value_node, ()))
                if len(self._document.problems) == before:
                    yield from entries
        # A tag or an anchor of the whole file stands before its first setting.
        if starts:
            self._document.problems += [problem for index, problem in self._refused if index < starts[0]]

    def _value(self, node: yaml.Node, path: Path_) -> Any:
        line = node.start_mark.line + 1
        self._document.lines.setdefault(path, line)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, n)) for n, item in enumerate(node.value)]
        return dict(
            entry for key_node, value_node in node.value for entry in self._entry(key_node, value_node, path)
        )

    def _entry(self, key_node: yaml.Node, value_node: yaml.Node, path: Path_) -> Iterator[tuple[str, Any]]:
        line, key = key_node.start_mark.line + 1, str(key_node.value)
        if not isinstance(key_node, yaml.ScalarNode) or not key.isprintable():
            self._problem(line, "the name of a setting must be plain text", path or _NAMELESS)
            return
        inner = (*path, key)
        if inner in self._document.lines:
            first = self._document.lines[inner]
            self._problem(line, f"{format_path(inner)} is set twice, first on line {first}", inner)
            return
        self._document.lines[inner] = line
        yield key, self._value(value_node, inner)

    def _scalar(self, node: yaml.ScalarNode, line: int, path: Path_) -> Any:
        text = str(node.value)
        if not text.isprintable():
            self._problem(line, "text must be a single line of printable characters", path)
            return ""
        return text if node.style else parse_scalar(text)

    def _mistake(self, problem: yaml.YAMLError, line: int) -> tuple[int, str]:
        """The line of a syntax error, and the text about it."""
        words = str(getattr(problem, "problem", None) or getattr(problem, "reason", None) or problem)
        around = self._document.text[line - 1 : line]
        if around and "\t" in around[0][: len(around[0]) - len(around[0].lstrip())]:
            return line, "this is not valid YAML: indent with spaces, not with tabs"
        meaning = next((meaning for sign, meaning in _MISTAKES.items() if sign in words), plain(words))
        if "bracket" in meaning and (comment := self._comment_inside(line)):
            return comment, f"this is not valid YAML: {meaning}{_COMMENT_HINT}"
        return line, f"this is not valid YAML: {meaning}"

    def _comment_inside(self, line: int) -> int:
        """The first line up to `line` with a comment that begins within brackets; 0 if there is none."""
        for number, row in enumerate(self._document.text[:line], 1):
            before, sign, _ = row.partition("#")
            if sign and sum(map(before.count, "[{")) > sum(map(before.count, "]}")):
                return number
        return 0

    def _problem(self, line: int, text: str, path: Path_) -> None:
        self._document.problems.append(Problem(line, text, str(path[0]) if path else ""))


def format_path(path: Path_) -> str:
    """Format a setting's path as a code span; names from a file are untrusted text."""
    shown = ".".join(step for step in path if isinstance(step, str))
    return code(shown[:80])
