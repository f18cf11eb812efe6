"""The facts that every number is computed from.

An event says what happened to one item or one milestone, and when by GitHub's own clock. Nothing here
depends on the order in which GitHub's deliveries reached us.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

# Two facts of one second: nothing comes before the beginning, and leaving comes before joining, so that a
# move within a second keeps its target. Between others the delivery decides, so that everybody agrees.
_BEGINNING, _LEAVING, _OTHER = range(3)


class State(StrEnum):
    """What counts for a sprint: work is open, delivered, or given up."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class ItemSnapshot:
    """An issue or pull request as GitHub showed it in one event."""

    number: int
    title: str
    created_at: datetime
    state: State = State.OPEN
    closed_at: datetime | None = None
    milestone: int | None = None
    labels: tuple[str, ...] = ()
    is_pull_request: bool = False


@dataclass(frozen=True, slots=True)
class ItemEvent:
    """One thing that happened to one issue or pull request.

    `item` is its node id. `milestone` is the id of the milestone that a `milestoned` or `demilestoned`
    event names, `label` the label that a `labeled` or `unlabeled` event names.
    """

    item: str
    event: str
    at: datetime
    delivery: str
    snapshot: ItemSnapshot
    milestone: int | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class MilestoneEvent:
    """One thing that happened to a milestone, with the milestone as GitHub showed it then.

    `event` is created, edited, closed, opened (again), deleted, or observed: the picture of a milestone
    that came along with an item's event.
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


E = TypeVar("E", ItemEvent, MilestoneEvent)


def in_order(events: Iterable[E]) -> list[E]:
    """Events in the order in which they happened, by GitHub's times."""
    return sorted(events, key=lambda event: (event.at, _place_in_second(event), event.delivery))


def _place_in_second(event: ItemEvent | MilestoneEvent) -> int:
    if event.event == ("opened" if isinstance(event, ItemEvent) else "created"):
        return _BEGINNING
    return _LEAVING if event.event in {"demilestoned", "unlabeled"} else _OTHER
