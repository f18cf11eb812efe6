"""Measures each tenant's sprints and teams every night.

Sprints are folded from their whole history. So missed nights are made up for, and events that arrive late
correct the days of a sprint, until the snapshot of its numbers is taken (storage/closed_sprints.py).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import structlog
from structlog.typing import FilteringBoundLogger

from bot.isolation import isolated
from bot.jobs.turns import spread_by_tenant
from sprints.burndown import measure_amount
from sprints.calendar import Calendar
from sprints.facts import Day, Facts
from sprints.model import MilestoneEvent, sort_events
from sprints.plain import parse_days
from sprints.team import build_team_days
from sprints.velocity import SprintOutcome, compute_velocity
from storage.closed_sprints import ClosedSprint, ClosedSprints
from storage.database import Database, Tenant
from storage.flows import Flows
from storage.forecasts import ForecastGrade, Forecasts, OpenForecast
from storage.measures import Measures, SprintDay, load_team_settings, schedule_measurement
from storage.projects import Project, Projects
from storage.sprints import Sprints
from storage.timeline import Timeline

# Local time after midnight, when the day before is over.
_TURN = time(1)
# Tenants are spread over this time after it, so that they are not all measured at the same time.
_SPREAD = timedelta(hours=1)
_AT_THE_LATEST = timedelta(days=1)
_TEAM_DAYS = 14


class DailyFigures:
    """Stores the figures of each day that is over."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int) -> None:
        """Measure one tenant's repositories, and schedule the next measurement."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            # Whatever fails below: the tenant must not stay among those that are the longest overdue.
            await schedule_measurement(tenant, now + _AT_THE_LATEST)
        async with self._database.tenant(organization_id) as tenant:
            projects = await Projects(tenant).active()
        for project in projects:
            try:
                async with self._database.tenant(organization_id) as tenant:
                    await _measure_sprints(tenant, project, now, self._log)
                    await _grade_forecasts(tenant, project, now)
                    await _measure_team(tenant, project, now)
            except Exception:  # noqa: BLE001 - a bug with one repository stops no other; the next night tries again
                self._log.exception("measuring failed", organization=organization_id, project=project.id)
        async with self._database.tenant(organization_id) as tenant:
            calendar = (await load_team_settings(tenant)).rules.calendar
            await schedule_measurement(tenant, next_turn(now, calendar, organization_id))


def next_turn(now: datetime, calendar: Calendar, organization_id: int) -> datetime:
    """The tenant's next turn: between 01:00 and 02:00 in its zone, always at the same minute of the hour.

    When clocks skip that hour in spring, the turn is in the hour after it.
    """
    spread = spread_by_tenant(organization_id, _SPREAD)
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
    own = [numbers for numbers in await sprints.numbers(now) if not numbers.sprint.repository]
    outcomes = [outcome for numbers in own if (outcome := numbers.outcome(now))]
    for numbers in own:
        sprint = numbers.sprint
        with isolated(log, "sprint not measured", project=project.id, sprint=sprint.number):
            sprint_id = ids[sprint.milestone]
            description = _description(milestones[sprint.milestone], now)
            await measures.update_sprint(sprint_id, sprint, description, now)
            if isinstance(numbers.numbers, ClosedSprint):
                # Measured days are left alone; a day that was never measured is added from the snapshot.
                measured = await measures.days(sprint_id)
                dates = {row.date for row in measured}
                missing = _missing_days(numbers.numbers, sprint.calendar, outcomes, dates)
                if missing:
                    await measures.set_days(sprint_id, [*measured, *missing])
            else:
                await measures.set_days(sprint_id, _days_over(numbers.numbers, outcomes, now))
                # Takes the snapshot if it is time; from then on the sprint's days stay as they are.
                await sprints.closed(sprint.milestone, now)


async def _grade_forecasts(tenant: Tenant, project: Project, now: datetime) -> None:
    """Grade the forecasts of closed sprints by the sprints' snapshots."""
    forecasts = Forecasts(tenant, project.id)
    ungraded = await forecasts.ungraded()
    milestones = {forecast.milestone for forecast in ungraded}
    snapshots = await ClosedSprints(tenant, {project.id}).latest_of(milestones)
    grades = [
        (forecast, grade_forecast(forecast, parse_days(closed.facts, project.rules.calendar)))
        for forecast in ungraded
        if (closed := snapshots.get(forecast.milestone)) and closed.ended_at > forecast.shown_at
    ]
    await forecasts.grade(grades, now)


def grade_forecast(forecast: OpenForecast, days: Sequence[Day]) -> ForecastGrade:
    """Grade a forecast: whether the scope that the sprint had then was done at its end, and on which day."""
    done = [(day.date, measure_amount(day.done, forecast.unit)) for day in days]
    delivered = done[-1][1] if done else Decimal(0)
    is_finished = delivered >= forecast.scope
    finished_on = (
        next((day for day, amount in done if amount >= forecast.scope), None) if is_finished else None
    )
    return ForecastGrade(forecast.id, is_finished, delivered, finished_on)


def _days_over(facts: Facts, outcomes: Sequence[SprintOutcome], now: datetime) -> list[SprintDay]:
    """The local days that are over, and the sprint's last day even if it ended before midnight."""
    calendar = facts.sprint.calendar
    ends = [(day, calendar.midnight(day.date + timedelta(days=1))) for day in facts.days]
    return [_row(day, outcomes, end) for day, end in ends if end <= now]


def _missing_days(
    closed: ClosedSprint, calendar: Calendar, outcomes: Sequence[SprintOutcome], measured: Collection[date]
) -> list[SprintDay]:
    """The days of a closed sprint that had not been measured when its snapshot was taken."""
    days = parse_days(closed.facts, calendar)
    return [_row(day, outcomes, day.at) for day in days if day.date not in measured]


def _row(day: Day, outcomes: Iterable[SprintOutcome], end: datetime) -> SprintDay:
    return SprintDay(
        date=day.date,
        total_points=day.scope.points,
        completed_points=day.done.points,
        remaining_points=day.remaining.points,
        total_issues=day.scope.count,
        completed_issues=day.done.count,
        team_velocity=compute_velocity(
            (outcome for outcome in outcomes if outcome.end < end), "points"
        ).median,
    )


def _description(events: Iterable[MilestoneEvent], now: datetime) -> str | None:
    """A milestone's description by its own latest event, or by the latest event of an item in it."""
    past = sort_events(event for event in events if event.at < now)
    own = [event for event in past if event.event != "observed"]
    latest = (own or past)[-1:]
    return latest[0].description if latest else None


async def _measure_team(tenant: Tenant, project: Project, now: datetime) -> None:
    measures, timeline, rules = Measures(tenant, project.id), Timeline(tenant), project.rules
    calendar = rules.calendar
    last = calendar.day_of(now) - timedelta(days=1)
    first = await _first_team_day(measures, calendar, last)
    if first is None or first > last:
        return
    flows = await Flows(tenant, project.alone).moved(calendar.midnight(first), now)
    pushes = await timeline.activity(project.id, "push", calendar.midnight(first), now)
    days = build_team_days(flows, pushes, now, calendar, first, last)
    await measures.set_team(first, last, [person for day in days for person in day.people])


async def _first_team_day(measures: Measures, calendar: Calendar, last: date) -> date | None:
    """The first day to measure: two weeks back, or the earliest day that newly arrived events are about.

    None if there is nothing to measure.
    """
    measured = await measures.last_team_day()
    since = calendar.midnight(measured) if measured else None
    first_event_at = await measures.first_event(recorded_since=since)
    days = [calendar.day_of(first_event_at)] if first_event_at else []
    if measured:
        days += [last - timedelta(days=_TEAM_DAYS - 1), measured + timedelta(days=1)]
    return min(days, default=None)
