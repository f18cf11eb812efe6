"""The work of a repository at a moment: its open items, and those that were closed lately."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sprints.calendar import Calendar
from sprints.flow import Flow

RECENT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class RepositoryWork:
    """The open and the recent items of a repository as of `now`."""

    flows: Sequence[Flow]
    now: datetime
    calendar: Calendar

    @property
    def counted(self) -> list[Flow]:
        """The items that no other items cover."""
        return [flow for flow in self.flows if not flow.is_covered]

    def flow(self, number: int) -> Flow | None:
        """Return the item with a number, or None."""
        return next((flow for flow in reversed(self.flows) if flow.number == number), None)


def select_recent(flows: Iterable[Flow], now: datetime) -> list[Flow]:
    """Select the items that are open or were closed in the last 90 days."""
    since = now - RECENT
    return [flow for flow in flows if flow.is_open or (flow.done_at or flow.dropped_at or since) > since]
