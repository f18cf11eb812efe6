"""The facts from which every number is computed: events of items, milestones and labels, with times.

Times are those of GitHub's own clock. Nothing here depends on the order in which GitHub's deliveries arrived.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sprints.numbering import Number

# The order of events within one second: the opening comes first, and leaving comes before joining, so that a
# move within a second keeps its target. All others are ordered by delivery, so that the order is stable.
_BEGINNING, _LEAVING, _OTHER, _END = range(4)


class State(StrEnum):
    """The state of an item as a sprint counts it: open, delivered, or given up."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class EventSource(StrEnum):
    """The source of an event: a webhook, a backfill of the past, or a correction of missing events."""

    WEBHOOK = "webhook"
    BACKFILL = "backfill"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class ItemSnapshot:
    """An issue or pull request as GitHub showed it in one event.

    `closes` are the numbers of this repository's issues that a pull request will close when it is merged, or
    None where the event does not say. `status` is the category of an issue's status, such as `started`.
    """

    number: Number
    title: str
    created_at: datetime
    state: State = State.OPEN
    closed_at: datetime | None = None
    milestone: int | None = None
    labels: tuple[str, ...] = ()
    is_pull_request: bool = False
    author: str | None = None
    assignees: tuple[str, ...] = ()
    closes: tuple[Number, ...] | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class ItemEvent:
    """An event of one issue or pull request.

    `item` is its node id. `milestone` is the id of the milestone that a `milestoned` or `demilestoned` event
    names, `label` the label that a `labeled` or `unlabeled` event names. `named` is what any other event
    names: an assignee's login, the node id of a parent, of a blocking issue or of the issue that a transfer
    created, a type, a status, or the moment since which a `/start` counts. `before` holds the values that an
    edit replaced. `reason` is the text given with a command.
    """

    item: str
    event: str
    at: datetime
    delivery: str
    snapshot: ItemSnapshot
    milestone: int | None = None
    label: str | None = None
    named: str | None = None
    before: Mapping[str, object] | None = None
    actor: str | None = None
    source: EventSource = EventSource.WEBHOOK
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MilestoneEvent:
    """An event of a milestone, with the milestone as GitHub showed it then.

    `event` is created, edited, closed, opened (again), deleted, corrected (changed to match GitHub), or
    observed (the milestone's snapshot in an item's event). `before` holds the values that an edit replaced:
    title, description, due_on.
    """

    milestone: int
    event: str
    at: datetime
    delivery: str
    number: int
    title: str
    created_at: datetime
    description: str | None = None
    due_on: datetime | None = None
    closed_at: datetime | None = None
    before: Mapping[str, object] | None = None
    actor: str | None = None
    source: EventSource = EventSource.WEBHOOK


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """The renaming (`name` to `new_name`) or deletion of a repository's label, on all its items."""

    label: str
    event: str
    at: datetime
    delivery: str
    name: str
    new_name: str | None = None
    actor: str | None = None
    source: EventSource = EventSource.WEBHOOK
    repository: str = ""


@dataclass(frozen=True, slots=True)
class ActivityEvent:
    """Any other event behind a team's figures or their explanation; no sprint's numbers depend on it.

    `kind` is push, review, review_request, deployment, release, repository, installation, project,
    project_item, issue_field, or head (of a pull request; its commit), and `subject` is GitHub's id of it.
    Our own kinds are plan (a pull request is set aside) and button (pressed). `details` are plain values that
    can be written as JSON; `content` of a project's item and of an issue's field is the node id of the issue
    or pull request.
    """

    kind: str
    subject: str
    event: str
    at: datetime
    delivery: str
    details: Mapping[str, object] = field(default_factory=dict)
    before: Mapping[str, object] | None = None
    actor: str | None = None
    source: EventSource = EventSource.WEBHOOK


Event = ItemEvent | MilestoneEvent | LabelEvent | ActivityEvent
E = TypeVar("E", ItemEvent, MilestoneEvent, LabelEvent, ItemEvent | LabelEvent)


def sort_events(events: Iterable[E]) -> list[E]:
    """Sort events by the time at which they happened, by GitHub's clock."""
    return sorted(events, key=event_sort_key)


def event_sort_key(event: ItemEvent | MilestoneEvent | LabelEvent) -> tuple[datetime, int, str]:
    """Return the sort key of an event: its time, its rank within the second, its delivery."""
    return event.at, _rank_within_second(event), event.delivery


def _rank_within_second(event: ItemEvent | MilestoneEvent | LabelEvent) -> int:
    if event.event == ("created" if isinstance(event, MilestoneEvent) else "opened"):
        # A milestone's `opened` event reopens it and is no beginning.
        return _BEGINNING
    if isinstance(event, MilestoneEvent) and event.event == "deleted":
        return _END
    return _LEAVING if event.event in {"demilestoned", "unlabeled"} else _OTHER
