"""Stretches of time: some over, some still going on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sprints.history import SprintChange
from sprints.model import State


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on, until before `until`; None while it goes on."""

    since: datetime
    until: datetime | None = None

    def ends_by(self, now: datetime) -> datetime:
        """Its end, or `now` while it goes on."""
        return now if self.until is None else min(self.until, now)

    def common(self, other: "Span") -> "Span | None":
        """The time that lies in both, or None if there is none."""
        ends = [span.until for span in (self, other) if span.until is not None]
        since, until = max(self.since, other.since), min(ends, default=None)
        return Span(since, until) if until is None or since < until else None


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in as few stretches as possible, the oldest first: no moment lies in two of them."""
    found = list[Span]()
    for span in sorted(spans, key=lambda one: one.since):
        if found and (last := found[-1]).until is None:
            break
        if found and last.until is not None and span.since <= last.until:
            found[-1] = Span(last.since, None if span.until is None else max(last.until, span.until))
        else:
            found.append(span)
    return tuple(found)


def total(spans: Iterable[Span], now: datetime, since: datetime | None = None) -> timedelta:
    """How long these lasted together, until `now` and from `since` on; what overlaps is counted once."""
    found = timedelta()
    for span in merged(spans):
        begin = span.since if since is None else max(span.since, since)
        found += max(span.ends_by(now) - begin, timedelta())
    return found


def open_spans(created_at: datetime, history: Iterable[SprintChange]) -> tuple[Span, ...]:
    """When an item was open, by how it changed (see history.py)."""
    found, since = list[Span](), created_at
    is_open = True
    for change in history:
        if change.after.state is State.OPEN:
            since, is_open = (since if is_open else change.at), True
            continue
        if is_open and since < (until := min(change.after.done_at or change.at, change.at)):
            found.append(Span(since, until))
        is_open = False
    return (*found, Span(since)) if is_open else tuple(found)
