"""A sprint's time box: from a milestone's history to its start, end and title.

The rules are those of docs/metrics.md, "From start to end".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from sprints.calendar import (
    FIRST_DAY,
    LAST_DAY,
    MOST_SPRINT_DAYS,
    Calendar,
    earliest_start,
    is_in_range,
    latest_due,
)
from sprints.model import MilestoneEvent, sort_events

# The time after its end for which a sprint with an open milestone still counts as running late.
GRACE_AFTER_END = timedelta(days=3)

_START_LINE = re.compile(r"^[^\S\n]*start:[^\S\n]*(\d{4}-\d\d-\d\d)[^\S\n]*$", re.IGNORECASE | re.MULTILINE)
_GOAL_LINE = re.compile(r"^[^\S\n]*goal:[^\S\n]*(\S[^\n]*)$", re.IGNORECASE | re.MULTILINE)


class Phase(StrEnum):
    """The phase of a sprint at a moment."""

    PLANNED = "planned"
    ACTIVE = "active"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class DueMove:
    """A move of the due date on the local day `on`, while the sprint ran. None stands for no due date.

    Several moves on one day count as one.
    """

    on: date
    before: date | None
    after: date | None

    @property
    def slip(self) -> int | None:
        """Calendar days by which the date moved, positive for later; None if either date is missing."""
        return (self.after - self.before).days if self.after and self.before else None


@dataclass(frozen=True, slots=True)
class SprintPart:
    """The milestone of another repository in a sprint; `repository` is empty for the current one."""

    repository: str
    milestone: int
    number: int


@dataclass(frozen=True, slots=True)
class Sprint:
    """A milestone as a time box `[start, end)` of days in the team's time zone. Its instants are in UTC.

    `committed_at` is the moment whose scope is the commitment: the start or, for a milestone created on or
    after its start, the end of the local day on which it was created. `ignored_starts` are start lines that
    cannot be used, each with its reason; `ignored_due` is why the milestone's due date is ignored, empty if
    it counts. `due_moves` are the changes of the due date between commitment and end.

    Where a sprint spans repositories, its milestone is that of the first one, `repository` (empty: the
    current one), and `parts` are those of the others.
    """

    milestone: int
    number: int
    title: str
    goal: str | None
    start: datetime
    committed_at: datetime
    end: datetime | None
    due: date | None
    closed_at: datetime | None
    is_deleted: bool
    calendar: Calendar
    ignored_starts: tuple[str, ...] = ()
    ignored_due: str = ""
    due_moves: tuple[DueMove, ...] = ()
    description: str = ""
    repository: str = ""
    parts: tuple[SprintPart, ...] = ()

    @property
    def milestones(self) -> frozenset[int]:
        """GitHub's ids of its milestones in all of its repositories."""
        return frozenset({self.milestone, *(part.milestone for part in self.parts)})

    def number_in(self, repository: str = "") -> int | None:
        """Return the number of its milestone in a repository (empty: the current one), or None."""
        numbers = {self.repository: self.number} | {part.repository: part.number for part in self.parts}
        return numbers.get(repository)

    @property
    def first_day(self) -> date:
        """The local day on which it starts."""
        return self.calendar.day_of(self.start)

    @property
    def last_day(self) -> date | None:
        """The last local day that belongs to it, if only in part."""
        return self._day_before(self.end) if self.end else None

    @property
    def commitment_day(self) -> date:
        """The local day that ends with the commitment, or contains it."""
        return self._day_before(self.committed_at)

    def has_begun(self, moment: datetime) -> bool:
        """Whether anything could have happened in it before a moment: at its very start it has not begun."""
        return moment > self.start

    def has_ended(self, moment: datetime) -> bool:
        return self.end is not None and moment >= self.end

    def _day_before(self, moment: datetime) -> date:
        """Return the local day that ends at a moment, if it is midnight; else the day that contains it."""
        return self.calendar.day_of(moment - timedelta(microseconds=1))

    def phase(self, moment: datetime) -> Phase:
        """Return its phase: completed once closed after its end, or three days after its end."""
        if self.end is not None and moment >= self.end:
            is_grace_over = moment >= self.end + GRACE_AFTER_END
            if is_grace_over or (self.closed_at is not None and self.closed_at <= moment):
                return Phase.COMPLETED
            return Phase.ACTIVE
        return Phase.PLANNED if moment < self.start else Phase.ACTIVE

    def is_due_before_start(self) -> bool:
        return self.end is not None and self.end <= self.start


def derive_sprint(events: Sequence[MilestoneEvent], as_of: datetime, calendar: Calendar) -> Sprint:
    """Derive a sprint from one milestone's events, as far as they happened before `as_of`.

    Raises ValueError without any event.
    """
    relevant = _relevant_events(events, as_of)
    latest = relevant[-1]
    created_at = min(event.created_at for event in relevant)
    closed_at, is_deleted = _closing(relevant)
    created_on = calendar.day_of(created_at)
    due = _due(latest.due_on)
    end = _end(due, closed_at, calendar)
    start_day, ignored = _start_day(relevant, due, end, created_on)
    last_possible = latest_due(start_day or created_on)
    ignored_due = _why_due_is_ignored(latest.due_on, last_possible)
    if due and ignored_due:
        due = None
        end = _end(due, closed_at, calendar)
    start = calendar.midnight(start_day) if start_day else created_at.astimezone(UTC)
    committed_at = calendar.next_midnight(created_at) if created_at >= start else start
    return Sprint(
        milestone=latest.milestone,
        number=latest.number,
        title=latest.title,
        goal=find_goal(latest.description),
        start=start,
        committed_at=committed_at,
        end=end,
        due=due,
        closed_at=closed_at,
        is_deleted=is_deleted,
        calendar=calendar,
        ignored_starts=ignored,
        ignored_due=ignored_due,
        due_moves=_due_moves(relevant, committed_at, end, calendar, last_possible),
        description=_lines(latest.description),
    )


def _relevant_events(events: Sequence[MilestoneEvent], as_of: datetime) -> list[MilestoneEvent]:
    """Select the milestone's own events before a moment, and observations from before the first of them.

    Without any before the moment, it is the first event of all.
    """
    ordered = sort_events(events)
    if not ordered:
        raise ValueError("a sprint needs at least one event of its milestone")
    own = [event for event in ordered if event.event != "observed"]
    if own and own[0].before and own[0].event == "edited":
        # The values that the first edit replaced were valid until then.
        own.insert(0, _before_edit(own[0], own[0].before))
    observed = [event for event in ordered if event.event == "observed" and (not own or event.at < own[0].at)]
    selected = observed + own
    return [event for event in selected if event.at < as_of] or selected[:1]


def _before_edit(edit: MilestoneEvent, before: Mapping[str, object]) -> MilestoneEvent:
    """Return the milestone as it was before an edit."""
    previous = replace(edit, event="observed", at=min(edit.created_at, edit.at), before=None)
    if "title" in before:
        previous = replace(previous, title=str(before["title"]))
    if "description" in before:
        previous = replace(previous, description=str(before["description"] or ""))
    if "due_on" in before:
        previous = replace(previous, due_on=parse_github_time(before["due_on"]))
    return previous


def parse_github_time(value: object) -> datetime | None:
    """Parse a time as GitHub writes it. Invalid times become None, so that they break no numbers."""
    try:
        moment = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _closing(events: Sequence[MilestoneEvent]) -> tuple[datetime | None, bool]:
    """Return when the milestone was closed, if it still is, and whether it was deleted."""
    closed_at = events[0].closed_at
    for event in events:
        if event.event == "deleted":
            return closed_at or event.closed_at or event.at, True
        if event.event == "closed":
            closed_at = event.closed_at or event.at
        elif event.event == "opened":
            closed_at = None
        elif event.event in {"observed", "corrected"}:
            closed_at = event.closed_at
    return closed_at, False


def _due(due_on: datetime | None) -> date | None:
    """Return the due day that people picked: the UTC date of the moment that GitHub stores.

    None without a due date, or for one outside the supported years.
    """
    try:
        day = due_on.astimezone(UTC).date() if due_on else None
    except OverflowError:  # The last hours of the year 9999 or the first ones of the year 1, in another zone.
        return None
    return day if day and is_in_range(day) else None


def _why_due_is_ignored(due_on: datetime | None, last_possible: date) -> str:
    """Explain why a due date is ignored and what to do; empty if it counts or there is none."""
    if due_on is None:
        return ""
    due = _due(due_on)
    if due is None:
        # The day is out of range; its year tells on which side.
        direction = "a later" if due_on.year <= FIRST_DAY.year else "an earlier"
        return (
            f"The due date, {due_on.date().isoformat()}, lies outside the years {FIRST_DAY.year} to "
            f"{LAST_DAY.year}, so it counts as none. Give the milestone {direction} due date."
        )
    if due > last_possible:
        return (
            f"The due date, {due.isoformat()}, lies more than two years after the start, so it counts as "
            f"none. Give the milestone a due date up to {last_possible.isoformat()}, or a line "
            f"`Start: {earliest_start(due).isoformat()}` or later."
        )
    return ""


def _end(due: date | None, closed_at: datetime | None, calendar: Calendar) -> datetime | None:
    ends = [closed_at.astimezone(UTC)] if closed_at else []
    if due:
        ends.append(calendar.midnight(due + timedelta(days=1)))
    return min(ends, default=None)


def _due_moves(
    events: Sequence[MilestoneEvent],
    committed_at: datetime,
    end: datetime | None,
    calendar: Calendar,
    last_possible: date,
) -> tuple[DueMove, ...]:
    """List the moves of the due date between the commitment and the end.

    Moves before the commitment are planning, those after the end change nothing that is over. A due date
    after `last_possible` counts as none.
    """
    moves: dict[date, DueMove] = {}
    days = [day if (day := _due(event.due_on)) and day <= last_possible else None for event in events]
    for (old_due, new_due), event in zip(pairwise(days), events[1:], strict=True):
        if old_due != new_due and event.at >= committed_at and (end is None or event.at < end):
            on = calendar.day_of(event.at)
            moves[on] = DueMove(on, moves[on].before if on in moves else old_due, new_due)
    return tuple(move for move in moves.values() if move.before != move.after)


def _start_day(
    events: Sequence[MilestoneEvent], due: date | None, end: datetime | None, created_on: date
) -> tuple[date | None, tuple[str, ...]]:
    """Return the latest start day stated before the sprint's end, and the ignored start lines."""
    day, ignored = None, list[str]()
    for event in events:
        if end is not None and event.at >= end and event is not events[0]:
            break
        match = _START_LINE.search(_lines(event.description))
        if not match:
            continue
        try:
            stated_start = date.fromisoformat(match[1])
        except ValueError:
            reason = f"“Start: {match[1]}” is not a date in the calendar"
        else:
            problem = _why_start_is_ignored(stated_start, due, created_on)
            if not problem:
                day = stated_start
                ignored.clear()
                continue
            reason = f"“Start: {match[1]}” {problem}"
        if reason not in ignored:
            ignored.append(reason)
    return day, tuple(ignored)


def _why_start_is_ignored(stated_start: date, due: date | None, created_on: date) -> str:
    """Explain why a stated start cannot be used; empty if it can."""
    if not is_in_range(stated_start):
        return f"lies outside the years {FIRST_DAY.year} to {LAST_DAY.year}"
    if (created_on - stated_start).days >= MOST_SPRINT_DAYS:
        return "lies more than two years before the milestone was made"
    if due is not None and stated_start > due:
        return f"lies after the due date, {due.isoformat()}"
    return ""


def find_goal(description: str | None) -> str | None:
    """Find the goal in a milestone's description."""
    match = _GOAL_LINE.search(_lines(description))
    return match[1].rstrip() if match else None


def _lines(description: str | None) -> str:
    return (description or "").replace("\r\n", "\n").replace("\r", "\n")
