"""Tolerant parsers for fields of Stripe's objects: an invalid or absent field is None."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

# Printable ASCII, which Stripe's ids are. PostgreSQL cannot store every other character.
_ID = re.compile(r"[!-~]{1,255}")
# Metadata and names are only shown to operators, so they are cut.
_MOST_TEXT = 500
# The largest bigint of PostgreSQL; a larger amount is invalid.
_MOST_NUMBER = 2**63 - 1
_LAST_SECOND = 253_402_300_799  # The year 9999, where Python's calendar ends.


def parse_id(value: object) -> str | None:
    """Parse the id of an object, expanded or not."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def parse_text(value: object) -> str | None:
    """Parse a text, cut after 500 characters."""
    return value[:_MOST_TEXT] if isinstance(value, str) else None


def parse_number(value: object) -> int | None:
    """Parse a whole number within the range of bigint."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if abs(value) <= _MOST_NUMBER else None


def parse_unix_time(value: object) -> datetime | None:
    """Parse a moment, from Unix seconds to UTC."""
    seconds = parse_number(value)
    if seconds is None or not 0 <= seconds <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def object_at(value: object, *path: str) -> Any:
    """Return the value at a path of keys. None where a key is absent or leads to no object."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def list_objects(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list, in Stripe's form with `data` or a plain one."""
    entries = value.get("data") if isinstance(value, Mapping) else value
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return []
    return [entry for entry in entries if isinstance(entry, Mapping)]
