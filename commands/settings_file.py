"""The team's settings file: what it may say, and what is wrong with it, in words and with the line.

YAML as editors read it today (1.2): `yes`, `18:00` and `2026-12-24` are texts. What only serves to confuse
or to exhaust a reader – references, tags, a second document, a depth that no setting has – is refused.
"""

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError

from charts.locales import LOCALES
from commands.wording import code, plain

PATH = ".github/agile.yml"
# The repository whose file holds for all others of its organization.
ORGANIZATION_REPOSITORY = ".github"
MOST_BYTES = 32_768
_MOST_DEPTH = 8
_MOST_PROBLEMS = 20
_SCHEMA = Path(__file__).parent.parent / "docs" / "agile.schema.json"

Path_ = tuple[str | int, ...]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong. `line` counts from 1; 0 is the file as a whole."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A file as it was read. Its settings hold only if there are no problems."""

    settings: Json = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@cache
def schema() -> Json:
    """The published schema."""
    found: Json = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return found


def read_settings(
    content: bytes, commands: Collection[str], *, is_organization: bool = False
) -> SettingsFile:
    """What a file says. `commands` are the names of all commands.

    `is_organization` is whether it is the file that holds for all repositories of an organization.
    """
    if len(content) > MOST_BYTES:
        return SettingsFile(problems=(Problem(0, f"The file is larger than {MOST_BYTES // 1024} KB."),))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        return SettingsFile(problems=(Problem(line, "the file must be text in UTF-8"),))
    try:
        document = _Reader(text).read()
    except _UnreadableError as refusal:
        return SettingsFile(problems=(refusal.problem,))
    found = document.problems or _against_schema(document) or _against_sense(document, commands)
    if not found and not is_organization and "sprints" in document.value:
        line = document.line(("sprints",))
        text = "`sprints` belongs into the organization's file, in the repository `.github`"
        found = [Problem(line, text)]
    found = sorted(set(found))
    if len(found) > _MOST_PROBLEMS:
        found = [*found[:_MOST_PROBLEMS], Problem(0, f"And {len(found) - _MOST_PROBLEMS} more.")]
    return SettingsFile({} if found else document.value, tuple(found))


def check_settings(settings: Json, commands: Collection[str]) -> tuple[Problem, ...]:
    """What is wrong with settings that come from elsewhere than a file."""
    document = _Document(settings)
    return tuple(_against_schema(document) or _against_sense(document, commands))


def parsed(text: str) -> Json:
    """The values of a text, good or not; empty where they cannot be read as a mapping."""
    try:
        document = _Reader(text).read()
    except _UnreadableError:
        return {}
    return document.value if isinstance(document.value, dict) and not document.problems else {}


# From text to values


class _UnreadableError(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line, text)


@dataclass(slots=True)
class _Document:
    """Values, and the line of each by its path."""

    value: Any
    lines: dict[Path_, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def at(self, path: Path_) -> Any:
        """The value at a path that there is."""
        found = self.value
        for one in path:
            found = found[one]
        return found

    def line(self, path: Path_) -> int:
        """The line of a value, or of what is around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


_NULL = re.compile(r"(~|null|Null|NULL)?$")
_TRUE, _FALSE = {"true", "True", "TRUE"}, {"false", "False", "FALSE"}
_INTEGER = re.compile(r"[-+]?\d{1,15}$")
_NUMBER = re.compile(r"[-+]?(\.\d{1,15}|\d{1,15}(\.\d{0,15})?)$")
_TEXT_TAG = "tag:yaml.org,2002:str"
_COLLECTION_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
# The library's words, and what people call it.
_MISTAKES = (
    ("mapping values are not allowed", "a colon too many, or a wrong indentation; quote texts with a colon"),
    ("expected <block end>", "the indentation is not that of the lines around it"),
    ("could not find expected ':'", "a colon is missing after a setting's name"),
    ("did not find expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("did not find expected key", "the indentation is not that of the lines around it"),
    ("did not find expected node content", "a bracket or brace is not closed"),
    ("cannot start any token", "a text that begins so must stand in quotation marks"),
    ("unexpected end of stream", "a quotation never ends"),
)


class _Reader:
    """One document of plain values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._document = _Document({})

    def read(self) -> _Document:
        """Raises _UnreadableError."""
        try:
            self._refuse_tricks()
            node = yaml.compose(self._text, Loader=yaml.CBaseLoader)
        except yaml.YAMLError as problem:
            mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
            line = mark.line + 1 if mark else 0
            raise _UnreadableError(line, self._mistake(problem, line)) from None
        if node is not None:
            self._document.value = self._value(node, ())
        if self._document.value is None:  # Comments alone.
            self._document.value = {}
        return self._document

    def _refuse_tricks(self) -> None:
        """Before anything is built: events come one after another, however deep they lie."""
        depth = documents = 0
        for event in yaml.parse(self._text, Loader=yaml.CBaseLoader):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
            if documents > 1:
                raise _UnreadableError(line, "a second document begins here; there must be one only")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _UnreadableError(
                    line, "references (`&name`, `*name`) are not read; write the value out"
                )
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MOST_DEPTH:
                raise _UnreadableError(line, "no setting lies as deep as this")

    def _value(self, node: yaml.Node, path: Path_) -> Any:
        line = node.start_mark.line + 1
        self._document.lines.setdefault(path, line)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        if node.tag not in _COLLECTION_TAGS:
            self._problem(line, "tags such as `!name` are not read")
        if isinstance(node, yaml.SequenceNode):
            return [self._value(one, (*path, n)) for n, one in enumerate(node.value)]
        return dict(self._entries(node, path))

    def _entries(self, node: yaml.Node, path: Path_) -> Iterator[tuple[str, Any]]:
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value)
            if not isinstance(key_node, yaml.ScalarNode) or not key.isprintable():
                self._problem(line, "the name of a setting must be a word")
                continue
            inner = (*path, key)
            if inner in self._document.lines:
                first = self._document.lines[inner]
                self._problem(line, f"{_code(inner)} is given twice, first in line {first}")
                continue
            self._document.lines[inner] = line
            yield key, self._value(value_node, inner)

    def _scalar(self, node: yaml.ScalarNode, line: int) -> Any:
        text = str(node.value)
        if node.tag != _TEXT_TAG:
            self._problem(line, "tags such as `!name` are not read")
        if not text.isprintable():
            self._problem(line, "texts must be a single line of printable characters")
            return ""
        return text if node.style else scalar(text)

    def _mistake(self, problem: yaml.YAMLError, line: int) -> str:
        said = str(getattr(problem, "problem", None) or getattr(problem, "reason", None) or problem)
        around = self._text.splitlines()[line - 1 : line]
        if around and "\t" in around[0][: len(around[0]) - len(around[0].lstrip())]:
            return "this is no YAML: indent with spaces, not with tabs"
        for sign, words in _MISTAKES:
            if sign in said:
                return f"this is no YAML: {words}"
        return f"this is no YAML: {plain(said)}"

    def _problem(self, line: int, text: str) -> None:
        self._document.problems.append(Problem(line, text))


def scalar(text: str) -> Any:
    """What a word without quotation marks means in YAML 1.2: a number, true, false, nothing, or itself."""
    if _NULL.match(text):
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _NUMBER.match(text) else text


# From values to problems


# Files of the machine beside those of the zones.
_NO_ZONES = {"localtime", "posixrules", "Factory"}


def _is_zone(told: object) -> bool:
    try:
        return not isinstance(told, str) or (told not in _NO_ZONES and bool(ZoneInfo(told)))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _is_day(told: object) -> bool:
    try:
        return not isinstance(told, str) or date.fromisoformat(told).isoformat() == told
    except ValueError:
        return False


@cache
def _validator() -> Draft202012Validator:
    formats = FormatChecker(())
    formats.checks("zone")(_is_zone)
    formats.checks("day")(_is_day)
    formats.checks("locale")(lambda told: not isinstance(told, str) or told in LOCALES)
    # The library has no types for it.
    linear = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"uniqueItems": _unique_items}
    )
    validator: Draft202012Validator = linear(schema(), format_checker=formats)
    return validator


def _unique_items(_: object, is_asked: bool, items: object, __: object) -> Iterator[ValidationError]:
    """The library compares each item with each other where they cannot be sorted."""
    if not is_asked or not isinstance(items, list):
        return
    if len({json.dumps(item, sort_keys=True, default=str) for item in items}) < len(items):
        yield ValidationError("holds something twice")


def _against_schema(document: _Document) -> list[Problem]:
    found = list[Problem]()
    for error in _validator().iter_errors(document.value):
        found += _in_words(document, _closest(error))
    return found


def _closest(error: ValidationError) -> ValidationError:
    """Of several forms of which none fits, what is wrong deep within one says more than that none fits; and
    so does a key that the one form does not know that has keys at all.
    """
    while error.context:
        deepest = max(error.context, key=lambda one: len(one.absolute_path))
        if len(deepest.absolute_path) <= len(error.absolute_path):
            unknown = (one for one in error.context if one.validator == "additionalProperties")
            return next(unknown, error)
        error = deepest
    return error


def _in_words(document: _Document, error: ValidationError) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    rules: Any = error.schema
    if error.validator == "additionalProperties" and rules["additionalProperties"] is False:
        known = list(rules["properties"])
        unknown = [key for key in document.at(path) if key not in known]
        for n, key in enumerate(unknown):
            # Looking for what was meant takes its time, and more than so many are not shown.
            similar = difflib.get_close_matches(key, known, n=1) if n < _MOST_PROBLEMS else []
            yield Problem(document.line((*path, key)), _unknown((*path, key), known, similar))
    elif error.validator in {"maxItems", "maxProperties"}:
        yield Problem(document.line(path), f"{_code(path)} holds more than {rules[error.validator]} entries")
    elif error.validator == "required":
        missing = next(one for one in rules["required"] if one not in document.at(path))
        yield Problem(document.line(path), f"{_code((*path, missing))} is missing")
    else:
        named = rules.get("errorMessage") or f"is wrong: {plain(error.message)}"
        if error.parent is None and "propertyNames" in error.schema_path:
            path = (*path, str(error.instance))
        # An item of a list is told by the list's name and its own line.
        shown = path[:-1] if path and isinstance(path[-1], int) else path
        text = f"{_code(shown)} {named}, not {_said(error.instance)}" if shown else f"the file {named}"
        yield Problem(document.line(path), text)


def _unknown(path: Path_, known: list[str], close: list[str]) -> str:
    where = f" in {_code(path[:-1])}" if path[:-1] else ""
    if close:
        return f"there is no setting {_code(path[-1:])}{where}; did you mean `{close[0]}`?"
    return (
        f"there is no setting {_code(path[-1:])}{where}; there are {', '.join(f'`{one}`' for one in known)}"
    )


def _against_sense(document: _Document, commands: Collection[str]) -> list[Problem]:
    """What no schema can tell, of a document that the schema has nothing against."""
    told = document.value
    return [*_about_commands(document, told.get("commands", {}), commands), *_about_teams(document, told)]


def _about_commands(document: _Document, told: Json, commands: Collection[str]) -> Iterator[Problem]:
    verbs = {name.split()[0] for name in commands}
    names = dict[str, str]()
    for command, rules in told.items():
        if not isinstance(rules, Mapping):
            continue
        path = ("commands", command)
        if command not in commands and command not in verbs:
            close = difflib.get_close_matches(command, [*commands, *verbs], n=1)
            hint = f"; did you mean `{close[0]}`?" if close else ""
            yield Problem(document.line(path), f"there is no command {code(command)}{hint}")
        elif command not in commands and set(rules) - {"short"}:
            some = ", ".join(f"`{one}`" for one in sorted(commands) if one.split()[0] == command)
            yield Problem(document.line(path), f"`{command}` alone is no command; there are {some}")
        elif command not in verbs and "short" in rules:
            first = command.split()[0]
            text = f"`short` holds for all that begins with `/{first}`; put it under `{first}`"
            yield Problem(document.line((*path, "short")), text)
        if (name := rules.get("name")) is not None:
            line = document.line((*path, "name"))
            if name in verbs:
                yield Problem(line, f"{code(name)} is the name of another command")
            elif name in names:
                yield Problem(line, f"{code(name)} is the name of {code(names[name])} already")
            names[name] = command


def _about_teams(document: _Document, told: Json) -> Iterator[Problem]:
    known = told.get("teams")
    for slug in told.get("wip", {}).get("teams", {}):
        if known is not None and slug not in known:
            line = document.line(("wip", "teams", slug))
            yield Problem(line, f"{code(slug)} is no team of `teams` in this file")


def _code(path: Path_) -> str:
    """A setting's path as code; what stands in a file may hold anything."""
    shown = ".".join(one for one in path if isinstance(one, str))
    return code(shown[:80])


def _said(value: object) -> str:
    """A value as somebody wrote it, not too long."""
    if isinstance(value, str):
        return f"“{plain(value[:60])}”"
    text = json.dumps(value, ensure_ascii=False)
    return f"“{plain(text if len(text) <= 60 else text[:59] + '…')}”"
