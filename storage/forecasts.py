"""The record of forecasts that people were shown, and of their outcomes.

A forecast is stored together with the message that carries it, an answer or a post, and counts once GitHub
has accepted that version of the message. Versions that were overwritten, refused or never sent do not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sprints.forecast_wording import round_to_tenths
from storage.database import Tenant
from storage.tables import forecasts, sprints


@dataclass(frozen=True, slots=True)
class ForecastRecord:
    """A forecast of the sprint with GitHub's id `milestone`, as a message shows it.

    `scope` is the size of the sprint at that time, `low` to `high` the 80 % band of what will be delivered,
    all in `unit`. `likely_date` is the day by which the sprint is done with a chance of 85 %.
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
class OpenForecast:
    """A forecast that has not been graded. `shown_at` is when GitHub accepted the message that carries it."""

    id: int
    milestone: int
    shown_at: datetime
    unit: str
    scope: Decimal
    chance: Decimal


@dataclass(frozen=True, slots=True)
class ForecastGrade:
    """The outcome of a forecast: whether the scope of that time was finished, and how much was delivered."""

    id: int
    is_finished: bool
    delivered: Decimal
    finished_on: date | None


@dataclass(frozen=True, slots=True)
class GradedForecast:
    """A forecast with its outcome."""

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


_STORED_FIELDS = tuple(name for name in ForecastRecord.__dataclass_fields__ if name != "milestone")


def answer_carrier(event_id: int, position: int) -> str:
    """Name a message of the outbox by the event that it answers and its position among the answers."""
    return f"answer:{event_id}/{position}"


def post_carrier(project_id: int, key: str, digest: str) -> str:
    """Name one version of a post by its digest: another text is another message."""
    return f"post:{project_id}:{key}:{digest}"


async def mark_shown(tenant: Tenant, carrier: str, at: datetime) -> None:
    """Mark the forecasts of a message as shown, because GitHub has accepted the message."""
    await tenant.connection.execute(
        update(forecasts)
        .where(forecasts.c.organization_id == tenant.organization_id, forecasts.c.carrier == carrier)
        .where(forecasts.c.shown_at.is_(None))
        .values(shown_at=at)
    )


class Forecasts:
    """The recorded forecasts of one repository."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._project_id = project_id

    async def record(self, carrier: str, predictions: Iterable[ForecastRecord]) -> None:
        """Record the forecasts of a message to be sent, unless one of the same day was shown."""
        for prediction in predictions:
            values = {name: getattr(prediction, name) for name in _STORED_FIELDS}
            sprint_id = await self._connection.scalar(
                select(sprints.c.id).where(
                    *self._is_mine, sprints.c.github_milestone_id == prediction.milestone
                )
            )
            if sprint_id is None or await self._has_shown(sprint_id, prediction.made_at):
                continue
            await self._connection.execute(
                insert(forecasts).values(
                    organization_id=self._organization_id, sprint_id=sprint_id, carrier=carrier, **values
                )
            )

    async def ungraded(self) -> list[OpenForecast]:
        """The forecasts that count and have not been graded yet."""
        first = self._first_of_each_day()
        query = select(first).where(first.c.graded_at.is_(None)).order_by(first.c.id)
        return [
            OpenForecast(row.id, row.github_milestone_id, row.first_shown_at, row.unit, row.scope, row.chance)
            for row in await self._connection.execute(query)
        ]

    async def grade(self, grades: Iterable[tuple[OpenForecast, ForecastGrade]], at: datetime) -> None:
        """Store the outcomes of forecasts, each once, and count them in the calibration of all tenants."""
        for forecast, grade in grades:
            changed = await self._connection.scalar(
                update(forecasts)
                .where(forecasts.c.organization_id == self._organization_id, forecasts.c.id == forecast.id)
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
                values = {"tenth": round_to_tenths(float(forecast.chance)), "is_true": grade.is_finished}
                await self._connection.execute(_COUNT, values)

    async def graded(self) -> list[GradedForecast]:
        """The graded forecasts, in the order in which they were made."""
        first = self._first_of_each_day()
        query = select(first).where(first.c.graded_at.is_not(None)).order_by(first.c.made_at, first.c.id)
        return [
            GradedForecast(
                milestone=row.github_milestone_id,
                made_at=row.made_at,
                share_elapsed=float(row.share_elapsed),
                chance=float(row.chance),
                low=float(row.low),
                high=float(row.high),
                delivered=float(row.delivered),
                is_finished=row.is_finished,
                likely_date=row.likely_date,
                finished_on=row.finished_on,
            )
            for row in await self._connection.execute(query)
        ]

    def _first_of_each_day(self) -> Subquery:
        """The first forecast of each sprint and day that was shown, so that frequent askers weigh no more."""
        query: Select[Any] = (
            select(sprints.c.github_milestone_id, _SHOWN_AT.label("first_shown_at"), forecasts)
            .join(sprints, _SAME_SPRINT)
            .where(*self._is_mine, _COUNTS)
            .ext(distinct_on(forecasts.c.sprint_id, _DAY))
            .order_by(forecasts.c.sprint_id, _DAY, _SHOWN_AT, forecasts.c.id)
        )
        return query.subquery()

    async def _has_shown(self, sprint_id: int, made_at: datetime) -> bool:
        """Whether a forecast of a sprint was shown on the UTC day of a moment."""
        query = (
            select(forecasts.c.id)
            .where(forecasts.c.organization_id == self._organization_id, forecasts.c.sprint_id == sprint_id)
            .where(_COUNTS, _DAY.is_not_distinct_from(made_at.astimezone(UTC).date()))
            .limit(1)
        )
        return await self._connection.scalar(query) is not None

    @property
    def _is_mine(self) -> tuple[ColumnElement[bool], ...]:
        return (
            sprints.c.organization_id == self._organization_id,
            sprints.c.project_id == self._project_id,
        )


_SAME_SPRINT = (sprints.c.organization_id == forecasts.c.organization_id) & (
    sprints.c.id == forecasts.c.sprint_id
)
# Rows of earlier versions have no carrier. They count as shown at the time at which they were made.
_SHOWN_AT = case((forecasts.c.carrier.is_(None), forecasts.c.made_at), else_=forecasts.c.shown_at)
_DAY = cast(func.timezone("UTC", forecasts.c.made_at), Date)
# A chance of 1 says that all is done, and one of 0 that no time is left: these are facts, not forecasts.
_COUNTS = and_(
    or_(forecasts.c.carrier.is_(None), forecasts.c.shown_at.is_not(None)),
    forecasts.c.chance > 0,
    forecasts.c.chance < 1,
)
_COUNT = text("select grade_for_all(cast(:tenth as smallint), :is_true)")
