"""What is wrong with the values of a settings file: first by the schema, then by what no schema can tell."""

import difflib
import json
from collections.abc import Collection, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError

from charts.locales import LOCALES
from commands.formatting.wording import plain
from commands.settings.contradictions import find_contradictions
from commands.settings.yaml_document import Document, Json, Path_, Problem, format_path

_SCHEMA = Path(__file__).parents[2] / "docs" / "agile.schema.json"
# Looking for what was meant takes its time, and more problems than so many are not shown.
MOST_PROBLEMS = 20


@cache
def load_schema() -> Json:
    """The published schema."""
    loaded: Json = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return loaded


def find_problems(document: Document, commands: Collection[str]) -> list[Problem]:
    """What is wrong with each setting. `commands` are the names of all commands."""
    problems = _against_schema(document)
    wrong = {problem.key for problem in problems}
    if "" in wrong:
        return problems
    # What the schema has something against may be of any shape.
    good = {key: value for key, value in document.value.items() if key not in wrong}
    return [*problems, *find_contradictions(document, good, commands)]


# Files of the machine beside those of the zones.
_NO_ZONES = {"localtime", "posixrules", "Factory"}


def _is_zone(value: object) -> bool:
    try:
        return not isinstance(value, str) or (value not in _NO_ZONES and bool(ZoneInfo(value)))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _is_day(value: object) -> bool:
    try:
        return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


@cache
def _validator() -> Draft202012Validator:
    formats = FormatChecker(())
    formats.checks("zone")(_is_zone)
    formats.checks("day")(_is_day)
    formats.checks("locale")(lambda value: not isinstance(value, str) or value in LOCALES)
    # The library has no types for it.
    linear = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"uniqueItems": _unique_items}
    )
    validator: Draft202012Validator = linear(load_schema(), format_checker=formats)
    return validator


def _unique_items(_: object, is_asked: bool, items: object, __: object) -> Iterator[ValidationError]:
    """The library compares each item with each other where they cannot be sorted."""
    if not is_asked or not isinstance(items, list):
        return
    if len({json.dumps(item, sort_keys=True, default=str) for item in items}) < len(items):
        yield ValidationError("holds something twice")


def _against_schema(document: Document) -> list[Problem]:
    return [
        problem
        for error in _validator().iter_errors(document.value)
        for problem in _in_words(document, _closest(error))
    ]


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


def _in_words(document: Document, error: ValidationError) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    rules: Any = error.schema
    if error.validator == "additionalProperties" and rules["additionalProperties"] is False:
        known = list(rules["properties"])
        unknown = [key for key in document.at(path) if key not in known]
        for n, key in enumerate(unknown):
            similar = _similar(key, known) if n < MOST_PROBLEMS else []
            yield document.problem((*path, key), _unknown((*path, key), known, similar))
    elif error.validator in {"maxItems", "maxProperties"}:
        yield document.problem(path, f"{format_path(path)} holds more than {rules[error.validator]} entries")
    elif error.validator == "required":
        missing = next(one for one in rules["required"] if one not in document.at(path))
        yield document.problem(path, f"{format_path((*path, missing))} is missing")
    else:
        required = rules.get("errorMessage") or f"is wrong: {plain(error.message)}"
        if error.parent is None and "propertyNames" in error.schema_path:
            path = (*path, str(error.instance))
        # An item of a list is told by the list's name and its own line.
        shown = path[:-1] if path and isinstance(path[-1], int) else path
        if shown and error.instance is None:
            yield document.problem(path, _empty(document, path, shown, required))
        elif shown:
            text = f"{format_path(shown)} {required}, not {_value(error.instance)}{_hint(error)}"
            yield document.problem(path, text)
        else:
            yield document.problem(path, f"the file {required}")


def _empty(document: Document, path: Path_, shown: Path_, required: str) -> str:
    """What is wrong with a setting without a value."""
    if document.has_comment(path):
        return (
            f"{format_path(shown)} is empty, because `#` begins a comment in YAML; it {required}. "
            "Put a text with `#` in quotation marks"
        )
    return f"{format_path(shown)} is empty; it {required}. Take the line out if there is nothing to settle"


def _hint(error: ValidationError) -> str:
    """What would be right where a text was read as something else."""
    is_text_wanted = error.validator == "type" and error.validator_value == "string"
    if is_text_wanted and isinstance(error.instance, bool | int | float):
        return "; put it in quotation marks if it is a text"
    return ""


def _similar(key: str, known: Collection[str]) -> list[str]:
    return difflib.get_close_matches(key.lower(), known, n=1)


def _unknown(path: Path_, known: list[str], similar: list[str]) -> str:
    where = f" in {format_path(path[:-1])}" if path[:-1] else ""
    if similar:
        return f"there is no setting {format_path(path[-1:])}{where}; did you mean `{similar[0]}`?"
    names = ", ".join(f"`{name}`" for name in known)
    return f"there is no setting {format_path(path[-1:])}{where}; there are {names}"


def _value(value: object) -> str:
    """A value as somebody wrote it, not too long."""
    if isinstance(value, str):
        return f"“{plain(value[:60])}”"
    text = json.dumps(value, ensure_ascii=False)
    return f"“{plain(text if len(text) <= 60 else text[:59] + '…')}”"
