"""Daily measurements: the state of a sprint at the end of each day, and the work of each person."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sprints.milestone import Sprint
from sprints.settings_parser import parse_settings
from sprints.team import PersonDay, WorkCounts
from sprints.team_settings import TeamSettings
from storage.database import Tenant
from storage.tables import (
    daily_metrics,
    organization_members,
    organizations,
    sprints,
    team_metrics,
    timeline,
)


@dataclass(frozen=True, slots=True)
class SprintDay:
    """A row of daily_metrics. `team_velocity` is in points per sprint, and None with too few sprints."""

    date: date
    total_points: Decimal
    completed_points: Decimal
    remaining_points: Decimal
    total_issues: int
    completed_issues: int
    team_velocity: Decimal | None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A row of team_metrics. Without a user it sums the work of all people unknown to the tenant."""

    date: date
    user_id: int | None
    commits_count: int
    issues_closed: int
    points_completed: Decimal
    pull_requests: int


_DAY = tuple(SprintDay.__dataclass_fields__)
_WORK = ("issue", "pull_request", "push")
_TEAM = tuple(TeamRow.__dataclass_fields__)


class Measures:
    """The daily measurements of one repository."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._project_id = project_id

    async def sprint_ids(self) -> dict[int, int]:
        """The ids of the sprints by GitHub's ids of their milestones."""
        query = select(sprints.c.github_milestone_id, sprints.c.id).where(*self._mine(sprints))
        return {row[0]: row[1] for row in await self._connection.execute(query)}

    async def update_sprints(
        self, changed: Iterable[Sprint], descriptions: Mapping[int, str | None], now: datetime
    ) -> None:
        """Store the title, goal, dates and phase of sprints as they are now, where these have changed.

        `descriptions` are those of the milestones, by GitHub's ids.
        """
        names = ("name", "description", "goal", "start_date", "end_date", "status")
        columns = (sprints.c[name] for name in ("github_milestone_id", *names))
        query = select(*columns).where(*self._mine(sprints))
        stored = {row[0]: tuple(row[1:]) for row in await self._connection.execute(query)}
        for sprint in changed:
            values = (
                *(sprint.title, descriptions[sprint.milestone], sprint.goal),
                *(sprint.first_day, sprint.last_day, sprint.phase(now).value),
            )
            if stored.get(sprint.milestone) != values:
                await self._connection.execute(
                    update(sprints)
                    .where(*self._mine(sprints), sprints.c.github_milestone_id == sprint.milestone)
                    .values(dict(zip(names, values, strict=True)))
                )

    async def days(self, sprint_id: int) -> list[SprintDay]:
        """The measured days of a sprint, oldest first."""
        query = (
            select(*(daily_metrics.c[name] for name in _DAY))
            .where(*self._mine(daily_metrics), daily_metrics.c.sprint_id == sprint_id)
            .order_by(daily_metrics.c.date)
        )
        return [SprintDay(*row) for row in await self._connection.execute(query)]

    async def set_days(self, sprint_id: int, rows: Iterable[SprintDay]) -> None:
        """Replace the measured days of a sprint by `rows`; rows that are equal already are not written."""
        desired = {row.date: row for row in rows}
        stored = {row.date: row for row in await self.days(sprint_id)}
        if obsolete := stored.keys() - desired.keys():
            await self._connection.execute(
                delete(daily_metrics)
                .where(*self._mine(daily_metrics), daily_metrics.c.sprint_id == sprint_id)
                .where(daily_metrics.c.date.in_(obsolete))
            )
        changed = [row for day, row in desired.items() if stored.get(day) != row]
        await self._upsert(
            daily_metrics, ("sprint_id", "date"), [asdict(row) | {"sprint_id": sprint_id} for row in changed]
        )

    async def team(self, day: date) -> list[TeamRow]:
        """The work of a day by person, unknown people last."""
        return await self._team(team_metrics.c.date == day)

    async def last_team_day(self) -> date | None:
        """The last day with measured work; None if there is none."""
        query = select(func.max(team_metrics.c.date)).where(*self._mine(team_metrics))
        newest: date | None = await self._connection.scalar(query)
        return newest

    async def first_event(self, recorded_since: datetime | None = None) -> datetime | None:
        """Return the time of the first work, or of the first recorded since a moment; None without any."""
        is_work = (*self._mine(timeline), timeline.c.kind.in_(_WORK))
        query = select(func.min(timeline.c.at)).where(*is_work)
        if recorded_since:
            # Materialized: otherwise all events are read in the order of their times, until one was recorded
            # since then, which a whole history may precede.
            recorded = select(timeline.c.at).where(*is_work, timeline.c.created_at >= recorded_since)
            query = select(func.min(recorded.cte().prefix_with("materialized").c.at))
        first: datetime | None = await self._connection.scalar(query)
        return first

    async def set_team(self, date_from: date, date_to: date, rows: Iterable[PersonDay]) -> None:
        """Replace the work from `date_from` to `date_to`, both included, by `rows`."""
        desired = await self._by_user(rows)
        within = team_metrics.c.date.between(date_from, date_to)
        stored = {(row.date, row.user_id): row for row in await self._team(within)}
        for day, user_id in stored.keys() - desired.keys():
            await self._connection.execute(
                delete(team_metrics)
                .where(*self._mine(team_metrics), team_metrics.c.date == day)
                .where(team_metrics.c.user_id.is_not_distinct_from(user_id))
            )
        changed = [asdict(row) for key, row in desired.items() if stored.get(key) != row]
        await self._upsert(team_metrics, ("user_id", "date"), changed)

    async def _by_user(self, rows: Iterable[PersonDay]) -> dict[tuple[date, int | None], TeamRow]:
        # A login that two people had, one after the other, belongs to the one who was seen with it last.
        query = (
            select(func.lower(organization_members.c.login), organization_members.c.user_id)
            .where(organization_members.c.organization_id == self._organization_id)
            .order_by(organization_members.c.login_seen_at, organization_members.c.user_id)
        )
        ids = {row[0]: row[1] for row in await self._connection.execute(query)}
        sums = dict[tuple[date, int | None], WorkCounts]()
        for row in rows:
            key = row.date, ids.get(row.login.lower())
            sums[key] = sums.get(key, WorkCounts()) + row.work
        return {
            (day, user_id): TeamRow(
                day, user_id, work.commits, work.issues_closed, work.points_completed, work.pull_requests
            )
            for (day, user_id), work in sums.items()
        }

    async def _team(self, condition: ColumnElement[bool]) -> list[TeamRow]:
        query = (
            select(*(team_metrics.c[name] for name in _TEAM))
            .where(*self._mine(team_metrics), condition)
            .order_by(team_metrics.c.date, team_metrics.c.user_id.nulls_last())
        )
        return [TeamRow(*row) for row in await self._connection.execute(query)]

    async def _upsert(self, table: Any, key: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        fresh = insert(table)
        statement = fresh.on_conflict_do_update(
            index_elements=["organization_id", "project_id", *key],
            set_={name: fresh.excluded[name] for name in rows[0] if name not in key},
        )
        key_values = {"organization_id": self._organization_id, "project_id": self._project_id}
        await self._connection.execute(statement, [row | key_values for row in rows])

    def _mine(self, table: Any) -> tuple[ColumnElement[bool], ...]:
        return table.c.organization_id == self._organization_id, table.c.project_id == self._project_id


async def load_team_settings(tenant: Tenant) -> TeamSettings:
    """The tenant's own settings, which apply to all repositories without settings of their own."""
    query = select(organizations.c.settings).where(organizations.c.id == tenant.organization_id)
    return parse_settings(await tenant.connection.scalar(query) or {})


async def schedule_measurement(tenant: Tenant, at: datetime) -> None:
    """Set when the tenant is measured next."""
    await tenant.connection.execute(
        update(organizations).where(organizations.c.id == tenant.organization_id).values(next_measure_at=at)
    )
