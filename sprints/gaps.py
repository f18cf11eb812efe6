"""Spans in which GitHub's events did not reach us, and what they mean for the numbers of a sprint."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# GitHub's times of one event differ by this between a webhook and a timeline, when a second ends in between.
_ALMOST_AT_ONCE = timedelta(seconds=1)


class GapCause(StrEnum):
    """Why we heard nothing."""

    SUSPENDED = "suspended"
    UNINSTALLED = "uninstalled"
    REMOVED = "removed"
    PERMISSIONS = "permissions"
    OUTAGE = "outage"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class EventGap:
    """From `began_at` to `ended_at` (None: to this day) GitHub's events did not reach us.

    `is_read_again` once the past has been asked for since.
    """

    cause: GapCause
    began_at: datetime
    ended_at: datetime | None
    is_read_again: bool = False

    def contains(self, moment: datetime) -> bool:
        """Whether something that happened at this moment happened unheard."""
        return self.began_at - _ALMOST_AT_ONCE <= moment and (
            self.ended_at is None or moment <= self.ended_at + _ALMOST_AT_ONCE
        )

    def concerns(self, start: datetime, until: datetime) -> bool:
        """Whether what happened from `start` to `until` is less well known because of it.

        Until it was read again, also what had been planned before the start is not known for certain.
        """
        if self.is_read_again and self.ended_at is not None:
            return self.began_at < min(until, self.ended_at) and self.ended_at > start
        return self.began_at < until


def missing(gaps: Iterable[EventGap]) -> tuple[EventGap, ...]:
    """Those of which the past has not been asked for yet: what happened in them is unknown."""
    return tuple(gap for gap in gaps if not gap.is_read_again)
