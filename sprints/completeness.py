"""The completeness of the history behind a sprint's numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.gaps import EventGap, select_unread
from sprints.model import EventSource, ItemEvent, ItemSnapshot
from sprints.numbering import Number, split_number


@dataclass(frozen=True, slots=True)
class Completeness:
    """The completeness of the history behind a sprint's numbers.

    Events before `reconstructed_before` were partly read from GitHub later (None: no event was).
    `first_seen` are items whose opening was not recorded: their first snapshot stands for the time before.
    `gaps` are the spans that affect these numbers and in which GitHub's events did not arrive.
    """

    reconstructed_before: datetime | None = None
    first_seen: tuple[Number, ...] = ()
    gaps: tuple[EventGap, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.reconstructed_before is None and not self.first_seen and not self.gaps

    @property
    def missing(self) -> tuple[EventGap, ...]:
        """The gaps that have not been filled: the events in them are unknown."""
        return select_unread(self.gaps)


def assess_completeness(
    events: Mapping[str, Sequence[ItemEvent]],
    snapshots: Mapping[str, ItemSnapshot],
    gaps: Iterable[EventGap],
    start: datetime,
    until: datetime,
) -> Completeness:
    """Assess the completeness of a sprint's numbers from `start` to `until`, from all events of its items.

    Events that were read because of a gap do not count: before the gap, webhooks had arrived.
    """
    gaps = tuple(gaps)
    backfilled_at = [
        event.at
        for item_events in events.values()
        for event in item_events
        if event.source is EventSource.BACKFILL and not any(gap.contains(event.at) for gap in gaps)
    ]
    without_opening = [
        item for item, item_events in events.items() if all(event.event != "opened" for event in item_events)
    ]
    return Completeness(
        max(backfilled_at, default=None),
        tuple(sorted((snapshots[item].number for item in without_opening), key=split_number)),
        tuple(gap for gap in gaps if gap.concerns(start, until)),
    )
