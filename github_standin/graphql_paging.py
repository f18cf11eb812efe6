"""Relay connections as GitHub pages them: opaque cursors that hold their place while things move."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 100

Key = Callable[[Any], Sequence[Any]]


class PagingError(Exception):
    """GitHub refuses to page like that; `type` is the error's type there."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Page:
    """A part of a list; `key` is what the list is ordered by, and what a cursor remembers."""

    nodes: list[Any]
    total: int
    has_next: bool
    has_previous: bool
    key: Key

    def cursor(self, node: Any) -> str:
        """Where to go on after this node."""
        return base64.b64encode(f"cursor:v2:{json.dumps(list(self.key(node)))}".encode()).decode()


def page_of(
    name: str, elements: list[Any], key: Key, args: dict[str, Any], *, descending: bool = False
) -> Page:
    """The page that first, after, last and before ask for; `key` is unlike for each of them."""
    first, last = _size(name, "first", args), _size(name, "last", args)
    if first is None and last is None:
        message = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise PagingError("MISSING_PAGINATION_BOUNDARIES", message)
    ordered = sorted(elements, key=lambda element: list(key(element)), reverse=descending)
    rest = _between(ordered, key, args, descending=descending)
    if first is not None:
        chosen = rest[:first]
        has_next, has_previous = len(rest) > first, bool(args.get("after"))
    else:
        chosen = rest[-last:] if last else []
        has_next, has_previous = bool(args.get("before")), len(rest) > len(chosen)
    return Page(chosen, len(ordered), has_next, has_previous, key)


def _size(name: str, argument: str, args: dict[str, Any]) -> int | None:
    size: int | None = args.get(argument)
    if size is not None and size > MOST:
        asked = f"Requesting {size} records on the `{name}` connection"
        message = f"{asked} exceeds the `{argument}` limit of {MOST} records."
        raise PagingError("EXCESSIVE_PAGINATION", message)
    if size is not None and size < 0:
        raise PagingError(
            "ARGUMENT_ERROR", f"`{argument}` on the `{name}` connection cannot be less than zero."
        )
    return size


def _between(ordered: list[Any], key: Key, args: dict[str, Any], *, descending: bool) -> list[Any]:
    after, before = (_place(args.get(name)) for name in ("after", "before"))

    def is_within(element: Any) -> bool:
        place = list(key(element))
        low, high = (before, after) if descending else (after, before)
        return (low is None or place > low) and (high is None or place < high)

    return [element for element in ordered if is_within(element)]


def _place(cursor: str | None) -> list[Any] | None:
    if not cursor:
        return None
    try:
        place: list[Any] = json.loads(base64.b64decode(cursor).decode().removeprefix("cursor:v2:"))
    except ValueError:
        raise PagingError(
            "INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor."
        ) from None
    return place
