"""The burndown: remaining work per local day, beside the ideal line over working days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sprints.calendar import Calendar, days_between
from sprints.facts import Amount, Facts

_Line = list[Decimal | None]


@dataclass(frozen=True, slots=True)
class BurndownDay:
    """The end of one local day. `remaining` and `scope` are None in the future, `ideal` without a due date.

    `ghost` goes on with the line to the first due date after that was moved.
    """

    date: date
    is_working_day: bool
    remaining: Decimal | None
    scope: Decimal | None
    done: Decimal | None
    ideal: Decimal | None
    ghost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Burndown:
    """All that a burndown chart shows, in `unit` (`points` or `count`: items).

    `committed` is point 0, the value at the start; `days` follow, one point per local day end up to the
    sprint's last day. `as_of_day` is the index in `days` of the last day with figures, -1 if none has;
    `is_day_complete` says whether that day has ended.
    """

    unit: str
    committed: Decimal
    days: tuple[BurndownDay, ...]
    as_of: datetime
    is_open_ended: bool
    is_day_complete: bool

    @property
    def as_of_day(self) -> int:
        return max((i for i, day in enumerate(self.days) if day.remaining is not None), default=-1)

    @property
    def latest(self) -> BurndownDay | None:
        return self.days[self.as_of_day] if self.as_of_day >= 0 else None


def pace(burndown: Burndown) -> Decimal | None:
    """How far the remaining work is above the ideal line (negative: below it), in the chart's unit.

    While a day is under way, anything between the ideal at its beginning and at its end is on the line: 0.
    None without an ideal line or without figures.
    """
    latest = burndown.latest
    if latest is None or latest.remaining is None or latest.ideal is None:
        return None
    index = burndown.as_of_day
    before = burndown.days[index - 1].ideal if index else burndown.committed
    if before is None or burndown.is_day_complete:
        return latest.remaining - latest.ideal
    return max(latest.remaining - before, min(latest.remaining - latest.ideal, Decimal(0)))


def measure(amount: Amount, unit: str) -> Decimal:
    """An amount in one unit."""
    return amount.points if unit == "points" else Decimal(amount.count)


def burndown_of(facts: Facts, unit: str | None = None) -> Burndown:
    """The burndown of a sprint, in `unit` or else the one that its estimates allow."""
    unit = unit or facts.unit
    committed = measure(facts.committed, unit)
    figures = {day.date: day for day in facts.days}
    calendar = _calendar(facts)
    ideal, ghost = _ideals(facts, committed, calendar)
    # A milestone made after its start had no plan before that day; until then the plan is drawn as it came.
    planned_on = facts.sprint.commitment_day
    days = []
    for day, ideal_value, ghost_value in zip(calendar, ideal, ghost, strict=True):
        known = figures.get(day)
        scope = (facts.committed if day < planned_on else known.scope) if known else None
        days.append(
            BurndownDay(
                day,
                facts.sprint.calendar.is_working_day(day),
                measure(scope - known.done, unit) if known and scope else None,
                measure(scope, unit) if scope else None,
                measure(known.done, unit) if known else None,
                ideal_value,
                ghost_value,
            )
        )
    return Burndown(
        unit, committed, tuple(days), facts.as_of, facts.sprint.end is None, _is_last_day_complete(facts)
    )


def _is_last_day_complete(facts: Facts) -> bool:
    if not facts.days:
        return True
    last = facts.days[-1]
    return last.at == facts.sprint.calendar.next_midnight(last.at - timedelta(microseconds=1))


def _calendar(facts: Facts) -> list[date]:
    """The sprint's days: to its last one, or while it is open-ended to the last with figures."""
    first, last = facts.sprint.first_day, facts.sprint.last_day
    if last is None:
        last = facts.days[-1].date if facts.days else first
    return days_between(first, last)


def _ideals(facts: Facts, committed: Decimal, days: list[date]) -> tuple[_Line, _Line]:
    """The line to zero, and as a ghost the one that was first promised, from the day it was given up on.

    When the due date moves, a new line begins on that day, where the old one was, and leads to the new date.
    """
    sprint = facts.sprint
    # Without a due date nobody promised a line to zero, also when the milestone was closed one day.
    if not sprint.due:
        return [None] * len(days), [None] * len(days)
    moves = [move for move in sprint.due_moves if move.on in days]
    targets = [*(move.before for move in moves), days[-1]]
    begins = [days[0], *(move.on for move in moves)]
    ideal, ghost, value = list[Decimal | None](), list[Decimal | None](), committed
    for index, (begin, target) in enumerate(zip(begins, targets, strict=True)):
        until = begins[index + 1] if index + 1 < len(begins) else days[-1] + timedelta(days=1)
        line = _line(value, begin, target, days[days.index(begin) :], sprint.calendar)
        ahead = [point for day, point in zip(days[days.index(begin) :], line, strict=True) if day < until]
        ideal += ahead
        value = next((point for point in reversed(ahead) if point is not None), value)
        if index == 0 and moves:
            ghost = [*([None] * len(ahead)), *line[len(ahead) :]]
    return ideal, ghost or [None] * len(days)


def _line(value: Decimal, begin: date, target: date | None, days: list[date], calendar: Calendar) -> _Line:
    """From `value` before `begin` to zero at the end of `target`: equal steps on working days, flat on
    days off. A stretch of days off only counts each of them. Without a target there is no line."""
    if target is None:
        return [None] * len(days)
    stretch = days_between(begin, target)
    steps = [day for day in stretch if calendar.is_working_day(day)] or stretch
    if not steps:
        return [Decimal(0)] * len(days)
    passed = (sum(step <= day for step in steps) for day in days)
    return [value * (len(steps) - n) / len(steps) for n in passed]
