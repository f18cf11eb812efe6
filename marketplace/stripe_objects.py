"""Reading Stripe's objects field by field: a field that is odd or absent is None and costs only itself."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

# Stripe's ids are words. PostgreSQL could not store every other character.
_ID = re.compile(r"[!-~]{1,255}")
# Metadata and names are shown to operators, never stored whole.
_MOST_TEXT = 500
# What PostgreSQL's bigint takes; an amount beyond it is none.
_MOST_NUMBER = 2**63 - 1
_LAST_SECOND = 253_402_300_799  # The year 9999, where Python's calendar ends.


def id_of(value: object) -> str | None:
    """An object's id, whether the object was expanded or not."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def text_of(value: object) -> str | None:
    return value[:_MOST_TEXT] if isinstance(value, str) else None


def number_of(value: object) -> int | None:
    """A whole number that a column takes."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if abs(value) <= _MOST_NUMBER else None


def moment_of(value: object) -> datetime | None:
    """A moment in UTC, from Stripe's seconds."""
    seconds = number_of(value)
    if seconds is None or not 0 <= seconds <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def object_at(value: object, *path: str) -> Any:
    """What lies at a path of keys. None where a key is absent, or leads to no object."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def objects_in(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list, be it Stripe's own form with `data` or a plain one."""
    entries = value.get("data") if isinstance(value, Mapping) else value
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return []
    return [entry for entry in entries if isinstance(entry, Mapping)]
