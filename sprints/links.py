"""Which issues a pull request closes: what its text says, until GitHub has been asked for its own list.

GitHub tells of a link by no webhook. So the text is read at each event, and GitHub's list (LINKED, and what a
backfill or a comparison brings) replaces what is known. From then on only what the text says anew, or no
longer, changes anything, until GitHub is asked again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.model import ItemEvent, Source, in_order
from sprints.numbering import Number, place

# The event by which we note GitHub's own list of the issues that a pull request is linked with.
LINKED = "linked"


@dataclass(slots=True)
class Links:
    """The issues that one pull request closes after the events so far."""

    closes: tuple[Number, ...] = ()
    _said: frozenset[Number] | None = None
    _is_listed: bool = False

    def take(self, event: ItemEvent) -> None:
        """Follows an event, if it tells of links."""
        closes = event.snapshot.closes
        if closes is None:
            return
        if is_listed_by_github(event):
            self.list(closes)
        else:
            self.say(closes, is_edit=event.event == "edited")

    def say(self, closes: Iterable[Number], *, is_edit: bool) -> None:
        """The text says so. `is_edit`: it may have said something else until now."""
        said, before = frozenset(closes), self._said
        if before is None:
            # Where the list was known first, the text had its part in it, unless it has just been edited.
            before = said if self._is_listed and not is_edit else frozenset()
        self._said = said
        if said != before:
            self.closes = _ordered((set(self.closes) - (before - said)) | (said - before))

    def list(self, closes: Iterable[Number]) -> None:
        """GitHub lists these, and no others."""
        self.closes, self._is_listed = _ordered(closes), True


def is_listed_by_github(event: ItemEvent) -> bool:
    """Whether the links in an event's picture are GitHub's own list; else they were read in the text."""
    return event.source is not Source.WEBHOOK


def closes_of(events: Iterable[ItemEvent]) -> tuple[Number, ...]:
    """The issues that a pull request closes after all of its events, which may come in any order."""
    links = Links()
    for event in in_order(events):
        links.take(event)
    return links.closes


def links_since(ordered: Sequence[ItemEvent]) -> dict[Number, datetime]:
    """Since when a pull request was first to close which issues, by its events in order.

    What its first picture shows held since its creation, unless an edit may have brought it. What only its
    text said and GitHub's next list lacks was never a link.
    """
    links, since, unconfirmed = Links(), dict[Number, datetime](), set[Number]()
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
    return tuple(sorted(set(numbers), key=place))
