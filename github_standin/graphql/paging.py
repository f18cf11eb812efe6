"""Relay connections with GitHub's cursors, which stay valid while the list changes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MAX_PAGE_SIZE = 100

Key = Callable[[Any], Sequence[Any]]


class PagingError(Exception):
    """GitHub's error for invalid paging arguments; `kind` is the error's `type`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Connection:
    """A page of a list; `key` gives an element's sort key, which its cursor contains."""

    nodes: list[Any]
    total: int
    has_next: bool
    has_previous: bool
    key: Key

    def cursor(self, node: Any) -> str:
        """The cursor of a node."""
        return base64.b64encode(f"cursor:v2:{json.dumps(list(self.key(node)))}".encode()).decode()


def paginate(
    name: str, elements: list[Any], key: Key, args: dict[str, Any], *, descending: bool = False
) -> Connection:
    """Return the page that `first`, `after`, `last` and `before` select; `key` is unique for each element.

    Raises PagingError.
    """
    first, last = _size(name, "first", args), _size(name, "last", args)
    if first is None and last is None:
        message = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise PagingError("MISSING_PAGINATION_BOUNDARIES", message)
    ordered = sorted(elements, key=lambda element: list(key(element)), reverse=descending)
    candidates = _between(ordered, key, args, descending=descending)
    if first is not None:
        nodes = candidates[:first]
        has_next, has_previous = len(candidates) > first, bool(args.get("after"))
    else:
        nodes = candidates[-last:] if last else []
        has_next, has_previous = bool(args.get("before")), len(candidates) > len(nodes)
    return Connection(nodes, len(ordered), has_next, has_previous, key)


def _size(name: str, argument: str, args: dict[str, Any]) -> int | None:
    size: int | None = args.get(argument)
    if size is not None and size > MAX_PAGE_SIZE:
        request = f"Requesting {size} records on the `{name}` connection"
        message = f"{request} exceeds the `{argument}` limit of {MAX_PAGE_SIZE} records."
        raise PagingError("EXCESSIVE_PAGINATION", message)
    if size is not None and size < 0:
        raise PagingError(
            "ARGUMENT_ERROR", f"`{argument}` on the `{name}` connection cannot be less than zero."
        )
    return size


def _between(ordered: list[Any], key: Key, args: dict[str, Any], *, descending: bool) -> list[Any]:
    after, before = (_decode_cursor(args.get(name)) for name in ("after", "before"))

    def is_within(element: Any) -> bool:
        sort_key = list(key(element))
        low, high = (before, after) if descending else (after, before)
        return (low is None or sort_key > low) and (high is None or sort_key < high)

    return [element for element in ordered if is_within(element)]


def _decode_cursor(cursor: str | None) -> list[Any] | None:
    if not cursor:
        return None
    try:
        sort_key: list[Any] = json.loads(base64.b64decode(cursor).decode().removeprefix("cursor:v2:"))
    except ValueError:
        raise PagingError(
            "INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor."
        ) from None
    return sort_key
