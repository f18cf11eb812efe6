"""When work will be done, and how much of it by a day: the sprint's forecast, asked for other due dates.

Work is done by a day as likely as a sprint would be finished that is due on that day, and a part of the open
items as likely as the amounts say. So a date contradicts neither the chance of the sprint nor its fan.
Definitions: docs/metrics.md, “Forecasts”.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import floor

from sprints.calendar import Calendar, latest_due, working_days
from sprints.facts import Amount, Facts, amount_of, facts_of
from sprints.forecast import Forecast, Refusal
from sprints.forecast_amounts import amount_at
from sprints.forecast_draws import History
from sprints.milestone import Sprint
from sprints.numbering import place
from sprints.outlook import Outlook, Past, histories_of, outlook_from, outlook_in_items, working_days_left
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


def when(facts: Facts, past: Past, items: int | None = None) -> Dates | Refusal:
    """By when all that is open in a sprint is done, or so many items, whatever its due date.

    Raises ValueError if nothing is open and no number of items is asked for.
    """
    if not (facts.remaining.count if items is None else items):
        raise ValueError("a date is forecast for at least one open item")
    days = _coming_days(facts)
    if not days:
        return _NO_WORKING_DAY
    question = _Question(facts, past, histories_of(facts, past))
    items = facts.remaining.count if items is None else items
    first = question.forecast(items, days[0])
    if isinstance(first, Refusal):
        return first

    def first_step(level: float, earliest: int) -> int:
        return first_true(lambda step: question.is_done(items, days[step], level), earliest, len(days))

    steps, earliest = list[int](), 0
    for level in LEVELS:
        # Where the last day is too early, no other is late enough.
        is_ever = question.is_done(items, days[-1], level)
        earliest = first_step(level, earliest) if is_ever and earliest < len(days) else len(days)
        steps.append(earliest)
    p50, p85, p95 = (days[step] if step < len(days) else None for step in steps)
    return Dates(p50, p85, p95, question.chance(items, days[-1]), first.basis_sentence)


def how_many(facts: Facts, past: Past, by: date) -> Amounts | Refusal:
    """How many items are done by the end of a day, up to `MOST_ITEMS`: the sprint's open ones first."""
    question = _Question(facts, past, histories_of(facts, past))
    first = question.forecast(1, by)
    if isinstance(first, Refusal):
        return first
    p50, p85, p95 = (question.most_items(by, level) for level in LEVELS)
    days = working_days(facts.sprint.calendar, _first_day(facts), by)
    return Amounts(p50, p85, p95, question.chance(1, by), len(days), first.basis_sentence)


class _Question:
    """How likely so many items are done by a day.

    As likely as a sprint with so many open items that is due on that day is finished. Where more are open,
    any of them may be the ones that are done: so also as likely as the amounts of the sprint as it is say.
    """

    def __init__(self, facts: Facts, past: Past, histories: Mapping[str, History]) -> None:
        self._facts, self._past, self._histories = facts, past, histories
        self._chances = dict[tuple[int, date], float]()
        self._amounts = dict[tuple[date, float], int]()

    def forecast(self, items: int, due: date) -> Forecast | Refusal:
        """The forecast of a sprint with so many open items that is due on a day."""
        outlook = self._outlook(items, due)
        return outlook.forecast() if isinstance(outlook, Outlook) else outlook

    def is_done(self, items: int, due: date, level: float) -> bool:
        """Whether the chance that so many items are done by a day is at least so high."""
        if not _is_less(self._chance_of_all(items, due), level):
            return True
        return items < self._facts.remaining.count and self._of_those_open(due, level) >= items

    def most_items(self, due: date, level: float) -> int:
        """The most items that are done by a day with this chance."""
        return first_true(lambda items: not self.is_done(items, due, level), 1, MOST_ITEMS + 1) - 1

    def chance(self, items: int, due: date) -> float:
        """The chance that so many items are done by a day; that of amounts in whole percent, rounded down."""
        chance = self._chance_of_all(items, due)
        if items >= self._facts.remaining.count:
            return chance
        percent = first_true(lambda number: self._of_those_open(due, number / 100) < items, 1, 100) - 1
        return max(chance, percent / 100)

    def _chance_of_all(self, items: int, due: date) -> float:
        """The chance that all is done if so many items were open."""
        if (items, due) not in self._chances:
            outlook = self._outlook(items, due)
            chance = outlook.chance() if isinstance(outlook, Outlook) else None
            self._chances[items, due] = chance or 0.0
        return self._chances[items, due]

    def _of_those_open(self, due: date, level: float) -> int:
        """How many of the open items are done by a day with this chance, as the amounts of the sprint say."""
        if (due, level) not in self._amounts:
            self._amounts[due, level] = self._new_amount(due, level)
        return self._amounts[due, level]

    def _new_amount(self, due: date, level: float) -> int:
        chance = self._chance_of_all(self._facts.remaining.count, due)
        dated = with_end_on(self._facts, due)
        if not working_days_left(dated.sprint, dated.as_of):
            return 0
        outlook = outlook_in_items(dated, self._past, self._histories)
        done = amount_at(outlook.now, outlook.history, outlook.seed, chance, 1 - level)
        return floor(done - outlook.now.done + _TOLERANCE)

    def _outlook(self, items: int, due: date) -> Outlook | Refusal:
        changed = with_end_on(with_open(self._facts, items), due)
        return outlook_from(changed, self._past, self._histories)


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


def with_end_on(facts: Facts, due: date) -> Facts:
    """As if the sprint ended with another day that is not over. Nothing but its end changes.

    Unlike `with_milestone_due`, it brings no start line into force.
    """
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


def _is_less(chance: float, level: float) -> bool:
    return chance < level - _TOLERANCE
