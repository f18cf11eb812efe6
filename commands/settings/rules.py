"""Problems with the values of a settings file: first by the schema, then by the rules beyond it."""

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
# The most problems that are shown, and the most unknown keys for which a similar key is searched.
MOST_PROBLEMS = 20


@cache
def load_schema() -> Json:
    """Load the published JSON Schema of the settings file."""
    loaded: Json = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return loaded


def find_problems(document: Document, commands: Collection[str]) -> list[Problem]:
    """Find the problems of a document. `commands` are the names of all commands."""
    problems = _find_schema_problems(document)
    invalid = {problem.key for problem in problems}
    if "" in invalid:
        return problems
    # Settings that are invalid by the schema may have any shape, so they are not checked further.
    valid = {key: value for key, value in document.value.items() if key not in invalid}
    return [*problems, *find_contradictions(document, valid, commands)]


# Files in the system's directory of time zones that are no time zones.
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
    # The library has no types for this function.
    linear = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"uniqueItems": _unique_items}
    )
    validator: Draft202012Validator = linear(load_schema(), format_checker=formats)
    return validator


def _unique_items(_: object, is_asked: bool, items: object, __: object) -> Iterator[ValidationError]:
    """Check `uniqueItems` in linear time; the library compares all pairs of items that cannot be sorted."""
    if not is_asked or not isinstance(items, list):
        return
    if len({json.dumps(item, sort_keys=True, default=str) for item in items}) < len(items):
        yield ValidationError("has a duplicate")


def _find_schema_problems(document: Document) -> list[Problem]:
    return [
        problem
        for error in _validator().iter_errors(document.value)
        for problem in _explain_error(document, _find_closest_error(error))
    ]


def _find_closest_error(error: ValidationError) -> ValidationError:
    """The most telling of the errors behind an `anyOf` of which no form matches.

    An error deep within one form says more than that no form matches, and so does an unknown key.
    """
    while error.context:
        deepest = max(error.context, key=lambda inner: len(inner.absolute_path))
        if len(deepest.absolute_path) <= len(error.absolute_path):
            unknown_keys = (inner for inner in error.context if inner.validator == "additionalProperties")
            return next(unknown_keys, error)
        error = deepest
    return error


def _explain_error(document: Document, error: ValidationError) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    rules: Any = error.schema
    if error.validator == "additionalProperties" and rules["additionalProperties"] is False:
        known_keys = list(rules["properties"])
        unknown = [key for key in document.at(path) if key not in known_keys]
        for n, key in enumerate(unknown):
            similar = _find_similar(key, known_keys) if n < MOST_PROBLEMS else []
            yield document.problem((*path, key), _explain_unknown((*path, key), known_keys, similar))
    elif error.validator in {"maxItems", "maxProperties"}:
        yield document.problem(path, f"{format_path(path)} has more than {rules[error.validator]} entries")
    elif error.validator == "required":
        missing = next(key for key in rules["required"] if key not in document.at(path))
        yield document.problem(path, f"{format_path((*path, missing))} is missing")
    else:
        required = rules.get("errorMessage") or f"is invalid: {plain(error.message)}"
        if error.parent is None and "propertyNames" in error.schema_path:
            path = (*path, str(error.instance))
        # An item of a list is reported by the list's name and the item's line.
        shown = path[:-1] if path and isinstance(path[-1], int) else path
        if shown and error.instance is None:
            yield document.problem(path, _explain_empty(document, path, shown, required))
        elif shown:
            value, hint = _format_value(error.instance), _suggest_quotes(error)
            yield document.problem(path, f"{format_path(shown)} {required}, not {value}{hint}")
        else:
            yield document.problem(path, f"the file {required}")


def _explain_empty(document: Document, path: Path_, shown: Path_, required: str) -> str:
    """The text about a setting without a value."""
    if document.has_comment(path):
        return (
            f"{format_path(shown)} is empty, because `#` begins a comment in YAML; it {required}. "
            "Put text that contains `#` in quotation marks"
        )
    return f"{format_path(shown)} is empty; it {required}. Remove the line if you don't need it"


def _suggest_quotes(error: ValidationError) -> str:
    """A hint to quote a text that YAML parses as a number or a boolean; empty for other errors."""
    is_text_wanted = error.validator == "type" and error.validator_value == "string"
    if is_text_wanted and isinstance(error.instance, bool | int | float):
        return "; put it in quotation marks if it is text"
    return ""


def _find_similar(key: str, keys: Collection[str]) -> list[str]:
    return difflib.get_close_matches(key.lower(), keys, n=1)


def _explain_unknown(path: Path_, keys: list[str], similar: list[str]) -> str:
    where = f" in {format_path(path[:-1])}" if path[:-1] else ""
    if similar:
        return f"there is no setting {format_path(path[-1:])}{where}; did you mean `{similar[0]}`?"
    names = ", ".join(f"`{name}`" for name in keys)
    return f"there is no setting {format_path(path[-1:])}{where}; use one of {names}"


def _format_value(value: object) -> str:
    """Format a value as it was written, cut to 60 characters."""
    if isinstance(value, str):
        return f"“{plain(value[:60])}”"
    text = json.dumps(value, ensure_ascii=False)
    return f"“{plain(text if len(text) <= 60 else text[:59] + '…')}”"
