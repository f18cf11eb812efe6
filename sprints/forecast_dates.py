"""Forecast dates of work, and amounts by a day: the sprint's forecast, evaluated for other due dates.

Work is done by a day with the same chance as a sprint that is due on that day is finished, and a part of the
open items with the chance that the amounts give. So a date contradicts neither the chance of the sprint nor
its fan. Definitions: docs/metrics.md, “Forecasts”.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import floor

from sprints.calendar import Calendar, latest_due, working_days
from sprints.fact_folding import compute_facts
from sprints.facts import Amount, Facts, sum_items
from sprints.forecast import Forecast, Refusal
from sprints.forecast_amounts import forecast_amount
from sprints.forecast_inputs import ForecastHistory
from sprints.milestone import Sprint
from sprints.numbering import split_number
from sprints.outlook import (
    Outlook,
    TrackRecord,
    build_histories,
    build_outlook,
    build_outlook_in_items,
)
from sprints.time_left import list_working_days_left
from sprints.what_if import with_items

LEVELS = (0.5, 0.85, 0.95)
# Higher numbers of items are reported as this many or more.
MOST_ITEMS = 10_000
_TOLERANCE = 1e-9
_NO_WORKING_DAY = Refusal("There is no forecast: the calendar has no working day within two years.")


@dataclass(frozen=True, slots=True)
class DateForecast:
    """The first working days by whose end the work is done with a chance of 50, 85 and 95 %.

    None: not within two years. `chance` is that of being done at all within them; `basis_sentence` names the
    data behind the forecast.
    """

    p50: date | None
    p85: date | None
    p95: date | None
    chance: float
    basis_sentence: str


@dataclass(frozen=True, slots=True)
class ItemForecast:
    """The most items that are done by a day with a chance of 50, 85 and 95 %.

    `chance_of_first` is the chance that any item is done by then, `days` the working days until then.
    """

    p50: int
    p85: int
    p95: int
    chance_of_first: float
    days: int
    basis_sentence: str


def forecast_dates(facts: Facts, past: TrackRecord, items: int | None = None) -> DateForecast | Refusal:
    """Forecast by when all open work of a sprint, or a number of items, is done, whatever its due date.

    Raises ValueError if nothing is open and no number of items is asked for.
    """
    if not (facts.remaining.count if items is None else items):
        raise ValueError("a date is forecast for at least one open item")
    days = _coming_days(facts)
    if not days:
        return _NO_WORKING_DAY
    forecaster = _DateForecaster(facts, past, build_histories(facts, past))
    items = facts.remaining.count if items is None else items
    first = forecaster.forecast(items, days[0])
    if isinstance(first, Refusal):
        return first

    def first_step(level: float, earliest: int) -> int:
        return find_first_true(lambda step: forecaster.is_done(items, days[step], level), earliest, len(days))

    steps, earliest = list[int](), 0
    for level in LEVELS:
        # If the work is not done by the last day, it is not done by any other.
        is_done_at_all = forecaster.is_done(items, days[-1], level)
        earliest = first_step(level, earliest) if is_done_at_all and earliest < len(days) else len(days)
        steps.append(earliest)
    p50, p85, p95 = (days[step] if step < len(days) else None for step in steps)
    return DateForecast(p50, p85, p95, forecaster.chance(items, days[-1]), first.basis_sentence)


def forecast_items(facts: Facts, past: TrackRecord, by: date) -> ItemForecast | Refusal:
    """Forecast how many items are done by the end of a day, up to `MOST_ITEMS`; open ones count first."""
    forecaster = _DateForecaster(facts, past, build_histories(facts, past))
    first = forecaster.forecast(1, by)
    if isinstance(first, Refusal):
        return first
    p50, p85, p95 = (forecaster.most_items(by, level) for level in LEVELS)
    days = working_days(facts.sprint.calendar, _first_day(facts), by)
    return ItemForecast(p50, p85, p95, forecaster.chance(1, by), len(days), first.basis_sentence)


class _DateForecaster:
    """The chances that numbers of items are done by a day, cached.

    The chance is that of a sprint with this number of open items, due on that day. Where more items are
    open, any of them may be done, so the chance is also that of the sprint's amounts.
    """

    def __init__(self, facts: Facts, past: TrackRecord, histories: Mapping[str, ForecastHistory]) -> None:
        self._facts, self._past, self._histories = facts, past, histories
        self._chances = dict[tuple[int, date], float]()
        self._amounts = dict[tuple[date, float], int]()

    def forecast(self, items: int, due: date) -> Forecast | Refusal:
        """Forecast a sprint with `items` open items that is due on a day."""
        outlook = self._outlook(items, due)
        return outlook.forecast() if isinstance(outlook, Outlook) else outlook

    def is_done(self, items: int, due: date, level: float) -> bool:
        """Return whether `items` items are done by a day with at least the chance `level` (0 to 1)."""
        if not _is_less(self._compute_chance_of_all(items, due), level):
            return True
        return items < self._facts.remaining.count and self._open_items_done(due, level) >= items

    def most_items(self, due: date, level: float) -> int:
        """Return the greatest number of items that are done by a day with the chance `level` (0 to 1)."""
        return find_first_true(lambda items: not self.is_done(items, due, level), 1, MOST_ITEMS + 1) - 1

    def chance(self, items: int, due: date) -> float:
        """Return the chance that `items` items are done by a day.

        A chance from amounts is in whole percent, rounded down.
        """
        chance = self._compute_chance_of_all(items, due)
        if items >= self._facts.remaining.count:
            return chance
        percent = find_first_true(lambda number: self._open_items_done(due, number / 100) < items, 1, 100) - 1
        return max(chance, percent / 100)

    def _compute_chance_of_all(self, items: int, due: date) -> float:
        """Return the chance to finish everything if `items` items were open."""
        if (items, due) not in self._chances:
            outlook = self._outlook(items, due)
            chance = outlook.chance() if isinstance(outlook, Outlook) else None
            self._chances[items, due] = chance or 0.0
        return self._chances[items, due]

    def _open_items_done(self, due: date, level: float) -> int:
        """Return how many open items are done by a day with this chance, by the amounts of the sprint."""
        if (due, level) not in self._amounts:
            self._amounts[due, level] = self._compute_amount(due, level)
        return self._amounts[due, level]

    def _compute_amount(self, due: date, level: float) -> int:
        chance = self._compute_chance_of_all(self._facts.remaining.count, due)
        dated = with_end_on(self._facts, due)
        if not list_working_days_left(dated.sprint, dated.as_of):
            return 0
        outlook = build_outlook_in_items(dated, self._past, self._histories)
        done = forecast_amount(outlook.now, outlook.history, outlook.seed, chance, 1 - level)
        return floor(done - outlook.now.done + _TOLERANCE)

    def _outlook(self, items: int, due: date) -> Outlook | Refusal:
        changed = with_end_on(with_open(self._facts, items), due)
        return build_outlook(changed, self._past, self._histories)


def with_open(facts: Facts, items: int) -> Facts:
    """Change the number of open items: the largest leave first, and added ones are not estimated."""
    still_open = facts.open_items
    added = items - len(still_open)
    if added > 0:
        # One item represents all added ones: only their number counts, and there may be ten thousand.
        facts = with_items(facts, [None])
        return replace(facts, scope=facts.scope + Amount(count=added - 1))
    # Unlike in `without_items`, items that the removed ones covered do not count again.
    largest_first = sorted(still_open, key=lambda item: (-(item.points or 0), split_number(item.number)))
    removed = set(largest_first[:-added]) if added else set()
    remaining_items = tuple(item for item in facts.items if item not in removed)
    return replace(facts, scope=facts.scope - sum_items(removed), items=remaining_items)


def restart_today(facts: Facts) -> Facts:
    """Turn a sprint's open work into a sprint that begins today and has no due date yet."""
    calendar = facts.sprint.calendar
    start = max(facts.sprint.start, calendar.midnight(calendar.day_of(facts.as_of)))
    sprint = replace(facts.sprint, start=start, committed_at=start, end=None, due=None)
    still_open = tuple(item for item in facts.items if item.state == "open")
    return replace(facts, sprint=sprint, scope=facts.remaining, done=Amount(), items=still_open)


def create_empty_sprint(calendar: Calendar, as_of: datetime) -> Facts:
    """Create an empty sprint that begins today, for questions about no particular sprint."""
    start = calendar.midnight(calendar.day_of(as_of))
    sprint = Sprint(0, 0, "", None, start, start, None, None, None, is_deleted=False, calendar=calendar)
    return compute_facts(sprint, {}, as_of)


def with_end_on(facts: Facts, due: date) -> Facts:
    """Move the end of a sprint to another day that is not over, and change nothing else.

    Unlike `with_milestone_due`, it ignores start lines.
    """
    calendar = facts.sprint.calendar
    end = calendar.next_midnight(calendar.midnight(due))
    return replace(facts, sprint=replace(facts.sprint, due=due, end=end))


def find_first_true(is_true: Callable[[int], bool], first: int, last: int) -> int:
    """Find the first number from `first` on for which a monotonic condition is true.

    `last` if it is true for none before; `last` itself is not evaluated. A near answer takes few evaluations.
    """
    width = 1
    while first < last:
        probed = min(first + width, last) - 1
        if is_true(probed):
            last = probed
            break
        first, width = probed + 1, width * 2
    while first < last:
        middle = (first + last) // 2
        if is_true(middle):
            last = middle
        else:
            first = middle + 1
    return first


def _coming_days(facts: Facts) -> Sequence[date]:
    """List the working days of the next two years on which the sprint may go on."""
    first = _first_day(facts)
    return working_days(facts.sprint.calendar, first, latest_due(first))


def _first_day(facts: Facts) -> date:
    return max(facts.sprint.calendar.day_of(facts.as_of), facts.sprint.first_day)


def _is_less(chance: float, level: float) -> bool:
    return chance < level - _TOLERANCE
