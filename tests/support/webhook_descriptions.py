"""GitHub's own description of its webhooks, and payloads that follow it in every place where it leaves room.

A place is a path of keys and positions. Where the description says so, its value may be null, the key may be
absent, or an element of a list may be null. Keys and values of enumerations that it does not name come with
GitHub's next change, so they are tried as well.
"""

import copy
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

from tests.support.github_openapi import DESCRIPTION

_TIME = "2026-11-02T09:00:00Z"
_VALUES: Mapping[str, Any] = {"boolean": True, "integer": 7, "number": 7, "string": "text"}
_REMOVED = object()
UNKNOWN = "a_value_of_next_year"

Json = dict[str, Any]


class _Surplus(Json):
    """Keys that come to those of an object."""


Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A value in a payload, with what the description says of it."""

    path: Path_
    schema: Json
    is_nullable: bool
    is_optional: bool

    @property
    def name(self) -> str:
        """The path as it is written: `issue.labels.0.name`."""
        return ".".join(map(str, self.path))


@dataclass(frozen=True)
class Described:
    """One event with one action: a full payload, and the places in which another one may differ from it."""

    event: str
    action: str | None
    payload: Json
    places: tuple[Place, ...]

    def variants(self, left_out: Collection[str] = ()) -> Iterator[tuple[str, Json]]:
        """The payload with one place changed at a time, each with the name of the change."""
        for place in self.places:
            for name, value in _odd_values(place, self.payload):
                if f"{place.name} {name}" not in left_out:
                    yield f"{place.name} {name}", _changed(self.payload, {place.path: value})

    def variant_names(self) -> Iterator[str]:
        """The names of all variants."""
        for place in self.places:
            for name, _ in _odd_values(place, self.payload):
                yield f"{place.name} {name}"

    def value_at(self, place: Place) -> Any:
        """The payload's value in one place."""
        return _value_at(self.payload, place)

    def with_value(self, place: Place, value: Any) -> Json:
        """The payload with another value in one place."""
        return _changed(self.payload, {place.path: value})

    def extremes(self) -> Iterator[tuple[str, Json]]:
        """The payload with all places changed at once that can be, in each of the ways."""
        yield "everything", self.payload
        for name in ("null", "absent", "surplus", "unknown", "[null]", "[]"):
            changes = {
                place.path: value
                for place in self.places
                for way, value in _odd_values(place, self.payload)
                if way == name
            }
            yield name, _changed(self.payload, changes)


@cache
def described(event: str, action: str | None) -> Described | None:
    """The description of one event and action; None where GitHub's has none yet."""
    schemas = [schema for name, schema in _payloads() if name == event]
    schema = next((schema for schema in schemas if _action_of(schema) == action), None)
    if schema is None:
        return None
    places: list[Place] = []
    payload = _filled(schema, (), places)
    return Described(event, action, payload, tuple(places))


def _value_at(payload: Json, place: Place) -> Any:
    value: Any = payload
    for step in place.path:
        value = value[step]
    return value


def _odd_values(place: Place, payload: Json) -> Iterator[tuple[str, Any]]:
    value = _value_at(payload, place)
    if place.is_nullable:
        yield "null", None
    if place.is_optional:
        yield "absent", _REMOVED
    if isinstance(value, dict):
        yield "surplus", _Surplus({UNKNOWN: {"id": 1}})
    if "enum" in place.schema and place.path != ("action",):
        yield "unknown", UNKNOWN
    if isinstance(value, list):
        yield "[]", []
        if _is_nullable(_resolved(place.schema.get("items", {}))):
            yield "[null]", [None, *value]


def _changed(payload: Json, changes: Mapping[Path_, Any]) -> Json:
    """The payload with other values in these places, the outermost first: what is gone has no places."""
    changed = copy.deepcopy(payload) if len(changes) > 1 else payload
    for path, value in sorted(changes.items(), key=lambda change: len(change[0])):
        changed = _with(changed, path, value)
    return changed


def _with(whole: Any, path: Path_, value: Any) -> Any:
    """A copy with another value in one place, of what lies on the way to it alone."""
    if not path:
        return whole | value if isinstance(value, _Surplus) else value
    step, rest = path[0], path[1:]
    if not _has(whole, step):
        return whole
    changed = whole.copy()
    if rest or value is not _REMOVED:
        changed[step] = _with(whole[step], rest, value)
    else:
        del changed[step]
    return changed


def _has(whole: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(whole, list) and len(whole) > step
    return isinstance(whole, dict) and step in whole


# The description


@cache
def _document() -> Json:
    document: Json = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return document


@cache
def _payloads() -> tuple[tuple[str, Json], ...]:
    """The schema of each webhook, with the name of its event."""
    operations = [webhook["post"] for webhook in _document()["x-webhooks"].values()]
    schemas = [
        (_event_of(operation), _resolved(operation["requestBody"]["content"]["application/json"]["schema"]))
        for operation in operations
    ]
    # A payload that comes in several shapes, such as the request for a person's or a team's review.
    return tuple(
        (event, _resolved(shape)) for event, schema in schemas for shape in schema.get("oneOf", (schema,))
    )


def _event_of(operation: Json) -> str:
    return str(operation["operationId"]).partition("/")[0].replace("-", "_")


def _action_of(schema: Json) -> str | None:
    values = _resolved(schema.get("properties", {}).get("action", {})).get("enum", [None])
    return values[0]  # type: ignore[no-any-return]


def _resolved(schema: Json) -> Json:
    while "$ref" in schema:
        schema = _document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _is_nullable(schema: Json) -> bool:
    alternatives = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return bool(schema.get("nullable")) or any(
        _is_nullable(_resolved(alternative)) for alternative in alternatives
    )


def _filled(schema: Json, path: Path_, places: list[Place]) -> Any:
    """A value with everything in it that the schema names; its places are added to `places`."""
    schema = _whole(schema)
    if "properties" in schema or _type_of(schema) == "object":
        value: Json = {}
        for name, part in schema.get("properties", {}).items():
            if name.endswith("_url"):  # Half of each payload is addresses, which nobody reads.
                continue
            here = (*path, name)
            inner: list[Place] = []
            value[name] = _filled(part, here, inner)
            is_optional = name not in schema.get("required", ())
            places.append(Place(here, _whole(part), _is_nullable(_resolved(part)), is_optional))
            places += inner
        return value
    if _type_of(schema) == "array":
        return [_filled(schema.get("items", {}), (*path, 0), places)]
    return _example(schema, str(path[-1]) if path else "")


def _whole(schema: Json) -> Json:
    """The schema itself, its first alternative that is a value, or all its parts in one."""
    schema = _resolved(schema)
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema and "properties" not in schema:
            chosen = [_resolved(entry) for entry in schema[alternatives]]
            return _whole(chosen[0])
    if "allOf" in schema:
        rest = {name: part for name, part in schema.items() if name != "allOf"}
        return reduce(_both, [_whole(part) for part in schema["allOf"]], rest)
    return schema


def _both(entry: Json, other: Json) -> Json:
    """What follows both schemas, which the description writes to add to one of them."""
    entry, other = _resolved(entry), _resolved(other)
    both = entry | other
    for name in ("properties", "items"):
        if name in entry and name in other:
            both[name] = (_both if name == "items" else _merged)(entry[name], other[name])
    both["required"] = [*entry.get("required", ()), *other.get("required", ())]
    both["nullable"] = _is_nullable(entry) and _is_nullable(other)
    return both


def _merged(entry: Json, other: Json) -> Json:
    shared = entry.keys() & other.keys()
    return entry | other | {name: _both(entry[name], other[name]) for name in shared}


def _type_of(schema: Json) -> str:
    return str(schema.get("type", "object" if "properties" in schema else "string"))


def _example(schema: Json, name: str) -> Any:
    if values := [value for value in schema.get("enum", ()) if value is not None]:
        return values[0]
    if schema.get("format") == "date-time" or (_type_of(schema) == "string" and name.endswith("_at")):
        return _TIME
    return _VALUES[_type_of(schema)]
