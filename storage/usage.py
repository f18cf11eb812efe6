"""The usage ledger: how much of what an account used on which UTC day. What is charged for follows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Tenant
from storage.outbox import MessageKind
from storage.tables import clockwork, outbox, projects, usage_ledger

_FAILURE_SLOT = "error"
_UNCOUNTED = "usage that Stripe could not count"
_DROPPED = "usage that Stripe dropped"
_METERS_MISSING = "usage without a meter at Stripe"


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """How much was used on a day, and whether the seller's side has heard of it.

    `tried_at` is when it was first told, `refused` why it never will be.
    """

    metric: str
    period: date
    quantity: int
    tried_at: datetime | None = None
    reported_at: datetime | None = None
    refused: str | None = None


class Usage:
    """One tenant's ledger."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def add(self, metric: str, period: date, quantity: int) -> None:
        """Counts what leaves no other trace. A day that was told already is not counted up any more."""
        fresh = insert(usage_ledger).values(
            organization_id=self._organization_id, metric=metric, period=period, quantity=quantity
        )
        await self._connection.execute(
            fresh.on_conflict_do_update(
                index_elements=["organization_id", "metric", "period"],
                set_={"quantity": usage_ledger.c.quantity + fresh.excluded.quantity},
                where=usage_ledger.c.tried_at.is_(None),
            )
        )

    async def set(self, metric: str, period: date, quantity: int) -> None:
        """Writes down what was counted from other tables. What was told already stays as it was told."""
        fresh = insert(usage_ledger).values(
            organization_id=self._organization_id, metric=metric, period=period, quantity=quantity
        )
        await self._connection.execute(
            fresh.on_conflict_do_update(
                index_elements=["organization_id", "metric", "period"],
                set_={"quantity": fresh.excluded.quantity},
                where=usage_ledger.c.tried_at.is_(None),
            )
        )

    async def commands_answered(self, period: date) -> int:
        """The answers that were given, without refusals and failures."""
        return await self._count(
            select(func.count()).where(
                outbox.c.organization_id == self._organization_id,
                outbox.c.kind == MessageKind.REPLY,
                outbox.c.slot != _FAILURE_SLOT,
                *_within(outbox.c.created_at, period),
            )
        )

    async def projects_created(self, period: date) -> int:
        """The repositories that were added."""
        return await self._count(
            select(func.count()).where(
                projects.c.organization_id == self._organization_id,
                *_within(projects.c.created_at, period),
            )
        )

    async def since(self, first: date) -> list[UsageRecord]:
        """The ledger from a day on, the oldest day first."""
        return await self._read(usage_ledger.c.period >= first)

    async def unreported(self, before: date) -> list[UsageRecord]:
        """What was used before a day and has not been told, the oldest day first."""
        return await self._read(
            usage_ledger.c.period < before,
            usage_ledger.c.quantity > 0,
            usage_ledger.c.reported_at.is_(None),
            usage_ledger.c.refused.is_(None),
        )

    async def untaken(self) -> list[UsageRecord]:
        """What was told and not taken, or never will be."""
        is_tried = and_(usage_ledger.c.tried_at.is_not(None), usage_ledger.c.reported_at.is_(None))
        return await self._read(or_(is_tried, usage_ledger.c.refused.is_not(None)))

    async def note(self, used: UsageRecord, **values: object) -> None:
        """What became of telling it: tried_at, reported_at or refused."""
        await self._connection.execute(
            update(usage_ledger)
            .where(self._mine, usage_ledger.c.metric == used.metric, usage_ledger.c.period == used.period)
            .values(**values)
        )

    async def _read(self, *conditions: ColumnElement[bool]) -> list[UsageRecord]:
        query = (
            select(*(usage_ledger.c[name] for name in UsageRecord.__dataclass_fields__))
            .where(self._mine, *conditions)
            .order_by(usage_ledger.c.period, usage_ledger.c.metric)
        )
        return [UsageRecord(*row) for row in await self._connection.execute(query)]

    async def _count(self, query: object) -> int:
        return int(await self._connection.scalar(query) or 0)  # type: ignore[call-overload]

    @property
    def _mine(self) -> ColumnElement[bool]:
        return usage_ledger.c.organization_id == self._organization_id


@dataclass(frozen=True, slots=True)
class RejectedUsage:
    """Stripe's latest word that it could not count something that it had taken: no tenant is named in it."""

    event: str
    at: datetime


async def record_rejected_usage(connection: AsyncConnection, told: RejectedUsage) -> None:
    """Keeps it for `doctor`."""
    await _note(connection, _UNCOUNTED, {"event": told.event, "at": told.at.isoformat()})


async def last_rejected_usage(connection: AsyncConnection) -> RejectedUsage | None:
    """The latest, if there ever was one."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == _UNCOUNTED))
    return RejectedUsage(str(state["event"]), datetime.fromisoformat(state["at"])) if state else None


async def record_dropped_usage(connection: AsyncConnection, told: RejectedUsage) -> None:
    """Keep for `doctor` that Stripe dropped usage, because its event name has no meter."""
    await _note(connection, _DROPPED, {"event": told.event, "at": told.at.isoformat()})


async def last_dropped_usage(connection: AsyncConnection) -> RejectedUsage | None:
    """The latest event that said so, if there ever was one."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == _DROPPED))
    return RejectedUsage(str(state["event"]), datetime.fromisoformat(state["at"])) if state else None


@dataclass(frozen=True, slots=True)
class MissingMeter:
    """Stripe has no meter for usage: by which event name, and when that was last seen."""

    name: str
    at: datetime


async def record_missing_meter(connection: AsyncConnection, missing: MissingMeter | None) -> None:
    """Keep for `doctor` that a meter is missing; None: there is one for everything that is told."""
    await _note(
        connection,
        _METERS_MISSING,
        {"name": missing.name, "at": missing.at.isoformat()} if missing else {},
    )


async def last_missing_meter(connection: AsyncConnection) -> MissingMeter | None:
    """What was missing when it was last seen."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == _METERS_MISSING))
    return MissingMeter(str(state["name"]), datetime.fromisoformat(state["at"])) if state else None


async def _note(connection: AsyncConnection, name: str, state: dict[str, str]) -> None:
    fresh = insert(clockwork).values(name=name, state=state, updated_at=func.app_now())
    changed = {"state": fresh.excluded.state, "updated_at": fresh.excluded.updated_at}
    await connection.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=changed))


def total_quantity(used: Iterable[UsageRecord], metric: str) -> int:
    """All that was used of one thing."""
    return sum(one.quantity for one in used if one.metric == metric)


def _within(column: ColumnElement[datetime], day: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    start = datetime.combine(day, time(), UTC)
    return column >= start, column < start + timedelta(days=1)
