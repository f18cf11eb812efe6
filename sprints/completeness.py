"""How well the history behind some numbers is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.gaps import EventGap, missing
from sprints.model import ItemEvent, ItemSnapshot, Source
from sprints.numbering import Number, place


@dataclass(frozen=True, slots=True)
class Completeness:
    """How well the history behind some numbers is known.

    What happened before `reconstructed_before` was partly asked for later (None: nothing was). `first_seen`
    are items whose opening we do not know: they are taken as their first picture showed them. `gaps` are the
    spans that concern these numbers in which GitHub's events did not reach us.
    """

    reconstructed_before: datetime | None = None
    first_seen: tuple[Number, ...] = ()
    gaps: tuple[EventGap, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.reconstructed_before is None and not self.first_seen and not self.gaps

    @property
    def missing(self) -> tuple[EventGap, ...]:
        """The gaps in which what happened is still unknown."""
        return missing(self.gaps)


def completeness_of(
    events: Mapping[str, Sequence[ItemEvent]],
    shown: Mapping[str, ItemSnapshot],
    gaps: Iterable[EventGap],
    start: datetime,
    until: datetime,
) -> Completeness:
    """That of a sprint's numbers from `start` to `until`, from all events of its items.

    What was asked for because of a gap says nothing of the time before the gap, which was heard.
    """
    gaps = tuple(gaps)
    asked = [
        event.at
        for told in events.values()
        for event in told
        if event.source is Source.BACKFILL and not any(gap.contains(event.at) for gap in gaps)
    ]
    unseen = [item for item, told in events.items() if all(event.event != "opened" for event in told)]
    return Completeness(
        max(asked, default=None),
        tuple(sorted((shown[item].number for item in unseen), key=place)),
        tuple(gap for gap in gaps if gap.concerns(start, until)),
    )
