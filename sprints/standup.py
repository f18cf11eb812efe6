"""A team's standup: what each person has in progress, events since the last working day, and what waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sprints.calendar import Calendar
from sprints.durations import Age, measure_ages
from sprints.flow import Flow
from sprints.numbering import split_number
from sprints.people import is_person
from sprints.reviews import ReviewRequest, ReviewWait
from sprints.wip import list_accounts

# After a longer break, the standup covers yesterday only.
_LONGEST_BREAK = 60


@dataclass(frozen=True, slots=True)
class PersonAtWork:
    """What one person has in progress, the oldest first, and the reviews that the person is asked for."""

    login: str
    ages: tuple[Age, ...] = ()
    reviews: tuple[ReviewRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Standup:
    """The standup since the beginning of the local day `since`.

    Items in `done` are not repeated in `started`. `blocked` are the open items that are blocked now, the
    longest first; `paused` the items that were set aside since then, and still are. `people` are those who
    have work in progress or are asked for a review, by name; `unassigned` is work in progress that nobody
    owns, `of_bots` such that only Apps own.
    """

    since: date
    done: tuple[Flow, ...] = ()
    started: tuple[Flow, ...] = ()
    paused: tuple[Flow, ...] = ()
    blocked: tuple[Flow, ...] = ()
    waiting: tuple[ReviewWait, ...] = ()
    people: tuple[PersonAtWork, ...] = ()
    unassigned: tuple[Age, ...] = ()
    of_bots: tuple[Age, ...] = ()


def find_last_working_day(calendar: Calendar, today: date) -> date:
    """Return the last working day before today; yesterday if there was none for two months."""
    days = (today - timedelta(days=n) for n in range(1, _LONGEST_BREAK + 1))
    return next((day for day in days if calendar.is_working_day(day)), today - timedelta(days=1))


def build_standup(
    flows: Iterable[Flow],
    waiting: Sequence[ReviewWait],
    now: datetime,
    calendar: Calendar,
    requests: Sequence[ReviewRequest] = (),
) -> Standup:
    """Build the standup from flows and reviews as of `now`. Items that others cover do not count."""
    day = find_last_working_day(calendar, calendar.day_of(now))
    since = calendar.midnight(day)
    counted = [flow for flow in flows if not flow.is_covered]
    in_progress = [flow for flow in counted if flow.is_in_progress and flow.started_at]
    ages = measure_ages(in_progress, now, calendar)
    accounts = {age.flow.item: list_accounts(age.flow) for age in ages}
    return Standup(
        day,
        done=_sort_by_time(
            (flow.done_at, flow) for flow in counted if flow.done_at and flow.done_at >= since
        ),
        started=_sort_by_time(
            (flow.started_at, flow)
            for flow in in_progress
            if flow.is_start_dated and flow.started_at and flow.started_at >= since
        ),
        paused=_sort_by_time(
            (flow.pauses[-1].span.since, flow)
            for flow in counted
            if flow.is_paused and flow.pauses[-1].span.since >= since
        ),
        blocked=list_blocked(counted),
        waiting=tuple(waiting),
        people=_group_by_person(ages, requests),
        unassigned=tuple(age for age in ages if not accounts[age.flow.item]),
        of_bots=tuple(age for age in ages if accounts[age.flow.item] and not _list_people(age.flow)),
    )


def _group_by_person(ages: Iterable[Age], requests: Iterable[ReviewRequest]) -> tuple[PersonAtWork, ...]:
    """Group work by its owners, in the order of their names: a standup ranks nobody."""
    people = dict[str, PersonAtWork]()

    def person(login: str) -> PersonAtWork:
        return people.setdefault(login.lower(), PersonAtWork(login))

    for age in ages:
        for login in _list_people(age.flow):
            owner = person(login)
            people[login.lower()] = replace(owner, ages=(*owner.ages, age))
    for request in requests:
        if is_person(request.reviewer):
            reviewer = person(request.reviewer)
            people[request.reviewer.lower()] = replace(reviewer, reviews=(*reviewer.reviews, request))
    return tuple(people[name] for name in sorted(people))


def _list_people(flow: Flow) -> list[str]:
    return [login for login in list_accounts(flow) if is_person(login)]


def list_blocked(flows: Iterable[Flow]) -> tuple[Flow, ...]:
    """List the blocked items, the longest blocked first."""
    return _sort_by_time(
        (min(block.span.since for block in blocks), flow)
        for flow in flows
        if not flow.is_covered and (blocks := flow.open_blocks)
    )


def _sort_by_time(timed_flows: Iterable[tuple[datetime, Flow]]) -> tuple[Flow, ...]:
    by_time = sorted(timed_flows, key=lambda timed: (timed[0], split_number(timed[1].number)))
    return tuple(flow for _, flow in by_time)
