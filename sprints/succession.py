"""The succession of a team's sprints: which one comes next, what it is called, and when it takes place."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from statistics import median

from sprints.cadence import Cadence
from sprints.calendar import LAST_DAY, Calendar, working_days
from sprints.description import has_start_line
from sprints.milestone import Phase, Sprint
from sprints.sprint_titles import find_next_title, find_stem

FIRST_TITLE = "Sprint 1"
_DEFAULT_DAYS = 14
# The sprints whose length and weekdays are the usual ones.
_MOST_RECENT = 7
# A shorter sprint has no usual weekday for its end.
_A_WEEK = 7
_A_DAY = timedelta(days=1)
# The longest row of days off that a sprint's first or last day moves over.
_MOST_SKIPPED = 60


@dataclass(frozen=True, slots=True)
class TimeBox:
    """The first and the last day of a sprint."""

    first: date
    due: date


@dataclass(frozen=True)
class Succession:
    """The sprints of a team in their order, as of `now`.

    `planned_ahead` are GitHub's ids of the milestones that the cadence made. The series are the sprints that
    state their start, and those of the same name with a due date; where none states it, all with a due date.
    A milestone that is only a goal for later, such as a release, is no part of it.
    """

    sprints: Sequence[Sprint]
    now: datetime
    calendar: Calendar
    cadence: Cadence | None = None
    planned_ahead: Collection[int] = ()

    @property
    def today(self) -> date:
        return self.calendar.day_of(self.now)

    @cached_property
    def series(self) -> list[Sprint]:
        """The sprints of the series that are not deleted, in the order of their first days."""
        present = [sprint for sprint in self.sprints if not sprint.is_deleted]
        names = {find_stem(sprint.title) for sprint in present if self._is_stated(sprint)}
        members = [
            sprint
            for sprint in present
            if self._is_stated(sprint) or (sprint.due and (not names or find_stem(sprint.title) in names))
        ]
        return sorted(members, key=lambda sprint: (sprint.start, sprint.number))

    @cached_property
    def last_begun(self) -> Sprint | None:
        """The sprint that began last; without stated starts, the running one that ends first."""
        begun = [sprint for sprint in self.series if sprint.start <= self.now]
        if stated := [sprint for sprint in begun if self._is_stated(sprint)]:
            return stated[-1]
        running = [sprint for sprint in begun if not sprint.has_ended(self.now)]
        if running:
            return min(running, key=lambda sprint: (sprint.due or LAST_DAY, sprint.number))
        return max(begun, key=lambda sprint: (sprint.due or LAST_DAY, sprint.number), default=None)

    @cached_property
    def waiting(self) -> Sprint | None:
        """The milestone that is there for the next sprint: the planned one, or one of the next title."""
        planned = [sprint for sprint in self._list_open() if sprint.phase(self.now) is Phase.PLANNED]
        series = {sprint.milestone for sprint in self.series}
        if in_series := [sprint for sprint in planned if sprint.milestone in series]:
            return min(in_series, key=lambda sprint: (sprint.start, sprint.number))
        if self.last_begun is None:
            return None
        title = self._count_on(self.last_begun, self.propose_time_box().first, taken=())
        named = [
            sprint for sprint in self._list_open() if sprint.title.casefold() == (title or "").casefold()
        ]
        return next((sprint for sprint in named if not self._is_stated(sprint)), None)

    def propose_title(self, first: date) -> str | None:
        """The next free title of the series for a sprint from `first`; None if the last one has no number."""
        if self.last_begun is None:
            is_taken = any(sprint.title.casefold() == FIRST_TITLE.casefold() for sprint in self.sprints)
            return None if is_taken else FIRST_TITLE
        return self._count_on(self.last_begun, first, self._list_titles())

    def propose_time_box(self, first: date | None = None, due: date | None = None) -> TimeBox:
        """Complete the days of the next sprint: after the running one, as long as usual."""
        last = self.last_begun
        runs = last is not None and not last.has_ended(self.now)
        earliest = max(self.today, last.due + _A_DAY) if runs and last and last.due else self.today
        if first is None:
            first = self._choose_first(earliest)
            if due is not None and first > due:
                first = min(self.today, due)
        return TimeBox(first, due or self._choose_due(first))

    def plan_ahead(self) -> tuple[str, TimeBox] | None:
        """The sprint that the cadence makes now: its title and days. None if there is nothing to make.

        A sprint is made once the last one has begun, so that there is always the running one and the next.
        The days of one that was made ahead and then deleted or closed stay free.
        """
        begun = [sprint for sprint in self.series if sprint.start <= self.now and sprint.due]
        if self.cadence is None or not begun:
            return None
        last = max(begun, key=_order_by_due)
        made = (sprint for sprint in self.sprints if sprint.milestone in self.planned_ahead)
        latest = max([last, *made], key=_order_by_due)
        if self._has_next(last) or latest.first_day > self.today:  # A made one's days may be left free.
            return None
        first = self._choose_first(max(self.today, latest.due or latest.first_day) + _A_DAY)
        box = TimeBox(first, self._choose_due(first))
        title = self._count_on(last, first, self._list_ended_titles())
        if title is None or self._is_occupied(box, title):
            return None
        return title, box

    def list_overlapping(self, box: TimeBox, but: int | None = None) -> list[Sprint]:
        """The sprints of the series, `but` left out, that run or are planned on any of these days."""
        return [
            sprint
            for sprint in self.series
            if sprint.milestone != but
            and sprint.closed_at is None
            and not sprint.has_ended(self.now)
            and sprint.first_day <= box.due
            and (sprint.due is None or sprint.due >= box.first)
        ]

    @cached_property
    def usual_working_days(self) -> int | None:
        """The median of the working days of the last sprints; None if none has ended."""
        lengths = [
            len(working_days(self.calendar, sprint.first_day, sprint.due))
            for sprint in self._recent
            if sprint.due and sprint.has_ended(self.now)
        ]
        return round(median(lengths)) if lengths else None

    @property
    def _recent(self) -> list[Sprint]:
        """The last sprints that have begun, with a first day and a due date that follow each other."""
        begun = [s for s in self.series if s.start <= self.now and s.due and s.first_day <= s.due]
        return begun[-_MOST_RECENT:]

    def _is_stated(self, sprint: Sprint) -> bool:
        return has_start_line(sprint.description) or sprint.milestone in self.planned_ahead

    def _list_open(self) -> Iterator[Sprint]:
        last = self.last_begun.milestone if self.last_begun else None
        for sprint in self.sprints:
            is_open = not sprint.is_deleted and sprint.closed_at is None and not sprint.has_ended(self.now)
            if is_open and sprint.milestone != last:
                yield sprint

    def _list_titles(self) -> set[str]:
        return {sprint.title for sprint in self.sprints if not sprint.is_deleted}

    def _list_ended_titles(self) -> set[str]:
        """The titles of sprints that are over; an open milestone of the next title is the next sprint."""
        present = [sprint for sprint in self.sprints if not sprint.is_deleted]
        return {s.title for s in present if s.closed_at is not None or s.has_ended(self.now)}

    def _count_on(self, last: Sprint, first: date, taken: Collection[str]) -> str | None:
        return find_next_title(last.title, last.first_day, first, taken)

    def _has_next(self, last: Sprint) -> bool:
        """Whether the next sprint is there: a planned one, or one due after the running one."""
        if any(sprint.closed_at is None and sprint.first_day > self.today for sprint in self.series):
            return True
        running = [sprint for sprint in self.series if not sprint.has_ended(self.now)]
        return last in running and not self._is_stated(last) and len(running) > 1

    def _is_occupied(self, box: TimeBox, title: str) -> bool:
        """Whether another sprint has the title, or days of the time box, or comes after it."""
        if title.casefold() in {taken.casefold() for taken in self._list_titles()}:
            return True
        return any(sprint.due and sprint.due >= box.first for sprint in self.series)

    def _choose_first(self, earliest: date) -> date:
        """The first working day from `earliest` on; in a cadence with a weekday, from that weekday on.

        A sprint that could begin today does not wait for the weekday.
        """
        starts = self.cadence.starts if self.cadence else None
        if starts is not None and earliest > self.today:
            earliest += timedelta(days=(starts - earliest.weekday()) % 7)
        return _find_working_day(self.calendar, earliest, 1) or earliest

    def _choose_due(self, first: date) -> date:
        """The last working day of a sprint of the usual length, which ends on the usual weekday."""
        days = self.cadence.days if self.cadence else self._usual_days()
        due = first + timedelta(days=days - 1)
        weekday = self._choose_last_weekday()
        if weekday is not None and days >= _A_WEEK:
            due += timedelta(days=(weekday - due.weekday() + 3) % 7 - 3)
        due = min(due, LAST_DAY)
        working = _find_working_day(self.calendar, due, -1)
        return working if working and working >= first else max(due, first)

    def _usual_days(self) -> int:
        lengths = [(sprint.due - sprint.first_day).days + 1 for sprint in self._recent if sprint.due]
        return round(median(lengths)) if lengths else _DEFAULT_DAYS

    def _choose_last_weekday(self) -> int | None:
        """The weekday on which sprints end: the day before they begin by the cadence, else the usual one."""
        if self.cadence and self.cadence.starts is not None:
            return (self.cadence.starts - 1) % 7
        # Of equally frequent ones, the one that was first seen in the newest sprints.
        weekdays = Counter(sprint.due.weekday() for sprint in reversed(self._recent) if sprint.due)
        return weekdays.most_common(1)[0][0] if weekdays else None


def _order_by_due(sprint: Sprint) -> tuple[date, int]:
    return sprint.due or sprint.first_day, sprint.number


def _find_working_day(calendar: Calendar, day: date, step: int) -> date | None:
    """The nearest working day from `day` on, forwards or backwards; None if there is none for long."""
    for _ in range(_MOST_SKIPPED):
        if calendar.is_working_day(day):
            return day
        if day == LAST_DAY and step > 0:
            return None
        day += timedelta(days=step)
    return None
