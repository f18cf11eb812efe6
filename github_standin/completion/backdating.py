"""Replaces emulate's timestamps, which are always the real time, by past times or those of a test's clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

_FIELDS = ("created_at", "updated_at", "closed_at", "merged_at")
# Times that lie closer together than this belong to one second of emulate.
_SECOND = timedelta(seconds=1)


class Backdating:
    """Replaces timestamps in bodies, each by its object, field and value.

    A later change gives the object a new timestamp, which is then shown as it is. With a `clock`, everything
    that happens from now on gets the clock's time. emulate's timestamps are distinguished by their second,
    so the first write after the clock was moved waits for the next second.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self._past: dict[str, dict[str, str]] = {}
        self._clock = clock
        self._started_at = _stamp(datetime.now(UTC))
        self._clock_times: dict[str, datetime] = {}

    def __bool__(self) -> bool:
        return bool(self._past) or self._clock is not None

    def set(self, body: Mapping[str, Any], times: Mapping[str, str]) -> None:
        """Show past times in the fields that `times` names, of an object that emulate returned."""
        fields = {f"{field}={body[field]}": past for field, past in times.items()}
        self._past.setdefault(body["node_id"], {}).update(fields)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Keep the clock's time for what emulate is changing in this context."""
        if self._clock is None:
            yield
            return
        if abs(_note_second(self._clock_times, self._clock()) - self._clock()) >= _SECOND:
            await asyncio.sleep(1.01 - datetime.now(UTC).microsecond / 1_000_000)
            _note_second(self._clock_times, self._clock())
        yield
        _note_second(self._clock_times, self._clock())

    def apply(self, value: Any) -> None:
        """Replace the timestamps of all objects inside a decoded body."""
        if isinstance(value, list):
            for item in value:
                self.apply(item)
        elif isinstance(value, dict):
            past = self._past.get(value.get("node_id", ""), {})
            for field in _FIELDS if past or self._clock else ():
                if isinstance(stamp := value.get(field), str):
                    stamp = self._to_clock_time(stamp)
                    value[field] = past.get(f"{field}={stamp}", stamp)
            for item in value.values():
                self.apply(item)

    def _to_clock_time(self, stamp: str) -> str:
        """The clock's time when this second first occurred; earlier timestamps stay as they are."""
        if self._clock is None or not self._started_at <= stamp <= _stamp(datetime.now(UTC)):
            return stamp
        return _stamp(self._clock_times.setdefault(stamp[:19], self._clock()))


def _note_second(clock_times: dict[str, datetime], now: datetime) -> datetime:
    """Return the clock's time when this second first occurred, which may be `now`."""
    return clock_times.setdefault(_stamp(datetime.now(UTC))[:19], now)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
