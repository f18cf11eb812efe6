"""A sprint's numbers: commitment, scope and its changes, done and remaining work, in points and in items.

Every total is the sum of a list that stands beside it. Definitions and their sources: docs/metrics.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sprints.completeness import Completeness
from sprints.estimates import Points
from sprints.milestone import Sprint
from sprints.model import ItemEvent, LabelEvent
from sprints.numbering import Number

_ZERO = Decimal(0)
# Above this share of items without an estimate, points say less than a count of items.
MOST_NOT_ESTIMATED = 0.3
# The state of an item that does not count, because it was done before the sprint began.
DONE_BEFORE_START = "done_before_start"


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of work in points and in items."""

    points: Points = _ZERO
    count: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.points + other.points, self.count + other.count)

    def __sub__(self, other: "Amount") -> "Amount":
        if self is other:
            return NOTHING
        return Amount(self.points - other.points, self.count - other.count)


NOTHING = Amount()


class ScopeCause(StrEnum):
    """The reason for a change of a sprint's scope."""

    ADDED = "added"
    REMOVED = "removed"
    DROPPED = "dropped"
    REESTIMATED = "reestimated"


@dataclass(frozen=True, slots=True)
class ScopeChange:
    """A line of the scope ledger. `amount` is positive, except where an estimate was lowered.

    `event` caused the change and names its actor. `was_done` marks work that left the sprint after it was
    done.
    """

    at: datetime
    number: Number
    title: str
    cause: ScopeCause
    amount: Amount
    event: ItemEvent | LabelEvent
    was_done: bool = False


@dataclass(frozen=True, slots=True)
class AmountStep:
    """A change of the sprint's scope, of the work done in it, or of both, caused by `event` at `at`.

    Scope and done work at any moment are the sums of the steps before it.
    """

    at: datetime
    number: Number
    event: ItemEvent | LabelEvent
    scope: Amount
    done: Amount


@dataclass(frozen=True, slots=True)
class Day:
    """The sprint at the end of the local day `date`, or now for today: `at` is that moment."""

    date: date
    at: datetime
    scope: Amount
    done: Amount

    @property
    def remaining(self) -> Amount:
        return self.scope - self.done


@dataclass(frozen=True, slots=True)
class Item:
    """An issue or pull request of the milestone. `points` is None without an estimate.

    An item that `is_covered` does not count, because other items of the milestone (`covered_by`, node ids)
    represent its work. `reopened` counts how often it was reopened within the sprint. `parent` is the node id
    of its parent issue, in the milestone or not; None once the item has left its repository.
    """

    number: Number
    title: str
    state: str
    points: Points | None
    item: str = ""
    done_at: datetime | None = None
    is_covered: bool = False
    covered_by: tuple[str, ...] = ()
    reopened: int = 0
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """A sprint's numbers as of a moment (exclusive). After the sprint's end they no longer change.

    `committed_items` made the commitment; `kept` is the part of it that is done. `carried` items were open at
    the end; `late` ones of these were done after the end, until the milestone was closed or for three days.
    `steps` are all changes of scope and done work in the order of time, also those before the commitment.
    """

    sprint: Sprint
    as_of: datetime
    committed: Amount
    scope: Amount
    done: Amount
    kept: Amount
    ledger: tuple[ScopeChange, ...]
    days: tuple[Day, ...]
    items: tuple[Item, ...]
    committed_items: tuple[Item, ...]
    done_items: tuple[Item, ...]
    carried: tuple[Item, ...]
    late: tuple[Item, ...]
    completeness: Completeness
    steps: tuple[AmountStep, ...] = ()

    @property
    def remaining(self) -> Amount:
        return self.scope - self.done

    @property
    def is_committed(self) -> bool:
        """Whether the commitment has been made; until then all is planning and nothing is a change."""
        return self.as_of > self.sprint.committed_at

    @property
    def open_items(self) -> tuple[Item, ...]:
        """The items that `remaining` counts: open now, or open when the sprint ended."""
        if self.sprint.has_ended(self.as_of):
            return self.carried
        return tuple(item for item in self.items if item.state == "open" and not item.is_covered)

    @property
    def unit(self) -> str:
        """`points`, or `count` when more than 30 % of the items are not estimated.

        Items that others cover need no estimate of their own.
        """
        counted = [item for item in self.items if not item.is_covered]
        not_estimated = sum(item.points is None for item in counted)
        return "count" if not_estimated > MOST_NOT_ESTIMATED * len(counted) else "points"

    def total(self, cause: ScopeCause) -> Amount:
        """Add up the ledger's lines of one cause."""
        return sum_amounts(line.amount for line in self.ledger if line.cause is cause)


def sum_items(items: Iterable[Item]) -> Amount:
    """Add up a list of items."""
    return sum_amounts(Amount(item.points or _ZERO, 1) for item in items)


def sum_amounts(amounts: Iterable[Amount]) -> Amount:
    """Add up amounts."""
    points, count = _ZERO, 0
    for amount in amounts:
        points, count = points + amount.points, count + amount.count
    return Amount(points, count)
