"""What milestones and labels were called at a moment: the past names them by titles, which change.

A `milestoned` event tells the title that the milestone bore then, and no id. GitHub allows a title once in
a repository at any moment, but a title that was given up may be taken by another milestone. So a title means
the milestone that bore it at the time of the event, as far as it is known:

- from its creation until its deletion, and never outside;
- under the old title until a rename that a webhook told of, under the new one from then on;
- under both titles between two moments at which it was seen with different ones;
- if nothing is known of renames, under its present title since its creation, and under one that an earlier
  run was told as well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from sprints.model import LabelEvent, MilestoneEvent, Source, in_order

_FOREVER = datetime.max.replace(tzinfo=UTC)
_ObservedTitle = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class _Span:
    """From `since` until `until`, both included, the milestone may have borne a title."""

    milestone: int
    since: datetime
    until: datetime


class NameHistory:
    """A repository's milestones and labels, looked up by what they were called."""

    def __init__(
        self,
        numbers: Mapping[int, int],
        titles_now: Mapping[int, str],
        known: Mapping[int, Sequence[MilestoneEvent]],
        labels: Iterable[LabelEvent] = (),
    ) -> None:
        """`numbers` leads from milestones' numbers to their ids, `titles_now` from ids to titles."""
        self._numbers = numbers
        self._spans: dict[str, list[_Span]] = {}
        for milestone, events in known.items():
            for title, since, until in _title_periods(events, titles_now.get(milestone)):
                self._spans.setdefault(title, []).append(_Span(milestone, since, until))
        self._renames = [
            label for label in reversed(in_order(labels)) if label.event == "renamed" and label.new_name
        ]

    def find_numbered(self, number: int) -> int | None:
        """The id of the milestone with this number."""
        return self._numbers.get(number)

    def find_titled(self, title: str, at: datetime) -> int | None:
        """The id of the milestone that bore this title; of several the one that took it last."""
        found = [span for span in self._spans.get(title, ()) if span.since <= at <= span.until]
        return max(found, key=lambda span: span.since).milestone if found else None

    def past_label_name(self, name: str, at: datetime) -> str:
        """What a label was called at a moment, from a name that GitHub tells now."""
        for renamed in self._renames:
            if renamed.at > at and renamed.new_name == name:
                name = renamed.name
        return name


def _title_periods(
    events: Sequence[MilestoneEvent], title_now: str | None
) -> Iterator[tuple[str, datetime, datetime]]:
    """Titles, each with the time during which the milestone may have borne it."""
    seen = [(min(event.created_at for event in events), ""), *_observed_titles(events)]
    seen[0] = (seen[0][0], seen[1][1] if len(seen) > 1 else title_now or events[0].title)
    if not any(event.event == "deleted" for event in events):
        seen.append((_FOREVER, title_now or seen[-1][1]))
    asked_for = {event.title for event in events if event.source is Source.BACKFILL}
    for title in asked_for.difference(title for _, title in seen):
        yield title, seen[0][0], seen[-1][0]
    for (since, before), (until, after) in pairwise(seen):
        yield before, since, until
        if after != before:
            yield after, since, until


def _observed_titles(events: Sequence[MilestoneEvent]) -> Iterator[_ObservedTitle]:
    """Under which title webhooks showed it when. What was asked for tells a title, but not since when."""
    for event in in_order(event for event in events if event.source is not Source.BACKFILL):
        if event.before and event.before.get("title"):
            yield event.at, str(event.before["title"])
        yield event.at, event.title
