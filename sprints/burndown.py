"""The burndown: remaining work per local day, beside the ideal line over working days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from sprints.calendar import Calendar, days_between
from sprints.facts import Amount, Day, Facts
from sprints.milestone import Sprint

_Line = list[Decimal | None]


@dataclass(frozen=True, slots=True)
class BurndownDay:
    """The end of one local day. `remaining` and `scope` are None in the future, `ideal` without a due date.

    `ghost` continues the first ideal line, to its due date, from the day on which that was moved.
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
    """The values of a burndown chart, in `unit` (`points` or `count`: items).

    `committed` is point 0, the value at the start; `days` follow, one point per local day end up to the
    sprint's last day. `as_of_day` is the index in `days` of the last day with figures, -1 if none has;
    `is_day_complete` is whether that day has ended. `hidden` counts the open items of a sprint with no points
    left: they are worth none.
    """

    unit: str
    committed: Decimal
    days: tuple[BurndownDay, ...]
    as_of: datetime
    is_open_ended: bool
    is_day_complete: bool
    hidden: int = 0

    @property
    def as_of_day(self) -> int:
        return max((i for i, day in enumerate(self.days) if day.remaining is not None), default=-1)

    @property
    def latest(self) -> BurndownDay | None:
        return self.days[self.as_of_day] if self.as_of_day >= 0 else None


def compute_pace(burndown: Burndown) -> Decimal | None:
    """Compute how far the remaining work is above the ideal line (negative: below it), in the chart's unit.

    During a day, anything between the ideal at its beginning and at its end is on the line: 0. None without
    an ideal line or without figures.
    """
    latest = burndown.latest
    if latest is None or latest.remaining is None or latest.ideal is None:
        return None
    if burndown.is_day_complete:
        return latest.remaining - latest.ideal
    before = ideal_before(burndown, burndown.as_of_day)
    return max(latest.remaining - before, min(latest.remaining - latest.ideal, Decimal(0)))


def ideal_before(burndown: Burndown, index: int) -> Decimal:
    """Return the ideal at the beginning of `days[index]`. A new line begins where the old one was."""
    earlier = (day.ideal for day in reversed(burndown.days[:index]))
    return next((ideal for ideal in earlier if ideal is not None), burndown.committed)


def measure_amount(amount: Amount, unit: str) -> Decimal:
    """Return an amount in one unit."""
    return amount.points if unit == "points" else Decimal(amount.count)


def build_burndown(facts: Facts, unit: str | None = None) -> Burndown:
    """Build the burndown of a sprint, in `unit`, by default the unit that its estimates allow."""
    unit, remaining = unit or facts.unit, facts.remaining
    burndown = build_burndown_from_days(facts.sprint, facts.committed, facts.days, facts.as_of, unit)
    return burndown if measure_amount(remaining, unit) > 0 else replace(burndown, hidden=remaining.count)


def build_burndown_from_days(
    sprint: Sprint, commitment: Amount, known_days: Sequence[Day], as_of: datetime, unit: str
) -> Burndown:
    """Build the burndown from a sprint's days as of a moment, in `unit`."""
    committed = measure_amount(commitment, unit)
    figures = {day.date: day for day in known_days}
    chart_days = _chart_days(sprint, known_days)
    ideal, ghost = _ideals(sprint, committed, chart_days)
    # A milestone created after its start had no plan before that day; until then the commitment is drawn.
    planned_on = sprint.commitment_day
    days = []
    for day, ideal_value, ghost_value in zip(chart_days, ideal, ghost, strict=True):
        figures_of_day = figures.get(day)
        scope = (commitment if day < planned_on else figures_of_day.scope) if figures_of_day else None
        days.append(
            BurndownDay(
                day,
                sprint.calendar.is_working_day(day),
                measure_amount(scope - figures_of_day.done, unit) if figures_of_day and scope else None,
                measure_amount(scope, unit) if scope else None,
                measure_amount(figures_of_day.done, unit) if figures_of_day else None,
                ideal_value,
                ghost_value,
            )
        )
    is_complete = _is_last_day_complete(sprint, known_days)
    return Burndown(unit, committed, tuple(days), as_of, sprint.end is None, is_complete)


def _is_last_day_complete(sprint: Sprint, days: Sequence[Day]) -> bool:
    if not days:
        return True
    last = days[-1]
    return last.at == sprint.calendar.next_midnight(last.at - timedelta(microseconds=1))


def _chart_days(sprint: Sprint, days: Sequence[Day]) -> list[date]:
    """List the sprint's days: to its last one, or while it is open-ended to the last with figures."""
    first, last = sprint.first_day, sprint.last_day
    if last is None:
        last = days[-1].date if days else first
    return days_between(first, last)


def _ideals(sprint: Sprint, committed: Decimal, days: list[date]) -> tuple[_Line, _Line]:
    """Return the ideal line, and as a ghost the rest of the first line after its due date was moved.

    When the due date moves, a new line begins on that day, where the old one was, and leads to the new date.
    """
    ideal: _Line = [None] * len(days)
    ghost: _Line = [None] * len(days)
    # Without a due date there is no plan to reach zero, even once the milestone has been closed.
    if not sprint.due or not days:
        return ideal, ghost
    moves = [move for move in sprint.due_moves if days[0] <= move.on <= days[-1]]
    targets = [*(move.before for move in moves), days[-1]]
    begins = [days[0], *(move.on for move in moves)]
    ends = [*begins[1:], days[-1] + timedelta(days=1)]
    value, has_ghost = committed, False
    for begin, end, target in zip(begins, ends, targets, strict=True):
        if target is None:
            continue
        # Only the first line is continued after its end, so that a date that moves daily draws no tangle.
        last = end - timedelta(days=1) if has_ghost else days[-1]
        for day, left in _line(value, begin, target, last, sprint.calendar).items():
            index = (day - days[0]).days
            if day < end:
                ideal[index] = value = left
            elif day <= target:
                ghost[index] = left
        has_ghost = True
    return ideal, ghost


def _line(value: Decimal, begin: date, target: date, last: date, calendar: Calendar) -> dict[date, Decimal]:
    """Draw a line from `value` before `begin` to zero at the end of `target`, for each day to `last`.

    It falls in equal steps on working days and is flat on days off. A stretch of days off only counts each
    day.
    """
    stretch = days_between(begin, target)
    steps = {day for day in stretch if calendar.is_working_day(day)} or set(stretch)
    line, passed = {}, 0
    for day in days_between(begin, last):
        passed += day in steps
        line[day] = _part(value, len(steps) - passed, len(steps))
    return line


def _part(value: Decimal, left: int, steps: int) -> Decimal:
    """Return the rest of a value, exactly while no step has passed."""
    if left == 0:
        return Decimal(0)
    return value if left == steps else value * left / steps
