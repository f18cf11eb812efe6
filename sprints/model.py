"""The facts that every number is computed from.

An event says what happened to one item or one milestone, and when by GitHub's own clock. Nothing here
depends on the order in which GitHub's deliveries reached us.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sprints.numbering import Number

# Two facts of one second: nothing comes before the beginning, and leaving comes before joining, so that a
# move within a second keeps its target. Between others the delivery decides, so that everybody agrees.
_BEGINNING, _LEAVING, _OTHER, _END = range(4)


class State(StrEnum):
    """What counts for a sprint: work is open, delivered, or given up."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Source(StrEnum):
    """How we know a fact: GitHub told us when it happened, or we asked for the past, or found it missing."""

    WEBHOOK = "webhook"
    BACKFILL = "backfill"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class ItemSnapshot:
    """An issue or pull request as GitHub showed it in one event.

    `closes` are the numbers of this repository's issues that a pull request will close when it is merged,
    or None where the event did not tell. `status` is the category of an issue's status, such as `started`.
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
    """One thing that happened to one issue or pull request.

    `item` is its node id. `milestone` is the id of the milestone that a `milestoned` or `demilestoned`
    event names, `label` the label that a `labeled` or `unlabeled` event names. `named` is what any other
    event names: an assignee's login, the node id of a parent, of a blocking issue or of the issue that a
    transfer made, a type, a status. `before` are values that an edit replaced. `reason` is what somebody
    gave for what they told us by a command.
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
    source: Source = Source.WEBHOOK
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MilestoneEvent:
    """One thing that happened to a milestone, with the milestone as GitHub showed it then.

    `event` is created, edited, closed, opened (again), deleted, corrected (found to be otherwise than we
    knew), or observed: the picture of a milestone that came along with an item's event. `before` are the
    values that an edit replaced: title, description, due_on.
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
    source: Source = Source.WEBHOOK


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """A label of a repository was `renamed` (`name` to `new_name`) or `deleted`: all its items follow."""

    label: str
    event: str
    at: datetime
    delivery: str
    name: str
    new_name: str | None = None
    actor: str | None = None
    source: Source = Source.WEBHOOK
    repository: str = ""


@dataclass(frozen=True, slots=True)
class ActivityEvent:
    """Something else that a team's figures are made of, or that explains them; no sprint's numbers follow it.

    `kind` is push, review, deployment, release, repository, installation, project, project_item, issue_field,
    or head (of a pull request; its commit), `subject` GitHub's id of it; or it is ours: plan (a pull request
    is set aside), button (pressed). `details` are plain values that can be written as JSON; `content` of a
    project's item and of an issue's field is the node id of the issue or pull request.
    """

    kind: str
    subject: str
    event: str
    at: datetime
    delivery: str
    details: Mapping[str, object] = field(default_factory=dict)
    before: Mapping[str, object] | None = None
    actor: str | None = None
    source: Source = Source.WEBHOOK


Event = ItemEvent | MilestoneEvent | LabelEvent | ActivityEvent
E = TypeVar("E", ItemEvent, MilestoneEvent, LabelEvent, ItemEvent | LabelEvent)


def in_order(events: Iterable[E]) -> list[E]:
    """Events in the order in which they happened, by GitHub's times."""
    return sorted(events, key=place_in_time)


def place_in_time(event: ItemEvent | MilestoneEvent | LabelEvent) -> tuple[datetime, int, str]:
    """What events are ordered by."""
    return event.at, _place_in_second(event), event.delivery


def _place_in_second(event: ItemEvent | MilestoneEvent | LabelEvent) -> int:
    if event.event == ("created" if isinstance(event, MilestoneEvent) else "opened"):
        # A milestone opened again is no beginning.
        return _BEGINNING
    if isinstance(event, MilestoneEvent) and event.event == "deleted":
        return _END
    return _LEAVING if event.event in {"demilestoned", "unlabeled"} else _OTHER
