"""The alerts of a running sprint: which thresholds of the team it has crossed, each reported once.

A threshold that is still crossed is reported on the next working morning, so that no alert is lost while a
thread is quiet. Alerts that depend on the date alone (half-way, the last days) are reported on their day or
the next one, or not at all.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sprints.blocked import merge_blocks
from sprints.burndown import measure_amount
from sprints.calendar import Calendar, days_between
from sprints.facts import Facts
from sprints.flow import Flow
from sprints.numbering import Number, split_number
from sprints.team_settings import AlertThresholds
from sprints.time_left import list_working_days_left

# Further alerts wait for the next morning; the sticky comment shows them meanwhile.
MOST_A_DAY = 1
# A forecast is an alert only after it was above this chance.
HOPEFUL = 0.5
# Working days, from the middle of the sprint on.
_HALF_WAY_LASTS = 2


@dataclass(frozen=True, slots=True)
class ScopeGrowth:
    """The scope is larger than the commitment, by at least `times` the team's threshold.

    `times` doubles from alert to alert, so that growth is reported less and less often.
    """

    times: int

    @property
    def name(self) -> str:
        return f"scope-{self.times}"


@dataclass(frozen=True, slots=True)
class ForecastDrop:
    """The sprint was likely to be finished and is no longer; `chance` is the present one, 0 to 1."""

    chance: float
    name: str = "forecast"


@dataclass(frozen=True, slots=True)
class BlockedItem:
    """An open item that has been blocked for `days` working days.

    `by` are the numbers of the issues that block it, empty where something else does.
    """

    number: Number
    days: int
    by: tuple[Number, ...] = ()
    reason: str = ""

    @property
    def name(self) -> str:
        return f"blocked-{self.number}"


@dataclass(frozen=True, slots=True)
class HalfWay:
    """Half of the sprint's working days are over; `days_left` remain, today included."""

    days_left: int
    name: str = "half-way"


@dataclass(frozen=True, slots=True)
class DaysLeft:
    """The sprint is about to end: only `days_left` working days remain, today included."""

    days_left: int
    name: str = "days-left"


Crossing = ScopeGrowth | ForecastDrop | BlockedItem | HalfWay | DaysLeft


@dataclass(frozen=True, slots=True)
class AlertInputs:
    """A sprint as of its facts, with its forecast and its blocked items.

    `chance` to finish the sprint is from 0 to 1, None without a forecast. `was_hopeful` says whether it was
    above 0.5 at some time. `blocked` are the items that are blocked now.
    """

    facts: Facts
    chance: float | None = None
    was_hopeful: bool = False
    blocked: tuple[BlockedItem, ...] = ()


def find_crossings(
    inputs: AlertInputs, thresholds: AlertThresholds, reported: Collection[str]
) -> tuple[Crossing, ...]:
    """The alerts to post on a morning (`QuietRules.is_morning`).

    `reported` are the names of the alerts that were posted for this sprint before.
    """
    facts = inputs.facts
    if facts.as_of < facts.sprint.committed_at or facts.sprint.has_ended(facts.as_of):
        return ()
    crossed: list[Crossing | None] = [
        _scope_crossing(facts, thresholds.scope, reported),
        _forecast_crossing(inputs, thresholds.forecast),
        *_blocked_crossings(inputs, thresholds.blocked),
        *_calendar_crossings(facts, thresholds),
    ]
    return tuple(crossing for crossing in crossed if crossing is not None and crossing.name not in reported)


def find_blocked_items(facts: Facts, flows: Collection[Flow]) -> tuple[BlockedItem, ...]:
    """The blocked open items of a sprint, the longest blocked first."""
    calendar, blocked = facts.sprint.calendar, list[BlockedItem]()
    numbers = {item.number for item in facts.items if item.state == "open"}
    for flow in flows:
        if flow.number not in numbers or not flow.open_blocks:
            continue
        since = merge_blocks(flow.blocks)[-1].since
        by = tuple(sorted({block.number for block in flow.open_blocks if block.number}))
        reason = next((block.reason for block in flow.open_blocks if block.reason), "")
        days = _working_days_since(since, facts.as_of, calendar)
        blocked.append(BlockedItem(flow.number, days, by, reason))
    return tuple(sorted(blocked, key=lambda item: (-item.days, split_number(item.number))))


def _working_days_since(since: datetime, now: datetime, calendar: Calendar) -> int:
    """The number of working days after the day of `since`, today included."""
    first, today = calendar.day_of(since) + timedelta(days=1), calendar.day_of(now)
    return sum(map(calendar.is_working_day, days_between(first, today)))


def _scope_crossing(facts: Facts, percent: int | None, reported: Collection[str]) -> Crossing | None:
    committed = measure_amount(facts.committed, facts.unit)
    if percent is None or not committed:
        return None
    grown = (measure_amount(facts.scope, facts.unit) - committed) / committed * 100
    shares = math.floor(grown / Decimal(percent))
    times = 1 << (shares.bit_length() - 1) if shares > 0 else 0
    earlier = (name.removeprefix("scope-") for name in reported if name.startswith("scope-"))
    if times < 1 or any(int(text) >= times for text in earlier if text.isdecimal()):
        return None
    return ScopeGrowth(times)


def _forecast_crossing(inputs: AlertInputs, least: float | None) -> Crossing | None:
    chance = inputs.chance
    if least is None or chance is None or not inputs.was_hopeful or chance >= least:
        return None
    return ForecastDrop(chance) if inputs.facts.remaining.count else None


def _blocked_crossings(inputs: AlertInputs, days: int | None) -> tuple[Crossing, ...]:
    return () if days is None else tuple(item for item in inputs.blocked if item.days >= days)


def _calendar_crossings(facts: Facts, thresholds: AlertThresholds) -> tuple[Crossing, ...]:
    sprint, calendar = facts.sprint, facts.sprint.calendar
    today = calendar.day_of(facts.as_of)
    if not facts.remaining.count or not calendar.is_working_day(today):
        return ()
    left, last = len(list_working_days_left(sprint, facts.as_of)), thresholds.days_left or 0
    length = _working_days(sprint.first_day, sprint.due, calendar)
    if thresholds.days_left and 0 < left <= last and length > 2 * last:
        return (DaysLeft(left),)
    days_past_half = length - left - length // 2
    is_half_way = length >= 4 and 0 <= days_past_half < _HALF_WAY_LASTS and left > last
    return (HalfWay(left),) if thresholds.half_way and is_half_way else ()


def _working_days(first: date, due: date | None, calendar: Calendar) -> int:
    return sum(map(calendar.is_working_day, days_between(first, due))) if due else 0
