"""Spans of time, over or still going on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sprints.history import SprintChange
from sprints.model import State


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A span from `since` until before `until`; None while it goes on."""

    since: datetime
    until: datetime | None = None

    def ends_by(self, now: datetime) -> datetime:
        """Return its end, or `now` while it goes on."""
        return now if self.until is None else min(self.until, now)

    def common(self, other: "TimeSpan") -> "TimeSpan | None":
        """Return the time that lies in both spans, or None if there is none."""
        ends = [span.until for span in (self, other) if span.until is not None]
        since, until = max(self.since, other.since), min(ends, default=None)
        return TimeSpan(since, until) if until is None or since < until else None


def merge_spans(spans: Iterable[TimeSpan]) -> tuple[TimeSpan, ...]:
    """Merge spans that overlap or touch, the oldest first: no moment lies in two of the results."""
    merged_spans = list[TimeSpan]()
    for span in sorted(spans, key=lambda span: span.since):
        if merged_spans and (last := merged_spans[-1]).until is None:
            break
        if merged_spans and last.until is not None and span.since <= last.until:
            merged_spans[-1] = TimeSpan(
                last.since, None if span.until is None else max(last.until, span.until)
            )
        else:
            merged_spans.append(span)
    return tuple(merged_spans)


def add_up_spans(spans: Iterable[TimeSpan], now: datetime, since: datetime | None = None) -> timedelta:
    """Add up the time in spans until `now`, from `since` on; overlaps count once."""
    duration = timedelta()
    for span in merge_spans(spans):
        begin = span.since if since is None else max(span.since, since)
        duration += max(span.ends_by(now) - begin, timedelta())
    return duration


def find_open_spans(created_at: datetime, history: Iterable[SprintChange]) -> tuple[TimeSpan, ...]:
    """List the spans in which an item was open, from its changes (see history.py)."""
    spans, since = list[TimeSpan](), created_at
    is_open = True
    for change in history:
        if change.after.state is State.OPEN:
            since, is_open = (since if is_open else change.at), True
            continue
        if is_open and since < (until := min(change.after.done_at or change.at, change.at)):
            spans.append(TimeSpan(since, until))
        is_open = False
    return (*spans, TimeSpan(since)) if is_open else tuple(spans)
