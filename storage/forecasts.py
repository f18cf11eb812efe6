"""Every forecast that was shown, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sprints.forecast_words import tenths
from storage.database import Tenant
from storage.tables import calibration, forecasts, sprints


@dataclass(frozen=True, slots=True)
class Foretold:
    """One forecast of the sprint with GitHub's id `milestone`, as it was shown.

    `scope` is what was in it then, `low` to `high` the 80 % band of what is delivered, all in `unit`.
    `likely_date` is the day by which it is done in 85 % of futures.
    """

    milestone: int
    made_at: datetime
    shown_in: str
    unit: str
    share_elapsed: float
    scope: float
    chance: float
    low: float
    expected: float
    high: float
    basis: str
    likely_date: date | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A forecast that has not been graded."""

    id: int
    milestone: int
    made_at: datetime
    unit: str
    scope: Decimal
    chance: Decimal


@dataclass(frozen=True, slots=True)
class Grade:
    """What came of a forecast: whether all that was in the sprint then was done, and how much was."""

    id: int
    is_finished: bool
    delivered: Decimal
    finished_on: date | None


@dataclass(frozen=True, slots=True)
class Graded:
    """A forecast with its grade."""

    milestone: int
    made_at: datetime
    share_elapsed: float
    chance: float
    low: float
    high: float
    delivered: float
    is_finished: bool
    likely_date: date | None
    finished_on: date | None


_OPEN = ("id", "made_at", "unit", "scope", "chance")
_GRADED = tuple(name for name in Graded.__dataclass_fields__ if name != "milestone")


class Forecasts:
    """The forecasts of one repository."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._project_id = project_id

    async def put(self, told: Iterable[Foretold]) -> None:
        """Keeps what was shown."""
        for one in told:
            values = {
                name: getattr(one, name) for name in Foretold.__dataclass_fields__ if name != "milestone"
            }
            sprint_id = await self._connection.scalar(
                select(sprints.c.id).where(*self._mine, sprints.c.github_milestone_id == one.milestone)
            )
            if sprint_id is not None:
                await self._connection.execute(
                    insert(forecasts).values(
                        organization_id=self._organization_id, sprint_id=sprint_id, **values
                    )
                )

    async def open(self) -> list[Open]:
        """What has not been graded yet."""
        query = (
            select(sprints.c.github_milestone_id, *(forecasts.c[name] for name in _OPEN))
            .join(sprints, _SAME_SPRINT)
            .where(*self._mine, forecasts.c.graded_at.is_(None))
            .order_by(forecasts.c.id)
        )
        rows = await self._connection.execute(query)
        return [Open(row.id, row.github_milestone_id, *row[2:]) for row in rows]

    async def grade(self, grades: Iterable[tuple[Open, Grade]], at: datetime) -> None:
        """Writes down what came of forecasts, each once, and counts it for all tenants."""
        for told, grade in grades:
            changed = await self._connection.scalar(
                update(forecasts)
                .where(forecasts.c.organization_id == self._organization_id, forecasts.c.id == told.id)
                .where(forecasts.c.graded_at.is_(None))
                .values(
                    is_finished=grade.is_finished,
                    delivered=grade.delivered,
                    finished_on=grade.finished_on,
                    graded_at=at,
                )
                .returning(forecasts.c.id)
            )
            if changed is not None:
                values = {"tenth": tenths(float(told.chance)), "is_true": grade.is_finished}
                await self._connection.execute(_COUNT, values)

    async def graded(self) -> list[Graded]:
        """The first forecast of each sprint and day, so that who asks often does not weigh more."""
        day = func.date_trunc("day", forecasts.c.made_at)
        first = (
            select(sprints.c.github_milestone_id, *(forecasts.c[name] for name in _GRADED))
            .join(sprints, _SAME_SPRINT)
            .where(*self._mine, forecasts.c.graded_at.is_not(None))
            .ext(distinct_on(forecasts.c.sprint_id, day))
            .order_by(forecasts.c.sprint_id, day, forecasts.c.id)
        )
        numbers = ("share_elapsed", "chance", "low", "high", "delivered")
        found = []
        for row in await self._connection.execute(first):
            told = row._asdict()
            told["milestone"] = told.pop("github_milestone_id")
            found.append(Graded(**told | {name: float(told[name]) for name in numbers}))
        return sorted(found, key=lambda one: one.made_at)

    async def overall(self) -> dict[int, tuple[int, int]]:
        """Over all tenants, by the tenth that was said: how many forecasts, and how many came true."""
        rows = await self._connection.execute(select(calibration))
        return {row.tenth: (row.shown, row.came_true) for row in rows}

    @property
    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return (
            sprints.c.organization_id == self._organization_id,
            sprints.c.project_id == self._project_id,
        )


_SAME_SPRINT = (sprints.c.organization_id == forecasts.c.organization_id) & (
    sprints.c.id == forecasts.c.sprint_id
)
_COUNT = text("select grade_for_all(cast(:tenth as smallint), :is_true)")
