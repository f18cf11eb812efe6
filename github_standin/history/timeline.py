"""Timeline events of issues and pull requests, in the order in which GitHub lists them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

# Kinds that undo each other. The same kind twice for one subject within a second is a duplicate, unless an
# event of the other kind lies between.
OPPOSITES = {
    "LabeledEvent": "label",
    "UnlabeledEvent": "label",
    "MilestonedEvent": "milestone",
    "DemilestonedEvent": "milestone",
    "AssignedEvent": "assignee",
    "UnassignedEvent": "assignee",
    "ClosedEvent": "state",
    "ReopenedEvent": "state",
}
# The order within one instant: removals come first, and a merge comes before the closing.
RANKS = {
    "DemilestonedEvent": 0,
    "UnlabeledEvent": 0,
    "UnassignedEvent": 0,
    "ReopenedEvent": 0,
    "ClosedEvent": 2,
}
REST_NAMES = {
    "LabeledEvent": "labeled",
    "UnlabeledEvent": "unlabeled",
    "MilestonedEvent": "milestoned",
    "DemilestonedEvent": "demilestoned",
    "AssignedEvent": "assigned",
    "UnassignedEvent": "unassigned",
    "ClosedEvent": "closed",
    "ReopenedEvent": "reopened",
    "MergedEvent": "merged",
    "RenamedTitleEvent": "renamed",
    "TransferredEvent": "transferred",
    "ConvertedToDiscussionEvent": "converted_to_discussion",
    "SubIssueAddedEvent": "sub_issue_added",
    "SubIssueRemovedEvent": "sub_issue_removed",
    "ParentIssueAddedEvent": "parent_issue_added",
    "ParentIssueRemovedEvent": "parent_issue_removed",
    "ConvertToDraftEvent": "converted_to_draft",
    "ReadyForReviewEvent": "ready_for_review",
}


@dataclass(frozen=True)
class TimelineEvent:
    """A timeline event.

    `kind` is its GraphQL type, `at` the webhook's timestamp, `subject` the name of the label, milestone,
    person or issue concerned, `item` the node id. `details` holds further values, such as stateReason.
    """

    kind: str
    at: str
    subject: str
    item: str
    actor: Json | None = None
    details: Json = field(default_factory=dict, compare=False)

    @property
    def number(self) -> int:
        """The id in the REST API: derived from the event, so that duplicates share it."""
        text = f"{self.kind} {self.at} {self.subject} {self.item}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])

    @property
    def id(self) -> str:
        """The opaque id in GraphQL."""
        initials = "".join(letter for letter in self.kind if letter.isupper())
        return f"{initials}_{base64.urlsafe_b64encode(self.number.to_bytes(6)).decode()}"

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity within an item: events with the same key are duplicates."""
        return (self.kind, self.at, self.subject)

    @property
    def order(self) -> tuple[int, int, int]:
        """The sort key: time, then removals first, then any stable order."""
        return (to_milliseconds(self.at), RANKS.get(self.kind, 1), self.number)


def to_milliseconds(at: str) -> int:
    """Convert a timestamp, with or without fractions of a second, to milliseconds since 1970."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def ordered_unique(events: Iterable[TimelineEvent]) -> list[TimelineEvent]:
    """Sort events and drop duplicates.

    Duplicates arise because GitHub's timestamps are whole seconds and the labels, assignees and milestone
    of a new issue are announced twice: with `opened` and by an event of their own.
    """
    unique: list[TimelineEvent] = []
    latest: dict[tuple[str, str], tuple[str, int]] = {}
    for event in sorted(events, key=lambda event: event.order):
        if (family := OPPOSITES.get(event.kind)) is not None:
            kind_and_second = (event.kind, to_milliseconds(event.at) // 1000)
            if latest.get((family, event.subject)) == kind_and_second:
                continue
            latest[family, event.subject] = kind_and_second
        unique.append(event)
    return unique
