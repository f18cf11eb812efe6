"""Measures each tenant's sprints and teams every night.

Sprints are folded from their whole history. So nights that were missed are caught up with, and what became
known late corrects the days of a sprint, until its numbers are taken for good (storage/closed_sprints.py).
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import structlog
from structlog.typing import FilteringBoundLogger

from bot.isolation import isolated
from sprints.burndown import measure
from sprints.calendar import Calendar
from sprints.facts import Day, Facts
from sprints.flow import flows_of
from sprints.model import MilestoneEvent, in_order
from sprints.plain import days_of
from sprints.team import team_days
from sprints.velocity import Outcome, velocity
from storage.closed_sprints import ClosedSprint, ClosedSprints
from storage.database import Database, Tenant
from storage.forecasts import ForecastGrade, Forecasts, OpenForecast
from storage.measures import Measures, SprintDay, schedule_measurement, settings_of
from storage.projects import Project, Projects
from storage.sprints import Sprints
from storage.timeline import Timeline

_TURN = time(1)  # After midnight, when all of the day before has happened.
_SPREAD_SECONDS = 3600
_TEAM_DAYS = 14


class DailyFigures:
    """Writes down what the fold gives for each day that is over."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int) -> None:
        """Measures one tenant's repositories, and settles when it is its turn again."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            projects = await Projects(tenant).active()
        for project in projects:
            try:
                async with self._database.tenant(organization_id) as tenant:
                    await _measure_sprints(tenant, project, now, self._log)
                    await _grade_forecasts(tenant, project, now)
                    await _measure_team(tenant, project, now)
            except Exception:  # noqa: BLE001 - a bad repository stops no other, and has its turn tomorrow
                self._log.exception("measuring failed", organization=organization_id, project=project.id)
        async with self._database.tenant(organization_id) as tenant:
            calendar = (await settings_of(tenant)).rules.calendar
            await schedule_measurement(tenant, next_turn(now, calendar, organization_id))


def next_turn(now: datetime, calendar: Calendar, organization_id: int) -> datetime:
    """The next time between 01:00 and 02:00 at the tenant's, always the same minute of the hour.

    Where the clocks skip that hour, it is the one after it.
    """
    digest = hashlib.sha256(str(organization_id).encode()).digest()
    spread = timedelta(seconds=int.from_bytes(digest[:8], "big") % _SPREAD_SECONDS)
    day = calendar.local(now).date()
    while True:
        # Added in UTC, because a wall clock may be set back on the way.
        turn = calendar.instant(day, _TURN) + spread
        if turn > now:
            return turn
        day += timedelta(days=1)


async def _measure_sprints(
    tenant: Tenant, project: Project, now: datetime, log: FilteringBoundLogger
) -> None:
    measures = Measures(tenant, project.id)
    ids = await measures.sprint_ids()
    sprints = Sprints(tenant, project)
    milestones = await Timeline(tenant).milestones(project.id)
    # A sprint that another repository leads is measured there.
    numbers = [one for one in await sprints.numbers(now) if not one.sprint.repository]
    outcomes = [outcome for one in numbers if (outcome := one.outcome(now))]
    for one in numbers:
        sprint = one.sprint
        with isolated(log, "sprint not measured", project=project.id, sprint=sprint.number):
            sprint_id = ids[sprint.milestone]
            description = _description_at(milestones[sprint.milestone], now)
            await measures.update_sprint(sprint_id, sprint, description, now)
            if isinstance(one.numbers, ClosedSprint):
                # They are left alone; only a day that nobody has measured is added, as it was taken.
                known = await measures.days(sprint_id)
                missing = _missing_days(one.numbers, sprint.calendar, outcomes, {row.date for row in known})
                if missing:
                    await measures.set_days(sprint_id, [*known, *missing])
            else:
                await measures.set_days(sprint_id, _ended_days(one.numbers, outcomes, now))
                # Once its numbers are taken, which is done here if it is time, its days stay as well.
                await sprints.closed(sprint.milestone, now)


async def _grade_forecasts(tenant: Tenant, project: Project, now: datetime) -> None:
    """Forecasts of sprints whose numbers are taken, by these."""
    forecasts = Forecasts(tenant, project.id)
    open_ones = await forecasts.ungraded()
    taken = await ClosedSprints(tenant, {project.id}).latest_of({one.milestone for one in open_ones})
    grades = [
        (one, grade_of(one, days_of(closed.facts, project.rules.calendar)))
        for one in open_ones
        if (closed := taken.get(one.milestone)) and closed.ended_at > one.shown_at
    ]
    await forecasts.grade(grades, now)


def grade_of(told: OpenForecast, days: Sequence[Day]) -> ForecastGrade:
    """What came of a forecast: whether as much as was in the sprint then was done at its end, and when."""
    done = [(day.date, measure(day.done, told.unit)) for day in days]
    delivered = done[-1][1] if done else Decimal(0)
    is_finished = delivered >= told.scope
    finished_on = next((day for day, amount in done if amount >= told.scope), None) if is_finished else None
    return ForecastGrade(told.id, is_finished, delivered, finished_on)


def _ended_days(facts: Facts, outcomes: Sequence[Outcome], now: datetime) -> list[SprintDay]:
    """The local days that are over. The last may be one on which the sprint ended before midnight."""
    calendar = facts.sprint.calendar
    ends = [(day, calendar.midnight(day.date + timedelta(days=1))) for day in facts.days]
    return [_sprint_day(day, outcomes, end) for day, end in ends if end <= now]


def _missing_days(
    closed: ClosedSprint, calendar: Calendar, outcomes: Sequence[Outcome], known: Collection[date]
) -> list[SprintDay]:
    """The days of a sprint whose numbers were taken before all of them had been measured."""
    days = days_of(closed.facts, calendar)
    return [_sprint_day(day, outcomes, day.at) for day in days if day.date not in known]


def _sprint_day(day: Day, outcomes: Iterable[Outcome], end: datetime) -> SprintDay:
    return SprintDay(
        date=day.date,
        total_points=day.scope.points,
        completed_points=day.done.points,
        remaining_points=day.remaining.points,
        total_issues=day.scope.count,
        completed_issues=day.done.count,
        team_velocity=velocity((one for one in outcomes if one.end < end), "points").median,
    )


def _description_at(events: Iterable[MilestoneEvent], now: datetime) -> str | None:
    """As the milestone's own events tell it, or what others showed of it."""
    told = in_order(event for event in events if event.at < now)
    own = [event for event in told if event.event != "observed"]
    latest = (own or told)[-1:]
    return latest[0].description if latest else None


async def _measure_team(tenant: Tenant, project: Project, now: datetime) -> None:
    measures, timeline, rules = Measures(tenant, project.id), Timeline(tenant), project.rules
    calendar = rules.calendar
    last = calendar.day_of(now) - timedelta(days=1)
    first = await _first_team_day(measures, calendar, last)
    if first is None or first > last:
        return
    items = await timeline.items_since(project.id, calendar.midnight(first))
    flows = flows_of(items, now, rules, await timeline.labels(project.id))
    pushes = await timeline.activity(project.id, "push", calendar.midnight(first), now)
    days = team_days(flows, pushes, now, calendar, first, last)
    await measures.set_team(first, last, [one for day in days for one in day.people])


async def _first_team_day(measures: Measures, calendar: Calendar, last: date) -> date | None:
    """Two weeks back, or as far as something has become known since the last day that was measured."""
    measured = await measures.last_team_day()
    since = calendar.midnight(measured) if measured else None
    begun = await measures.first_event(recorded_since=since)
    days = [calendar.day_of(begun)] if begun else []
    if measured:
        days += [last - timedelta(days=_TEAM_DAYS - 1), measured + timedelta(days=1)]
    return min(days, default=None)
