"""The timeline of an issue or pull request, as GitHub's API lists it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

# What undoes what. Of the same subject within a second, the same kind twice is one event told twice, unless
# it was undone in between.
FAMILIES = {
    "LabeledEvent": "label",
    "UnlabeledEvent": "label",
    "MilestonedEvent": "milestone",
    "DemilestonedEvent": "milestone",
    "AssignedEvent": "assignee",
    "UnassignedEvent": "assignee",
    "ClosedEvent": "state",
    "ReopenedEvent": "state",
}
# Within one instant, what is taken away goes first and a merge precedes the closing.
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
class Event:
    """One entry; `kind` is GraphQL's type, `at` the time as the webhook wrote it, `subject` what it is about.

    `details` holds what the kind has beside: label, milestone, assignee, stateReason, titles and issues.
    """

    kind: str
    at: str
    subject: str
    item: str
    actor: Json | None = None
    details: Json = field(default_factory=dict, compare=False)

    @property
    def number(self) -> int:
        """An id for the REST API: the same for the same event, however often it is told."""
        text = f"{self.kind} {self.at} {self.subject} {self.item}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])

    @property
    def id(self) -> str:
        """An opaque id for GraphQL."""
        initials = "".join(letter for letter in self.kind if letter.isupper())
        return f"{initials}_{base64.urlsafe_b64encode(self.number.to_bytes(6)).decode()}"

    @property
    def key(self) -> tuple[str, str, str]:
        """Two with the same key are one."""
        return (self.kind, self.at, self.subject)

    @property
    def order(self) -> tuple[int, int, int]:
        """By time, then what is taken away first, then any fixed order."""
        return (milliseconds(self.at), RANKS.get(self.kind, 1), self.number)


def milliseconds(at: str) -> int:
    """A stamp as a number, with or without fractions of a second."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def in_order(events: Iterable[Event]) -> list[Event]:
    """Each event once: GitHub stamps whole seconds, and what the form of a new issue held is told twice."""
    kept: list[Event] = []
    last: dict[tuple[str, str], tuple[str, int]] = {}
    for event in sorted(events, key=lambda event: event.order):
        if (family := FAMILIES.get(event.kind)) is not None:
            told = (event.kind, milliseconds(event.at) // 1000)
            if last.get((family, event.subject)) == told:
                continue
            last[family, event.subject] = told
        kept.append(event)
    return kept
