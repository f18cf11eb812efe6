"""Measures the sprints of one repository: the figures of each of their days, and the snapshots of ended ones.

Sprints are folded from their whole history. So missed nights are made up for, and events that arrive late
correct the days of a sprint, until the snapshot of its numbers is taken (storage/closed_sprints.py). A sprint
whose snapshot is older than a week is settled: only its title, goal and dates are kept up to date.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import structlog

from bot.isolation import isolated
from sprints.calendar import Calendar
from sprints.facts import Day, Facts
from sprints.milestone import Sprint
from sprints.model import MilestoneEvent, sort_events
from sprints.plain import parse_days
from sprints.velocity import MOST_SPRINTS, SprintOutcome, compute_velocity
from storage.closed_sprints import ClosedSprint, ClosedSprints
from storage.database import Database, Tenant
from storage.measures import Measures, SprintDay
from storage.projects import Project
from storage.sprints import SprintNumbers, Sprints, select_ended
from storage.timeline import Timeline

# So many sprints are measured in one transaction, so that nobody waits for their rows for long.
_SLICE = 10
_SETTLED_AFTER = timedelta(days=7)


class SprintMeasurement:
    """Measures one repository's sprints as of a moment."""

    def __init__(self, database: Database, organization_id: int, project: Project, now: datetime) -> None:
        self._database = database
        self._organization_id = organization_id
        self._project = project
        self._now = now
        # By the end of the sprint and GitHub's id of its milestone.
        self._outcomes = dict[tuple[datetime, int], SprintOutcome]()
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Measure the sprints that are not settled, those that ended first first."""
        async with self._database.tenant(self._organization_id) as tenant:
            sprints = [s for s in await Sprints(tenant, self._project).all(self._now) if not s.repository]
            unsettled = await self._store_titles(tenant, sprints)
            await self._read_outcomes_before(tenant, sprints, unsettled)
        for first in range(0, len(unsettled), _SLICE):
            async with self._database.tenant(self._organization_id) as tenant:
                for sprint in unsettled[first : first + _SLICE]:
                    with isolated(
                        self._log, "sprint not measured", project=self._project.id, sprint=sprint.number
                    ):
                        await self._measure(tenant, sprint)

    async def _store_titles(self, tenant: Tenant, sprints: Sequence[Sprint]) -> list[Sprint]:
        """Store titles, goals, dates and phases. Returns the sprints to be measured, the oldest end first.

        A sprint that another repository leads is measured there.
        """
        measures = Measures(tenant, self._project.id)
        milestones = await Timeline(tenant).milestones(self._project.id)
        descriptions = {
            sprint.milestone: _description(milestones[sprint.milestone], self._now) for sprint in sprints
        }
        await measures.update_sprints(sprints, descriptions, self._now)
        taken = await ClosedSprints(tenant, {self._project.id}).list_taken()
        unsettled = [sprint for sprint in sprints if not _is_settled(sprint, taken, self._now)]
        return sorted(
            unsettled, key=lambda sprint: (sprint.end is None, sprint.end or self._now, sprint.milestone)
        )

    async def _read_outcomes_before(
        self, tenant: Tenant, sprints: Sequence[Sprint], unsettled: Sequence[Sprint]
    ) -> None:
        """Read the outcomes of settled sprints on which the velocities of the others' days are based."""
        settled = {sprint.milestone for sprint in sprints} - {sprint.milestone for sprint in unsettled}
        ended = select_ended(sprints, self._now)
        wanted = set[int]()
        for sprint in unsettled:
            before = [other for other in ended if other.end and other.end <= sprint.start]
            during = [
                other
                for other in ended
                if other.end and sprint.start < other.end <= (sprint.end or self._now)
            ]
            wanted |= {other.milestone for other in [*before[-MOST_SPRINTS:], *during]}
        for numbers in await Sprints(tenant, self._project).numbers_of(wanted & settled, self._now):
            self._add_outcome(numbers)

    def _add_outcome(self, numbers: SprintNumbers) -> None:
        outcome = numbers.outcome(self._now)
        if outcome is not None:
            self._outcomes[outcome.end, outcome.milestone] = outcome

    async def _measure(self, tenant: Tenant, sprint: Sprint) -> None:
        sprints, measures = Sprints(tenant, self._project), Measures(tenant, self._project.id)
        sprint_id = (await measures.sprint_ids())[sprint.milestone]
        numbers = await sprints.numbers_of_sprint(sprint, self._now)
        if numbers is None:  # It cannot be read; the log says why.
            return
        self._add_outcome(numbers)
        outcomes = list(self._outcomes.values())
        if isinstance(numbers.numbers, ClosedSprint):
            # Measured days are left alone; a day that was never measured is added from the snapshot.
            measured = await measures.days(sprint_id)
            dates = {row.date for row in measured}
            if missing := _missing_days(numbers.numbers, sprint.calendar, outcomes, dates):
                await measures.set_days(sprint_id, [*measured, *missing])
        else:
            await measures.set_days(sprint_id, _days_over(numbers.numbers, outcomes, self._now))
            # Takes the snapshot if it is time; from then on the sprint's days stay as they are.
            await sprints.closed(sprint.milestone, self._now)


def _is_settled(sprint: Sprint, taken: Mapping[int, tuple[datetime, datetime]], now: datetime) -> bool:
    """Whether the snapshot of a sprint's present end is old. `taken` has each one's end and time."""
    ended_at, taken_at = taken.get(sprint.milestone, (None, now))
    return ended_at == sprint.end and taken_at <= now - _SETTLED_AFTER


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
