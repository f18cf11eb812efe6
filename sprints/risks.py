"""The risks to a running sprint, each with the items that show it, the highest stake first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sprints.burndown import measure_amount
from sprints.calendar import days_between
from sprints.durations import ServiceLevel, count_days
from sprints.facts import Amount, Facts, Item, ScopeCause
from sprints.flow import Flow
from sprints.numbering import Number, split_number

# Below these shares a risk is ordinary, and naming it would be noise.
LARGE_SHARE, GROWTH_SHARE, UNESTIMATED_SHARE = Decimal("0.25"), Decimal("0.1"), Decimal("0.2")
LEAST_QUIET_DAYS, LEAST_CARRIES = 2, 2
LONG_REVIEW = timedelta(days=2)


class RiskKind(StrEnum):
    """A kind of risk."""

    BLOCKED = "blocked"
    OLD = "old"
    LARGE = "large"
    GROWN = "grown"
    QUIET = "quiet"
    UNESTIMATED = "unestimated"
    CARRIED = "carried"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Risk:
    """One risk to a sprint.

    `stake` is the part of the open work that it touches, 0 to 1; `amount` that work, or the work that was
    added. `since` is the first day of the risk, `days` the number of working days since.
    """

    kind: RiskKind
    stake: Decimal
    items: tuple[Number, ...] = ()
    amount: Decimal = Decimal(0)
    since: date | None = None
    days: int = 0


def find_risks(
    facts: Facts,
    unit: str,
    flows: Iterable[Flow],
    *,
    level: ServiceLevel | None = None,
    carries: Mapping[Number, int] | None = None,
    reviews: Mapping[Number, datetime] | None = None,
) -> tuple[Risk, ...]:
    """Find the risks to a sprint as of its facts, in one unit.

    `flows` are those as of the same moment, `level` is the team's service level expectation. `carries` gives
    for each item how many sprint ends it has crossed, `reviews` since when a pull request has waited for a
    review.
    """
    open_items = facts.open_items
    if not open_items or facts.sprint.has_ended(facts.as_of):
        return ()
    by_number = {flow.number: flow for flow in flows}
    open_flows = [(item, by_number[item.number]) for item in open_items if item.number in by_number]
    sizes = _Sizes(open_items, unit)
    risks = [
        sizes.risk(RiskKind.BLOCKED, [item for item, flow in open_flows if flow.open_blocks]),
        sizes.risk(RiskKind.OLD, [item for item, flow in open_flows if _is_old(flow, facts, level)]),
        sizes.risk(RiskKind.LARGE, [item for item, flow in open_flows if _is_large(item, flow, sizes)]),
        sizes.risk(RiskKind.CARRIED, _carried_items(open_items, carries or {})),
        sizes.risk(RiskKind.REVIEW, _items_in_long_review(open_items, reviews or {}, facts.as_of)),
        _unestimated_risk(facts, open_items),
        _growth_risk(facts, unit),
        _quiet_risk(facts),
    ]
    return tuple(sorted((risk for risk in risks if risk), key=lambda risk: (-risk.stake, risk.kind)))


class _Sizes:
    """The sizes of the open items in one unit."""

    def __init__(self, items: Sequence[Item], unit: str) -> None:
        self._unit = unit
        self.total = sum(map(self.of, items), Decimal(0))

    def of(self, item: Item) -> Decimal:
        return measure_amount(Amount(item.points or Decimal(0), 1), self._unit)

    def risk(self, kind: RiskKind, items: Sequence[Item]) -> Risk | None:
        """Build the risk of these items, by the share of the open work; None without items."""
        if not items:
            return None
        amount = sum(map(self.of, items), Decimal(0))
        ordered = sorted(items, key=lambda item: (-self.of(item), split_number(item.number)))
        return Risk(
            kind,
            amount / self.total if self.total else Decimal(0),
            tuple(item.number for item in ordered),
            amount,
        )


def _is_old(flow: Flow, facts: Facts, level: ServiceLevel | None) -> bool:
    """Return whether an item has been in progress for longer than 85 % of the team's items took."""
    if level is None or flow.started_at is None or not flow.is_in_progress:
        return False
    return count_days(flow.started_at, facts.as_of, facts.sprint.calendar) > level.days


def _is_large(item: Item, flow: Flow, sizes: _Sizes) -> bool:
    """Return whether an item that is more than a quarter of the open work is not started."""
    return flow.started_at is None and sizes.of(item) > LARGE_SHARE * sizes.total and sizes.of(item) > 1


def _carried_items(items: Sequence[Item], carries: Mapping[Number, int]) -> list[Item]:
    return [item for item in items if carries.get(item.number, 0) >= LEAST_CARRIES]


def _items_in_long_review(
    items: Sequence[Item], reviews: Mapping[Number, datetime], now: datetime
) -> list[Item]:
    return [item for item in items if item.number in reviews and now - reviews[item.number] > LONG_REVIEW]


def _unestimated_risk(facts: Facts, items: Sequence[Item]) -> Risk | None:
    missing = sorted((item.number for item in items if item.points is None), key=split_number)
    share = Decimal(len(missing)) / len(items)
    # A team that estimates nothing counts items, and that is no risk.
    counts_items = len(missing) == len(items) and facts.unit == "count"
    if share < UNESTIMATED_SHARE or counts_items:
        return None
    return Risk(RiskKind.UNESTIMATED, share, tuple(missing))


def _growth_risk(facts: Facts, unit: str) -> Risk | None:
    """Build the risk of work added since the commitment, less the work removed."""
    scope, committed = measure_amount(facts.scope, unit), measure_amount(facts.committed, unit)
    grown = scope - committed
    if not committed or grown < GROWTH_SHARE * committed:
        return None
    added = tuple(dict.fromkeys(line.number for line in facts.ledger if line.cause is ScopeCause.ADDED))
    return Risk(RiskKind.GROWN, min(grown / scope, Decimal(1)), added, grown)


def _quiet_risk(facts: Facts) -> Risk | None:
    """Build the risk of past working days without any work done, up to now."""
    sprint, calendar = facts.sprint, facts.sprint.calendar
    today = calendar.day_of(facts.as_of)
    done_before, quiet_since = 0, sprint.first_day
    for day in facts.days:
        if day.done.count > done_before:
            quiet_since = day.date + timedelta(days=1)
        done_before = day.done.count
    yesterday = today - timedelta(days=1)
    quiet = [day for day in days_between(quiet_since, yesterday) if calendar.is_working_day(day)]
    if len(quiet) < LEAST_QUIET_DAYS or sprint.due is None:
        return None
    left = sum(map(calendar.is_working_day, days_between(today, sprint.due)))
    return Risk(RiskKind.QUIET, Decimal(len(quiet)) / (len(quiet) + left), since=quiet[0], days=len(quiet))
