"""Repositories with their issues, pull requests, milestones and labels, as webhooks describe them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from github_standin.history.timeline import TimelineEvent, ordered_unique

Json = dict[str, Any]
# In GitHub's REST API a pull request's id differs between its forms as issue and pull request; its node id
# does not.
PULL_REQUEST_ISSUE_ID_OFFSET = 1_000_000_000


@dataclass(eq=False)
class StandInMilestone:
    """A milestone; `body` is the newest REST object."""

    repository: StandInRepository
    body: Json


@dataclass(eq=False)
class StandInLabel:
    """A label; `body` is the newest REST object."""

    repository: StandInRepository
    body: Json


@dataclass(eq=False)
class StandInItem:
    """An issue or a pull request; `body` is the newest REST object.

    `linked` holds the numbers of the issues that people linked with a pull request in its sidebar.
    """

    repository: StandInRepository
    body: Json
    is_pull: bool
    linked: set[int] = field(default_factory=set)
    parent: StandInItem | None = None
    sub_issues: list[StandInItem] = field(default_factory=list)
    blocked_by: list[StandInItem] = field(default_factory=list)
    blocking: list[StandInItem] = field(default_factory=list)
    _events: dict[tuple[str, str, str], TimelineEvent] = field(default_factory=dict)
    _timeline: list[TimelineEvent] | None = None

    @property
    def number(self) -> int:
        """The number within the repository."""
        number: int = self.body["number"]
        return number

    @property
    def state(self) -> str:
        """GraphQL's state: OPEN, CLOSED or MERGED."""
        if self.is_pull and (self.body.get("merged_at") or self.body.get("merged")):
            return "MERGED"
        return str(self.body["state"]).upper()

    @property
    def milestone(self) -> StandInMilestone | None:
        """The milestone's current state; None if it was deleted."""
        milestone = self.body.get("milestone")
        return self.repository.milestones.get(milestone["number"]) if milestone else None

    @property
    def labels(self) -> list[StandInLabel]:
        """The current state of its labels, without deleted ones."""
        existing = self.repository.labels
        names = (label["name"] for label in self.body.get("labels", ()))
        return [existing[name] for name in names if name in existing]

    @property
    def timeline(self) -> list[TimelineEvent]:
        """All its events, oldest first."""
        if self._timeline is None:
            self._timeline = ordered_unique(self._events.values())
        return self._timeline

    def add(self, kind: str, at: str, subject: str, actor: Json | None, **details: Any) -> None:
        """Add an event, unless it is there already."""
        event = TimelineEvent(kind, at, subject, self.body["node_id"], actor, details)
        if event.key not in self._events:
            self._events[event.key] = event
            self._timeline = None

    def copy_events(self, events: Iterable[TimelineEvent]) -> None:
        """Copy the events that the item had before it was transferred."""
        for event in events:
            self.add(event.kind, event.at, event.subject, event.actor, **event.details)

    def retime(self, old: str, new: str) -> None:
        """Move the events of one instant to another."""
        for key, event in list(self._events.items()):
            if event.at == old:
                del self._events[key]
                self.add(event.kind, new, event.subject, event.actor, **event.details)
        self._timeline = None


@dataclass(eq=False)
class StandInComment:
    """A comment on an issue or pull request; `body` is the newest REST object.

    `minimized` is the reason for which it was hidden, such as `outdated`; None if it is shown.
    """

    repository: StandInRepository
    body: Json
    minimized: str | None = None


@dataclass(eq=False)
class StandInRepository:
    """A repository; `body` is the newest REST object, `recorded` that only a loaded history has it.

    `former_numbers` maps numbers of items that have left to their new API address, "" if they were deleted.
    """

    body: Json
    installation_id: int | None = None
    recorded: bool = False
    items: dict[int, StandInItem] = field(default_factory=dict)
    milestones: dict[int, StandInMilestone] = field(default_factory=dict)
    labels: dict[str, StandInLabel] = field(default_factory=dict)
    comments: dict[int, StandInComment] = field(default_factory=dict)
    former_numbers: dict[int, str] = field(default_factory=dict)
    deleted_milestones: set[int] = field(default_factory=set)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return str(self.body["full_name"])

    def items_in_milestone(self, milestone: StandInMilestone) -> list[StandInItem]:
        """The issues and pull requests of a milestone."""
        return [item for item in self.items.values() if item.milestone is milestone]
