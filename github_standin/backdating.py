"""Other times for what emulate does just now: past ones, so that a sprint did not happen in a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

_FIELDS = ("created_at", "updated_at", "closed_at", "merged_at")


class Backdating:
    """Replaces times by object and by value: what people change later bears a new time and keeps it.

    With a `clock`, everything that happens from now on happens at the time that it tells. Times of emulate
    are told apart by their seconds, so whoever moves the clock waits for the next one.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self._past: dict[str, dict[str, str]] = {}
        self._clock = clock
        self._began = _stamp(datetime.now(UTC))
        self._shown: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._past) or self._clock is not None

    def set(self, made: Mapping[str, Any], times: Mapping[str, str]) -> None:
        """Let the fields named in `times` of an object as emulate returned it show past instants."""
        fields = {f"{field}={made[field]}": past for field, past in times.items()}
        self._past.setdefault(made["node_id"], {}).update(fields)

    def apply(self, value: Any) -> None:
        """Put the other times into a decoded body, wherever a known object stands in it."""
        if isinstance(value, list):
            for item in value:
                self.apply(item)
        elif isinstance(value, dict):
            past = self._past.get(value.get("node_id", ""), {})
            for field in _FIELDS if past or self._clock else ():
                if isinstance(told := value.get(field), str):
                    shown = self._by_the_clock(told)
                    value[field] = past.get(f"{field}={shown}", shown)
            for item in value.values():
                self.apply(item)

    def _by_the_clock(self, told: str) -> str:
        """What the clock told when this second was seen first. Earlier times are not of emulate's making."""
        if self._clock is None or not self._began <= told <= _stamp(datetime.now(UTC)):
            return told
        return self._shown.setdefault(told[:19], _stamp(self._clock()))


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
