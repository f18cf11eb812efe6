"""A sprint's numbers: commitment, scope and what changed it, done and remaining, in points and in items.

Every total is the sum of a list that stands beside it. Definitions and their sources: docs/metrics.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sprints.calendar import local_midnight
from sprints.estimates import Points
from sprints.history import Change, ItemState, changes, state_at
from sprints.milestone import Sprint
from sprints.model import ItemEvent, ItemSnapshot, State, in_order

_ZERO = Decimal(0)
# Above this share of items without an estimate, points say less than a count of items.
MOST_NOT_ESTIMATED = 0.3


@dataclass(frozen=True, slots=True)
class Amount:
    """Some work, measured in both units at once."""

    points: Points = _ZERO
    count: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.points + other.points, self.count + other.count)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.points - other.points, self.count - other.count)


class Cause(StrEnum):
    """Why the scope changed."""

    ADDED = "added"
    REMOVED = "removed"
    DROPPED = "dropped"
    REESTIMATED = "reestimated"


@dataclass(frozen=True, slots=True)
class ScopeChange:
    """One line of the scope ledger. `amount` is positive, except where an estimate fell."""

    at: datetime
    number: int
    title: str
    cause: Cause
    amount: Amount


@dataclass(frozen=True, slots=True)
class Day:
    """Where the sprint stood at `at`: the end of the local day `date`, or so far."""

    date: date
    at: datetime
    scope: Amount
    done: Amount

    @property
    def remaining(self) -> Amount:
        return self.scope - self.done


@dataclass(frozen=True, slots=True)
class Item:
    """One issue or pull request of the milestone. `points` is None where nobody estimated it."""

    number: int
    title: str
    state: str
    points: Points | None


@dataclass(frozen=True, slots=True)
class Facts:
    """A sprint's numbers as of a moment (exclusive). After the sprint's end they stand still."""

    sprint: Sprint
    as_of: datetime
    committed: Amount
    scope: Amount
    done: Amount
    ledger: tuple[ScopeChange, ...]
    days: tuple[Day, ...]
    items: tuple[Item, ...]

    @property
    def remaining(self) -> Amount:
        return self.scope - self.done

    @property
    def unit(self) -> str:
        """`points`, or `count` when more than 30 % of the items are not estimated."""
        not_estimated = sum(item.points is None for item in self.items)
        return "count" if not_estimated > MOST_NOT_ESTIMATED * len(self.items) else "points"

    def total(self, cause: Cause) -> Amount:
        """The sum of the ledger's lines of one cause."""
        return sum((line.amount for line in self.ledger if line.cause is cause), Amount())


@dataclass(slots=True)
class _Totals:
    """What the items add up to, and how that moves with time."""

    committed: Amount = Amount()
    ledger: list[ScopeChange] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    steps: list[tuple[datetime, Amount, Amount]] = field(default_factory=list)


def facts_of(sprint: Sprint, events: Mapping[str, Sequence[ItemEvent]], as_of: datetime) -> Facts:
    """A sprint's numbers from all events, by item, of all items that were ever in its milestone."""
    as_of = as_of.astimezone(UTC)
    until = as_of if sprint.end is None else min(as_of, sprint.end)
    committed_at = min(sprint.committed_at, until)
    totals = _Totals()
    for item_events in events.values():
        known = [event for event in item_events if event.at < as_of]
        if known:
            _add_item(totals, sprint, known, committed_at, until, as_of)
    totals.ledger.sort(key=lambda line: (line.at, line.number))
    totals.items.sort(key=lambda item: item.number)
    days, scope, done = _days(sprint, totals.steps, until)
    return Facts(
        sprint,
        as_of.astimezone(sprint.timezone),
        totals.committed,
        scope,
        done,
        tuple(totals.ledger),
        days,
        tuple(totals.items),
    )


def _add_item(
    totals: _Totals,
    sprint: Sprint,
    events: Sequence[ItemEvent],
    committed_at: datetime,
    until: datetime,
    as_of: datetime,
) -> None:
    history = changes(events, sprint.milestone)
    shown = in_order(events)[-1].snapshot
    totals.committed += _scope(state_at(history, committed_at), sprint)
    now = state_at(history, as_of)
    if now.is_member:
        totals.items.append(Item(shown.number, shown.title, _state_name(now, sprint), now.points))
    for change in history:
        if change.at >= until:
            break
        before, after = _scope(change.before, sprint), _scope(change.after, sprint)
        done_before, done_after = _done(change.before, sprint), _done(change.after, sprint)
        totals.steps.append((change.at, after - before, done_after - done_before))
        if change.at >= committed_at and before != after:
            totals.ledger.append(_ledger_line(change, shown, before, after))


def _ledger_line(change: Change, shown: ItemSnapshot, before: Amount, after: Amount) -> ScopeChange:
    if not before.count:
        cause, amount = Cause.ADDED, after
    elif after.count:
        cause, amount = Cause.REESTIMATED, after - before
    else:
        cause, amount = (Cause.DROPPED if change.after.is_member else Cause.REMOVED), before
    return ScopeChange(change.at, shown.number, shown.title, cause, amount)


def _scope(item: ItemState, sprint: Sprint) -> Amount:
    """What an item adds to the scope: nothing if it was given up, or done before the sprint began."""
    if not item.is_member or item.state is State.DROPPED or _was_done_before(item, sprint):
        return Amount()
    return Amount(item.points or _ZERO, 1)


def _done(item: ItemState, sprint: Sprint) -> Amount:
    return _scope(item, sprint) if item.state is State.DONE else Amount()


def _was_done_before(item: ItemState, sprint: Sprint) -> bool:
    return item.done_at is not None and item.done_at < sprint.start


def _state_name(item: ItemState, sprint: Sprint) -> str:
    return "done_before_start" if _was_done_before(item, sprint) else str(item.state)


def _days(
    sprint: Sprint, steps: Iterable[tuple[datetime, Amount, Amount]], until: datetime
) -> tuple[tuple[Day, ...], Amount, Amount]:
    """A row for each local date from the start's, the last one so far; and the totals at `until`."""
    ordered = sorted(steps, key=lambda step: step[0])
    days, scope, done, taken = list[Day](), Amount(), Amount(), 0

    def advance(moment: datetime) -> None:
        nonlocal scope, done, taken
        while taken < len(ordered) and ordered[taken][0] < moment:
            _, scope_step, done_step = ordered[taken]
            scope, done, taken = scope + scope_step, done + done_step, taken + 1

    day = sprint.first_day
    while until > sprint.start and local_midnight(day, sprint.timezone) < until:
        at = min(local_midnight(day + timedelta(days=1), sprint.timezone), until)
        advance(at)
        days.append(Day(day, at, scope, done))
        day += timedelta(days=1)
    advance(until)
    return tuple(days), scope, done
