"""Measures each tenant's sprints and teams every night, and a repository when its past has been read."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import structlog

from bot.jobs.projection_jobs import refresh_all
from bot.jobs.sprint_measurement import SprintMeasurement
from bot.jobs.turns import spread_by_tenant
from sprints.burndown import measure_amount
from sprints.calendar import Calendar
from sprints.facts import Day
from sprints.plain import parse_days
from sprints.team import build_team_days
from storage.closed_sprints import ClosedSprints
from storage.database import Database, Tenant
from storage.flows import Flows
from storage.forecasts import ForecastGrade, Forecasts, OpenForecast
from storage.measures import Measures, load_team_settings, schedule_measurement
from storage.projects import Project, Projects
from storage.timeline import Timeline

# Local time after midnight, when the day before is over.
_TURN = time(1)
# Tenants are spread over this time after it, so that they are not all measured at the same time.
_SPREAD = timedelta(hours=1)
_AT_THE_LATEST = timedelta(days=1)
_TEAM_DAYS = 14
# A long past is measured in slices, so that neither memory nor the event loop is held by all of it.
_SLICE_DAYS = 28


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
                await self.measure(organization_id, project)
            except Exception:  # noqa: BLE001 - a bug with one repository stops no other; the next night tries again
                self._log.exception("measuring failed", organization=organization_id, project=project.id)
        async with self._database.tenant(organization_id) as tenant:
            calendar = (await load_team_settings(tenant)).rules.calendar
            await schedule_measurement(tenant, next_turn(now, calendar, organization_id))

    async def measure(self, organization_id: int, project: Project) -> None:
        """Measure one repository's sprints and people, and grade the forecasts of its sprints."""
        now = self._clock()
        await refresh_all(self._database, organization_id, project.id)
        await SprintMeasurement(self._database, organization_id, project, now).run()
        async with self._database.tenant(organization_id) as tenant:
            await _grade_forecasts(tenant, project, now)
            first = await _first_team_day(Measures(tenant, project.id), project.rules.calendar, now)
        yesterday = project.rules.calendar.day_of(now) - timedelta(days=1)
        while first is not None and first <= yesterday:
            last = min(first + timedelta(days=_SLICE_DAYS - 1), yesterday)
            async with self._database.tenant(organization_id) as tenant:
                await _measure_team(tenant, project, now, first, last)
            first = last + timedelta(days=1)


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


async def _measure_team(tenant: Tenant, project: Project, now: datetime, first: date, last: date) -> None:
    calendar = project.rules.calendar
    since, until = calendar.midnight(first), calendar.midnight(last + timedelta(days=1))
    flows = await Flows(tenant, project.alone).done_within(since, until, now)
    pushes = await Timeline(tenant).activity(project.id, "push", since, until)
    days = build_team_days(flows, pushes, now, calendar, first, last)
    await Measures(tenant, project.id).set_team(
        first, last, [person for day in days for person in day.people]
    )


async def _first_team_day(measures: Measures, calendar: Calendar, now: datetime) -> date | None:
    """The first day to measure: two weeks back, or the earliest day that newly arrived events are about.

    None if there is nothing to measure.
    """
    last = calendar.day_of(now) - timedelta(days=1)
    measured = await measures.last_team_day()
    since = calendar.midnight(measured) if measured else None
    first_event_at = await measures.first_event(recorded_since=since)
    days = [calendar.day_of(first_event_at)] if first_event_at else []
    if measured:
        days += [last - timedelta(days=_TEAM_DAYS - 1), measured + timedelta(days=1)]
    return min(days, default=None)
