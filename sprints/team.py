"""What was done on each day, and by whom.

It is kept by person so that everybody can see their own days and a team its sums. Nothing here adds up a
person's days or puts people in an order: whom it may be shown to is for the caller to decide.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sprints.calendar import Calendar, days_between
from sprints.durations import done_within
from sprints.estimates import Points
from sprints.flow import Flow
from sprints.model import ActivityEvent

_ZERO = Decimal(0)
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What was done. Pull requests are counted when merged, and also where an issue tells their work."""

    issues_closed: int = 0
    points_completed: Points = _ZERO
    pull_requests: int = 0
    commits: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.issues_closed + other.issues_closed,
            self.points_completed + other.points_completed,
            self.pull_requests + other.pull_requests,
            self.commits + other.commits,
        )


@dataclass(frozen=True, slots=True)
class PersonDay:
    """What one person did on one local day. `login` is empty for work that belongs to nobody."""

    date: date
    login: str
    work: Work


@dataclass(frozen=True, slots=True)
class TeamDay:
    """One local day of a team. Each total is exactly the sum over `people`, who stand by name."""

    date: date
    people: tuple[PersonDay, ...] = ()

    @property
    def total(self) -> Work:
        return sum((one.work for one in self.people), Work())


def team_days(
    flows: Iterable[Flow],
    activity: Iterable[ActivityEvent],
    as_of: datetime,
    calendar: Calendar,
    first: date,
    last: date,
) -> tuple[TeamDay, ...]:
    """Each local day from `first` to `last`, both included, as far as it is known before `as_of`.

    `flows` are those as of `as_of`; `activity` is what happened in the same repository. An item and its
    points belong to `owner_of` it, a merged pull request to its author, a commit on the default branch to
    its author. What was done again after a re-opening counts on the day on which it was last done.
    """
    done = done_within(flows, first, last, calendar)
    entries = [*_of_items(done, calendar), *_of_pushes(activity, as_of, calendar)]
    found: dict[date, dict[str, Work]] = {day: {} for day in days_between(first, last)}
    # GitHub's logins have no case: a person is one, however a login is spelled.
    spelling = {one.login.lower(): one.login for one in entries}
    for one in entries:
        if (people := found.get(one.date)) is not None:
            login = spelling[one.login.lower()]
            people[login] = people.get(login, Work()) + one.work
    return tuple(
        TeamDay(day, tuple(PersonDay(day, login, people[login]) for login in sorted(people)))
        for day, people in found.items()
    )


def owner_of(flow: Flow) -> str:
    """Whose a done item is: its first assignee's when it was done, else that of whoever closed it."""
    return flow.assignee_at_done or flow.closed_by or NOBODY


def days_of(login: str, days: Iterable[TeamDay]) -> tuple[PersonDay, ...]:
    """One person's own days, those without any work included."""
    wanted = login.lower()  # GitHub's logins have no case.
    return tuple(
        PersonDay(day.date, login, sum((p.work for p in day.people if p.login.lower() == wanted), Work()))
        for day in days
    )


def _of_items(done: Iterable[Flow], calendar: Calendar) -> Iterator[PersonDay]:
    for flow in done:
        if flow.done_at is None:
            continue
        day = calendar.day_of(flow.done_at)
        if flow.is_pull_request:
            yield PersonDay(day, flow.author or NOBODY, Work(pull_requests=1))
        if not flow.is_covered:
            issues = 0 if flow.is_pull_request else 1
            yield PersonDay(day, owner_of(flow), Work(issues, flow.points or _ZERO))


def _of_pushes(activity: Iterable[ActivityEvent], as_of: datetime, calendar: Calendar) -> Iterator[PersonDay]:
    pushes = {
        (event.subject, event.event, event.at): event
        for event in activity
        if event.kind == "push" and event.at < as_of
    }
    for event in pushes.values():
        told = event.details.get("commits")
        commits: Counter[str] = Counter()
        for login, count in (told if isinstance(told, Mapping) else {}).items():
            if isinstance(count, int):
                commits[str(login)] += count
        for login, count in commits.items():
            yield PersonDay(calendar.day_of(event.at), login, Work(commits=count))
