"""Repositories and what is in them, as webhooks told of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from github_standin.timeline import Event, in_order

Json = dict[str, Any]


@dataclass(eq=False)
class Milestone:
    """`body` is the newest REST object."""

    repository: StandInRepository
    body: Json


@dataclass(eq=False)
class Label:
    """`body` is the newest REST object."""

    repository: StandInRepository
    body: Json


@dataclass(eq=False)
class Item:
    """An issue or a pull request; `body` is the newest REST object.

    `linked` are the issues that people linked with a pull request in its sidebar, by number.
    """

    repository: StandInRepository
    body: Json
    is_pull: bool
    linked: set[int] = field(default_factory=set)
    parent: Item | None = None
    sub_issues: list[Item] = field(default_factory=list)
    blocked_by: list[Item] = field(default_factory=list)
    blocking: list[Item] = field(default_factory=list)
    _events: dict[tuple[str, str, str], Event] = field(default_factory=dict)
    _timeline: list[Event] | None = None

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
    def milestone(self) -> Milestone | None:
        """The milestone as it is now; none if it was deleted."""
        held = self.body.get("milestone")
        return self.repository.milestones.get(held["number"]) if held else None

    @property
    def labels(self) -> list[Label]:
        """The labels as they are now."""
        known = self.repository.labels
        return [known[label["name"]] for label in self.body.get("labels", ()) if label["name"] in known]

    @property
    def timeline(self) -> list[Event]:
        """All that happened to it, oldest first."""
        if self._timeline is None:
            self._timeline = in_order(self._events.values())
        return self._timeline

    def add(self, kind: str, at: str, subject: str, actor: Json | None, **details: Any) -> None:
        """One more event, unless it is known already."""
        event = Event(kind, at, subject, self.body["node_id"], actor, details)
        if event.key not in self._events:
            self._events[event.key] = event
            self._timeline = None

    def take_events(self, events: Iterable[Event]) -> None:
        """The events of an item that this one was before a transfer."""
        for event in events:
            self.add(event.kind, event.at, event.subject, event.actor, **event.details)

    def retime(self, old: str, new: str) -> None:
        """What happened at one instant happened at another."""
        for key, event in list(self._events.items()):
            if event.at == old:
                del self._events[key]
                self.add(event.kind, new, event.subject, event.actor, **event.details)
        self._timeline = None


@dataclass(eq=False)
class StandInRepository:
    """`body` is the newest REST object; `recorded` says that emulate does not know it.

    `gone` tells of numbers that led to an item once: where it is now, or nothing if it was deleted.
    """

    body: Json
    installation_id: int | None = None
    recorded: bool = False
    items: dict[int, Item] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    gone: dict[int, str] = field(default_factory=dict)
    deleted_milestones: set[int] = field(default_factory=set)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return str(self.body["full_name"])

    def in_milestone(self, milestone: Milestone) -> list[Item]:
        """Its issues and pull requests."""
        return [item for item in self.items.values() if item.milestone is milestone]
