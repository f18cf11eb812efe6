"""The issues that a pull request closes: from its text, until GitHub's own list has been read.

GitHub sends no webhook for a link. So the text is read at each event, and GitHub's list (LINKED, and the
lists of a backfill or a comparison) replaces the links so far. From then on only additions to the text and
removals from it change the links, until GitHub's list is read again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.model import EventSource, ItemEvent, sort_events
from sprints.numbering import Number, split_number

# The App's own event for GitHub's list of the issues that a pull request is linked with.
LINKED = "linked"


@dataclass(slots=True)
class PullRequestLinks:
    """The issues that one pull request closes after the events so far."""

    closes: tuple[Number, ...] = ()
    _in_text: frozenset[Number] | None = None
    _is_listed: bool = False

    def take(self, event: ItemEvent) -> None:
        """Apply an event, if it has links."""
        closes = event.snapshot.closes
        if closes is None:
            return
        if is_listed_by_github(event):
            self.list(closes)
        else:
            self.say(closes, is_edit=event.event == "edited")

    def say(self, closes: Iterable[Number], *, is_edit: bool) -> None:
        """Apply links from the text. With `is_edit`, the text may have had other links before."""
        in_text, before = frozenset(closes), self._in_text
        if before is None:
            # If the list was read first, it included the text's links, unless the text has just been edited.
            before = in_text if self._is_listed and not is_edit else frozenset()
        self._in_text = in_text
        if in_text != before:
            self.closes = _ordered((set(self.closes) - (before - in_text)) | (in_text - before))

    def list(self, closes: Iterable[Number]) -> None:
        """Apply GitHub's list, which replaces all other links."""
        self.closes, self._is_listed = _ordered(closes), True


def is_listed_by_github(event: ItemEvent) -> bool:
    """Return whether the links in an event's snapshot are GitHub's own list, not read from the text."""
    return event.source is not EventSource.WEBHOOK


def list_closed_issues(events: Iterable[ItemEvent]) -> tuple[Number, ...]:
    """List the issues that a pull request closes after all of its events, in any order."""
    links = PullRequestLinks()
    for event in sort_events(events):
        links.take(event)
    return links.closes


def find_link_times(ordered: Sequence[ItemEvent]) -> dict[Number, datetime]:
    """Find since when a pull request was to close each issue, from its events in order.

    Links in the first snapshot count from the creation on, unless an edit may have added them.
    Links that only its text had and that GitHub's next list lacks never count.
    """
    links, since, unconfirmed = PullRequestLinks(), dict[Number, datetime](), set[Number]()
    is_first = True
    for event in ordered:
        if event.snapshot.closes is None:
            continue
        links.take(event)
        closes = set(links.closes)
        if is_listed_by_github(event):
            for number in unconfirmed - closes:
                del since[number]
            unconfirmed.clear()
        else:
            unconfirmed = (unconfirmed & closes) | (closes - since.keys())
        held_before = is_first and event.event not in {"opened", "edited", LINKED}
        at = event.snapshot.created_at if held_before else event.at
        since |= dict.fromkeys(closes - since.keys(), at)
        is_first = False
    return since


def _ordered(numbers: Iterable[Number]) -> tuple[Number, ...]:
    return tuple(sorted(set(numbers), key=split_number))
