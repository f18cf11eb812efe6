"""The names of milestones and labels over time: GitHub's history refers to them by title, which may change.

A `milestoned` event has the title that the milestone had then, and no id. A title is unique in a repository
at any moment, but another milestone may get an abandoned title. So a title refers to the milestone that had
it at the time of the event, by these rules:

- from its creation until its deletion, and never outside;
- under the old title until a recorded rename, under the new one from then on;
- under both titles between two moments at which it was observed with different ones;
- if no renames are recorded, under its present title since its creation, and also under a title that an
  earlier backfill has read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from sprints.model import EventSource, LabelEvent, MilestoneEvent, sort_events

_FOREVER = datetime.max.replace(tzinfo=UTC)
_ObservedTitle = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class _Span:
    """The time in which a milestone may have had a title, from `since` until `until`, both included."""

    milestone: int
    since: datetime
    until: datetime


class NameHistory:
    """Looks up a repository's milestones and labels by their names at a moment."""

    def __init__(
        self,
        numbers: Mapping[int, int],
        titles_now: Mapping[int, str],
        recorded: Mapping[int, Sequence[MilestoneEvent]],
        labels: Iterable[LabelEvent] = (),
    ) -> None:
        """`numbers` maps milestones' numbers to ids, `titles_now` ids to titles, `recorded` ids to events."""
        self._numbers = numbers
        self._spans: dict[str, list[_Span]] = {}
        for milestone, events in recorded.items():
            for title, since, until in _title_periods(events, titles_now.get(milestone)):
                self._spans.setdefault(title, []).append(_Span(milestone, since, until))
        self._renames = [
            label for label in reversed(sort_events(labels)) if label.event == "renamed" and label.new_name
        ]

    def find_numbered(self, number: int) -> int | None:
        """Find the id of the milestone with a number."""
        return self._numbers.get(number)

    def find_titled(self, title: str, at: datetime) -> int | None:
        """Find the id of the milestone that had a title at a moment; of several, the last to take it."""
        spans = [span for span in self._spans.get(title, ()) if span.since <= at <= span.until]
        return max(spans, key=lambda span: span.since).milestone if spans else None

    def past_label_name(self, name: str, at: datetime) -> str:
        """Get a label's name at a moment from its present name."""
        for renamed in self._renames:
            if renamed.at > at and renamed.new_name == name:
                name = renamed.name
        return name


def _title_periods(
    events: Sequence[MilestoneEvent], title_now: str | None
) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield titles, each with the period in which the milestone may have had it."""
    observed = [(min(event.created_at for event in events), ""), *_observed_titles(events)]
    observed[0] = (observed[0][0], observed[1][1] if len(observed) > 1 else title_now or events[0].title)
    if not any(event.event == "deleted" for event in events):
        observed.append((_FOREVER, title_now or observed[-1][1]))
    backfilled = {event.title for event in events if event.source is EventSource.BACKFILL}
    for title in backfilled.difference(title for _, title in observed):
        yield title, observed[0][0], observed[-1][0]
    for (since, before), (until, after) in pairwise(observed):
        yield before, since, until
        if after != before:
            yield after, since, until


def _observed_titles(events: Sequence[MilestoneEvent]) -> Iterator[_ObservedTitle]:
    """Yield the titles in webhooks, with their times. Backfilled titles have no such time."""
    for event in sort_events(event for event in events if event.source is not EventSource.BACKFILL):
        if event.before and event.before.get("title"):
            yield event.at, str(event.before["title"])
        yield event.at, event.title
