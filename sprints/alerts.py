"""Which lines a running sprint has crossed that a team wants to hear of, each once.

A line that is still crossed is told on the next working morning, so that nothing is lost while a thread is
silent; what time alone brings (half-way, the last days) is told on its day or the next, or not at all. Pure:
settings, facts and the time come in, crossings go out.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sprints.blocked import merge_blocks
from sprints.burndown import measure
from sprints.calendar import Calendar, days_between
from sprints.facts import Facts
from sprints.flow import Flow
from sprints.numbering import Number, split_number
from sprints.outlook import list_working_days_left

# Who was told in the morning hears of the rest the next morning; the living comment has it meanwhile.
MOST_A_DAY = 1
HOPEFUL, ENDANGERED = 0.5, 0.3
_HALF_WAY_LASTS = 2


@dataclass(frozen=True, slots=True)
class Lines:
    """Where a team draws its lines; None for those of which it wants to hear nothing.

    `scope`: growth by so many percent of the commitment, and by twice, four times, … as many. `forecast`:
    below this chance, after it was above 5 in 10. `blocked`: from so many working days on. `days_left`:
    working days, the last one included.
    """

    scope: int | None = 20
    forecast: float | None = ENDANGERED
    blocked: int | None = 3
    half_way: bool = True
    days_left: int | None = 2


NO_LINES = Lines(None, None, None, half_way=False, days_left=None)


@dataclass(frozen=True, slots=True)
class ScopeGrown:
    """The scope is `percent` larger than the commitment, at least `times` the share that a team draws.

    `times` doubles from step to step, so that people hear of growth less and less often.
    """

    percent: int
    times: int

    @property
    def name(self) -> str:
        return f"scope-{self.times}"


@dataclass(frozen=True, slots=True)
class ForecastLeft:
    """The sprint was likely to be finished, and is not any more."""

    chance: float
    name: str = "forecast"


@dataclass(frozen=True, slots=True)
class BlockedLong:
    """An item has been blocked for so many working days, by the issues with these numbers, if by issues."""

    number: Number
    days: int
    by: tuple[Number, ...] = ()
    reason: str = ""

    @property
    def name(self) -> str:
        return f"blocked-{self.number}"


@dataclass(frozen=True, slots=True)
class HalfWay:
    """Half of the working days are over."""

    days_left: int
    name: str = "half-way"


@dataclass(frozen=True, slots=True)
class DaysLeft:
    """Only so many working days are left, today included."""

    days_left: int
    name: str = "days-left"


Crossing = ScopeGrown | ForecastLeft | BlockedLong | HalfWay | DaysLeft


@dataclass(frozen=True, slots=True)
class Situation:
    """A sprint as of its facts. `chance` is None without a forecast; `was_hopeful`: once above 5 in 10.

    `blocked` are its items that are blocked now.
    """

    facts: Facts
    chance: float | None = None
    was_hopeful: bool = False
    blocked: tuple[BlockedLong, ...] = ()


def lines_of(settings: Mapping[str, object]) -> Lines:
    """The lines that `alerts` draws; what cannot be understood is as usual."""
    told = settings.get("alerts")
    if _is_off(told):
        return NO_LINES
    said: Mapping[object, object] = told if isinstance(told, Mapping) else {}
    usual = Lines()
    chance = _number(said.get("forecast"), ENDANGERED * 10, 10)
    return Lines(
        scope=_whole(said.get("scope"), usual.scope, 1000),
        forecast=None if chance is None else chance / 10,
        blocked=_whole(said.get("blocked"), usual.blocked, 100),
        half_way=not _is_off(said.get("half_way")),
        days_left=_whole(said.get("days_left"), usual.days_left, 30),
    )


def crossings(situation: Situation, lines: Lines, told: Collection[str]) -> tuple[Crossing, ...]:
    """What is to be told if it is a morning (`is_morning` in sprints/quiet.py).

    `told` are the names of what was told of this sprint before.
    """
    facts = situation.facts
    if facts.as_of < facts.sprint.committed_at or facts.sprint.has_ended(facts.as_of):
        return ()
    found: list[Crossing | None] = [
        _scope(facts, lines.scope, told),
        _forecast(situation, lines.forecast),
        *_blocked(situation, lines.blocked),
        *_by_the_calendar(facts, lines),
    ]
    return tuple(one for one in found if one is not None and one.name not in told)


def blocked_now(facts: Facts, flows: Collection[Flow]) -> tuple[BlockedLong, ...]:
    """The open items of a sprint that wait for something, the longest first."""
    calendar, found = facts.sprint.calendar, list[BlockedLong]()
    numbers = {item.number for item in facts.items if item.state == "open"}
    for flow in flows:
        if flow.number not in numbers or not flow.open_blocks:
            continue
        since = merge_blocks(flow.blocks)[-1].since
        by = tuple(sorted({block.number for block in flow.open_blocks if block.number}))
        reason = next((block.reason for block in flow.open_blocks if block.reason), "")
        found.append(BlockedLong(flow.number, _working_days_since(since, facts.as_of, calendar), by, reason))
    return tuple(sorted(found, key=lambda one: (-one.days, split_number(one.number))))


def _working_days_since(since: datetime, now: datetime, calendar: Calendar) -> int:
    """Working days that came after the day of `since`, today included."""
    first, today = calendar.day_of(since) + timedelta(days=1), calendar.day_of(now)
    return sum(map(calendar.is_working_day, days_between(first, today)))


def _scope(facts: Facts, percent: int | None, told: Collection[str]) -> Crossing | None:
    committed = measure(facts.committed, facts.unit)
    if percent is None or not committed:
        return None
    grown = (measure(facts.scope, facts.unit) - committed) / committed * 100
    shares = math.floor(grown / Decimal(percent))
    times = 1 << (shares.bit_length() - 1) if shares > 0 else 0
    known = (name.removeprefix("scope-") for name in told if name.startswith("scope-"))
    if times < 1 or any(int(one) >= times for one in known if one.isdecimal()):
        return None
    return ScopeGrown(int(grown), times)


def _forecast(situation: Situation, least: float | None) -> Crossing | None:
    chance = situation.chance
    if least is None or chance is None or not situation.was_hopeful or chance >= least:
        return None
    return ForecastLeft(chance) if situation.facts.remaining.count else None


def _blocked(situation: Situation, days: int | None) -> tuple[Crossing, ...]:
    return () if days is None else tuple(one for one in situation.blocked if one.days >= days)


def _by_the_calendar(facts: Facts, lines: Lines) -> tuple[Crossing, ...]:
    sprint, calendar = facts.sprint, facts.sprint.calendar
    today = calendar.day_of(facts.as_of)
    if not facts.remaining.count or not calendar.is_working_day(today):
        return ()
    left, last = len(list_working_days_left(sprint, facts.as_of)), lines.days_left or 0
    length = _length(sprint.first_day, sprint.due, calendar)
    if lines.days_left and 0 < left <= last and length > 2 * last:
        return (DaysLeft(left),)
    late = length - left - length // 2
    is_half_way = length >= 4 and 0 <= late < _HALF_WAY_LASTS and left > last
    return (HalfWay(left),) if lines.half_way and is_half_way else ()


def _length(first: date, due: date | None, calendar: Calendar) -> int:
    return sum(map(calendar.is_working_day, days_between(first, due))) if due else 0


def _is_off(told: object) -> bool:
    return told is False or (isinstance(told, str) and told.strip().lower() in {"off", "no", "false"})


def _number(told: object, usual: float, most: float) -> float | None:
    if _is_off(told):
        return None
    if isinstance(told, int | float) and not isinstance(told, bool) and 0 < told <= most:
        return float(told)
    return usual


def _whole(told: object, usual: int | None, most: int) -> int | None:
    found = _number(told, float(usual or 0), most)
    return None if found is None else max(int(found), 1)
