"""Spans in which GitHub's events did not reach us, and how they affect a sprint's numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# GitHub's times of one event differ by this between a webhook and a timeline, when a second ends in between.
_ALMOST_AT_ONCE = timedelta(seconds=1)


class GapCause(StrEnum):
    """The reason why no events arrived."""

    SUSPENDED = "suspended"
    UNINSTALLED = "uninstalled"
    REMOVED = "removed"
    PERMISSIONS = "permissions"
    OUTAGE = "outage"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class EventGap:
    """A span from `began_at` to `ended_at` (None: until now) in which GitHub's events did not arrive.

    `is_read_again` once the missed events have been read from GitHub.
    """

    cause: GapCause
    began_at: datetime
    ended_at: datetime | None
    is_read_again: bool = False

    def contains(self, moment: datetime) -> bool:
        """Return whether an event at this moment falls into the gap."""
        return self.began_at - _ALMOST_AT_ONCE <= moment and (
            self.ended_at is None or moment <= self.ended_at + _ALMOST_AT_ONCE
        )

    def concerns(self, start: datetime, until: datetime) -> bool:
        """Return whether the gap makes the history from `start` to `until` less certain.

        Until the events have been read again, what was planned before the start is uncertain, too.
        """
        if self.is_read_again and self.ended_at is not None:
            return self.began_at < min(until, self.ended_at) and self.ended_at > start
        return self.began_at < until


def select_unread(gaps: Iterable[EventGap]) -> tuple[EventGap, ...]:
    """Return the gaps whose events have not been read again."""
    return tuple(gap for gap in gaps if not gap.is_read_again)
