"""When work will be done, and how much of it by a day: the sprint's forecast, asked for other due dates.

Work is done by a day as likely as a sprint would be finished that is due on that day. So a date never
contradicts the chance of the sprint, nor what would be if it were due on that date or held other items.
Definitions: docs/metrics.md, “Forecasts”.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache

from sprints.calendar import Calendar, latest_due, working_days
from sprints.facts import Amount, Facts, amount_of, facts_of
from sprints.forecast import Forecast, Refusal
from sprints.milestone import Sprint
from sprints.numbering import place
from sprints.outlook import Outlook, Past, outlook_from
from sprints.what_if import with_items

LEVELS = (0.5, 0.85, 0.95)
# More items than that are told as so many or more.
MOST_ITEMS = 10_000
_TOLERANCE = 1e-9
_NO_WORKING_DAY = Refusal("There is no forecast: the calendar has no working day within two years.")


@dataclass(frozen=True, slots=True)
class Dates:
    """The first working days by whose end the work is done with a chance of 50, 85 and 95 %.

    None: not within two years. `chance` is that of being done at all within them; `basis_sentence` what the
    forecast rests on.
    """

    p50: date | None
    p85: date | None
    p95: date | None
    chance: float
    basis_sentence: str


@dataclass(frozen=True, slots=True)
class Amounts:
    """The most items that are done by a day with a chance of 50, 85 and 95 %, the surer the fewer.

    `chance_of_first` is the chance that any item is done by then, `days` the working days until then.
    """

    p50: int
    p85: int
    p95: int
    chance_of_first: float
    days: int
    basis_sentence: str


def when(facts: Facts, past: Past) -> Dates | Refusal:
    """By when all that is open in a sprint is done, whatever its due date.

    Raises ValueError if nothing is open.
    """
    if not facts.remaining.count:
        raise ValueError("a date is forecast for at least one open item")
    days = _coming_days(facts)
    if not days:
        return _NO_WORKING_DAY
    first = _forecast(facts, past, days[0])
    if isinstance(first, Refusal):
        return first
    last = _chance(facts, past, days[-1])

    @cache
    def chance(step: int) -> float:
        return _chance(facts, past, days[step])

    def first_day(level: float) -> date | None:
        if _is_less(last, level):
            return None
        return days[first_true(lambda step: not _is_less(chance(step), level), 0, len(days) - 1)]

    p50, p85, p95 = (first_day(level) for level in LEVELS)
    return Dates(p50, p85, p95, last, first.basis_sentence)


def how_many(facts: Facts, past: Past, by: date) -> Amounts | Refusal:
    """How many items are done by the end of a day: the sprint's open ones first, the smallest before others.

    Up to `MOST_ITEMS`.
    """
    first = _forecast(with_open(facts, 1), past, by)
    if isinstance(first, Refusal):
        return first

    @cache
    def chance(items: int) -> float:
        return _chance(with_open(facts, items), past, by)

    def most_items(level: float) -> int:
        return first_true(lambda items: _is_less(chance(items), level), 1, MOST_ITEMS + 1) - 1

    p50, p85, p95 = (most_items(level) for level in LEVELS)
    days = working_days(facts.sprint.calendar, _first_day(facts), by)
    return Amounts(p50, p85, p95, first.chance, len(days), first.basis_sentence)


def with_open(facts: Facts, items: int) -> Facts:
    """As if so many items were open: the smallest ones of the sprint, and others that are not estimated."""
    still_open = [item for item in facts.items if item.state == "open" and not item.is_covered]
    more = items - len(still_open)
    if more > 0:
        # One stands for all that come: only their number counts, and there may be ten thousand.
        facts = with_items(facts, [None])
        return replace(facts, scope=facts.scope + Amount(count=more - 1))
    # Not as if the largest had left: what only they told would then count itself.
    largest_first = sorted(still_open, key=lambda item: (-(item.points or 0), place(item.number)))
    leaving = set(largest_first[:-more]) if more else set()
    staying = tuple(item for item in facts.items if item not in leaving)
    return replace(facts, scope=facts.scope - amount_of(leaving), items=staying)


def begun_today(facts: Facts) -> Facts:
    """What is open in a sprint, as if it were a sprint that begins today and has no due date yet."""
    calendar = facts.sprint.calendar
    start = max(facts.sprint.start, calendar.midnight(calendar.day_of(facts.as_of)))
    sprint = replace(facts.sprint, start=start, committed_at=start, end=None, due=None)
    still_open = tuple(item for item in facts.items if item.state == "open")
    return replace(facts, sprint=sprint, scope=facts.remaining, done=Amount(), items=still_open)


def empty_sprint(calendar: Calendar, as_of: datetime) -> Facts:
    """A sprint that begins today and holds nothing yet, for questions about no sprint in particular."""
    start = calendar.midnight(calendar.day_of(as_of))
    sprint = Sprint(0, 0, "", None, start, start, None, None, None, is_deleted=False, calendar=calendar)
    return facts_of(sprint, {}, as_of)


def due_on(facts: Facts, due: date) -> Facts:
    """As if the sprint were due on another day that is not over. Nothing but its end changes."""
    calendar = facts.sprint.calendar
    end = calendar.next_midnight(calendar.midnight(due))
    return replace(facts, sprint=replace(facts.sprint, due=due, end=end))


def first_true(is_true: Callable[[int], bool], first: int, last: int) -> int:
    """The first number from `first` on for which it is true, if it stays true once it is.

    `last` if it is true for none before; that one is not asked for. What is near costs few questions.
    """
    width = 1
    while first < last:
        asked = min(first + width, last) - 1
        if is_true(asked):
            last = asked
            break
        first, width = asked + 1, width * 2
    while first < last:
        middle = (first + last) // 2
        if is_true(middle):
            last = middle
        else:
            first = middle + 1
    return first


def _coming_days(facts: Facts) -> Sequence[date]:
    """The working days on which it may go on, for two years."""
    first = _first_day(facts)
    return working_days(facts.sprint.calendar, first, latest_due(first))


def _first_day(facts: Facts) -> date:
    return max(facts.sprint.calendar.day_of(facts.as_of), facts.sprint.first_day)


def _forecast(facts: Facts, past: Past, due: date) -> Forecast | Refusal:
    outlook = outlook_from(due_on(facts, due), past)
    return outlook.forecast() if isinstance(outlook, Outlook) else outlook


def _is_less(chance: float, level: float) -> bool:
    return chance < level - _TOLERANCE


def _chance(facts: Facts, past: Past, due: date) -> float:
    outlook = outlook_from(due_on(facts, due), past)
    return (outlook.chance() or 0.0) if isinstance(outlook, Outlook) else 0.0
