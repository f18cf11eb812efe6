"""The work done on each day, by person, and sums over a team that never show the work of one or two people.

It is kept by person so that everybody can see their own days and a team its sums. Nothing here adds up a
person's days or ranks people: the caller decides who may see what. GitHub shows everybody's work, but figures
by person invite to compare people. So there are sums only of at least three people, and only where the rest
of the people are at least three, too.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sprints.calendar import Calendar, days_between
from sprints.durations import select_done
from sprints.estimates import Points
from sprints.flow import Flow
from sprints.model import ActivityEvent
from sprints.people import is_person

_ZERO = Decimal(0)
NOBODY = ""
LEAST_PEOPLE = 3


@dataclass(frozen=True, slots=True)
class WorkCounts:
    """Counts of finished work. Pull requests count when merged, even where an issue covers their work."""

    issues_closed: int = 0
    points_completed: Points = _ZERO
    pull_requests: int = 0
    commits: int = 0

    def __add__(self, other: "WorkCounts") -> "WorkCounts":
        return WorkCounts(
            self.issues_closed + other.issues_closed,
            self.points_completed + other.points_completed,
            self.pull_requests + other.pull_requests,
            self.commits + other.commits,
        )


@dataclass(frozen=True, slots=True)
class PersonDay:
    """The work of one person on one local day. `login` is empty for work of an unknown person."""

    date: date
    login: str
    work: WorkCounts


@dataclass(frozen=True, slots=True)
class TeamDay:
    """One local day of a team. Each total is exactly the sum over `people`, who are sorted by login."""

    date: date
    people: tuple[PersonDay, ...] = ()

    @property
    def total(self) -> WorkCounts:
        return sum((person_day.work for person_day in self.people), WorkCounts())


@dataclass(frozen=True, slots=True)
class TeamSum:
    """The work of a team on some days; `people` is how many contributed, without bots."""

    people: int
    work: WorkCounts


def build_team_days(
    flows: Iterable[Flow],
    activity: Iterable[ActivityEvent],
    as_of: datetime,
    calendar: Calendar,
    first: date,
    last: date,
) -> tuple[TeamDay, ...]:
    """Add up the work of each local day from `first` to `last`, both included, from events before `as_of`.

    `flows` are those as of `as_of`; `activity` are the events of the same repository. An item and its points
    belong to its owner (`find_owner`), a merged pull request to its author, a commit on the default branch to
    its author. Reopened work counts on the day on which it was last done.
    """
    done = select_done(flows, first, last, calendar)
    entries = [*_item_days(done, calendar), *_push_days(activity, as_of, calendar)]
    work_by_day: dict[date, dict[str, WorkCounts]] = {day: {} for day in days_between(first, last)}
    # GitHub's logins ignore case: all spellings of a login are one person.
    spelling = {entry.login.lower(): entry.login for entry in entries}
    for entry in entries:
        if (people := work_by_day.get(entry.date)) is not None:
            login = spelling[entry.login.lower()]
            people[login] = people.get(login, WorkCounts()) + entry.work
    return tuple(
        TeamDay(day, tuple(PersonDay(day, login, people[login]) for login in sorted(people)))
        for day, people in work_by_day.items()
    )


def find_owner(flow: Flow) -> str:
    """Return whose work a done item is: its first assignee's when it was done, else that of who closed it."""
    return flow.assignee_at_done or flow.closed_by or NOBODY


def list_people(days: Iterable[TeamDay]) -> frozenset[str]:
    """List the logins, in lower case, of all people who did something, without bots."""
    logins = {entry.login.lower() for day in days for entry in day.people if entry.work != WorkCounts()}
    return frozenset(filter(is_person, logins))


def sum_team(days: Iterable[TeamDay], members: Collection[str] | None = None) -> TeamSum | None:
    """Add up the work of the people in `members` (lower case), or all work without `members`.

    None if fewer than three people did it, or if it would reveal the work of one or two others. Work of bots
    and of an unknown person belongs to no team, and to the sum of all work.
    """
    days = list(days)
    everybody = list_people(days)
    team = everybody if members is None else everybody & frozenset(members)
    others = everybody - team
    if len(team) < LEAST_PEOPLE or 0 < len(others) < LEAST_PEOPLE:
        return None
    entries = [entry for day in days for entry in day.people]
    work = [entry.work for entry in entries if members is None or entry.login.lower() in team]
    return TeamSum(len(team), sum(work, WorkCounts()))


def _item_days(done: Iterable[Flow], calendar: Calendar) -> Iterator[PersonDay]:
    for flow in done:
        if flow.done_at is None:
            continue
        day = calendar.day_of(flow.done_at)
        if flow.is_pull_request:
            yield PersonDay(day, flow.author or NOBODY, WorkCounts(pull_requests=1))
        if not flow.is_covered:
            issues = 0 if flow.is_pull_request else 1
            yield PersonDay(day, find_owner(flow), WorkCounts(issues, flow.points or _ZERO))


def _push_days(activity: Iterable[ActivityEvent], as_of: datetime, calendar: Calendar) -> Iterator[PersonDay]:
    pushes = {
        (event.subject, event.event, event.at): event
        for event in activity
        if event.kind == "push" and event.at < as_of
    }
    for event in pushes.values():
        counts = event.details.get("commits")
        commits: Counter[str] = Counter()
        for login, count in (counts if isinstance(counts, Mapping) else {}).items():
            if isinstance(count, int):
                commits[str(login)] += count
        for login, count in commits.items():
            yield PersonDay(calendar.day_of(event.at), login, WorkCounts(commits=count))
