"""Past times for objects that emulate made just now, so that a sprint did not happen in a second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Backdating:
    """Replaces times by object and by value: what people change later bears a new time and keeps it."""

    def __init__(self) -> None:
        self._past: dict[str, dict[str, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._past)

    def set(self, made: Mapping[str, Any], times: Mapping[str, str]) -> None:
        """Let the fields named in `times` of an object as emulate returned it show past instants."""
        fields = {f"{field}={made[field]}": past for field, past in times.items()}
        self._past.setdefault(made["node_id"], {}).update(fields)

    def apply(self, value: Any) -> None:
        """Put the past times into a decoded body, wherever a known object stands in it."""
        if isinstance(value, list):
            for item in value:
                self.apply(item)
        elif isinstance(value, dict):
            past = self._past.get(value.get("node_id", ""), {})
            for field in ("created_at", "updated_at", "closed_at") if past else ():
                if (found := past.get(f"{field}={value.get(field)}")) is not None:
                    value[field] = found
            for item in value.values():
                self.apply(item)
