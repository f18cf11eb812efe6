"""The usage ledger: an account's usage on each UTC day, the basis of charges for usage."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Tenant
from storage.outbox import ERROR_SLOT, MessageKind
from storage.tables import clockwork, outbox, projects, usage_ledger

_UNCOUNTED = "usage that Stripe could not count"
_DROPPED = "usage that Stripe dropped"
_METERS_MISSING = "usage without a meter at Stripe"


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """The quantity of a metric on one UTC day, and whether it was reported to Stripe.

    `tried_at` is when it was first sent, `reported_at` when Stripe confirmed it, and `refused` why it
    never will be reported.
    """

    metric: str
    period: date
    quantity: int
    tried_at: datetime | None = None
    reported_at: datetime | None = None
    refused: str | None = None


class Usage:
    """The usage ledger of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def add(self, metric: str, period: date, quantity: int) -> None:
        """Add to the quantity of a day that leaves no other trace. A day that was sent does not change."""
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
        """Set the quantity of a day, counted from other tables. A day that was sent does not change."""
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
        """Count the commands answered on a day, without refusals and failures."""
        return await self._count(
            select(func.count()).where(
                outbox.c.organization_id == self._organization_id,
                outbox.c.kind == MessageKind.REPLY,
                ~outbox.c.slot.startswith(ERROR_SLOT),
                *_within(outbox.c.created_at, period),
            )
        )

    async def projects_created(self, period: date) -> int:
        """Count the repositories added on a day."""
        return await self._count(
            select(func.count()).where(
                projects.c.organization_id == self._organization_id,
                *_within(projects.c.created_at, period),
            )
        )

    async def since(self, first: date) -> list[UsageRecord]:
        """The records from a day on, the oldest day first."""
        return await self._read(usage_ledger.c.period >= first)

    async def unreported(self, before: date) -> list[UsageRecord]:
        """The records before a day that have not been reported, the oldest day first."""
        return await self._read(
            usage_ledger.c.period < before,
            usage_ledger.c.quantity > 0,
            usage_ledger.c.reported_at.is_(None),
            usage_ledger.c.refused.is_(None),
        )

    async def unconfirmed(self) -> list[UsageRecord]:
        """The records that were sent without confirmation, or refused."""
        is_tried = and_(usage_ledger.c.tried_at.is_not(None), usage_ledger.c.reported_at.is_(None))
        return await self._read(or_(is_tried, usage_ledger.c.refused.is_not(None)))

    async def update(self, record: UsageRecord, **values: object) -> None:
        """Update `tried_at`, `reported_at` or `refused` of a record."""
        await self._connection.execute(
            update(usage_ledger)
            .where(
                self._is_mine, usage_ledger.c.metric == record.metric, usage_ledger.c.period == record.period
            )
            .values(**values)
        )

    async def _read(self, *conditions: ColumnElement[bool]) -> list[UsageRecord]:
        query = (
            select(*(usage_ledger.c[name] for name in UsageRecord.__dataclass_fields__))
            .where(self._is_mine, *conditions)
            .order_by(usage_ledger.c.period, usage_ledger.c.metric)
        )
        return [UsageRecord(*row) for row in await self._connection.execute(query)]

    async def _count(self, query: object) -> int:
        return int(await self._connection.scalar(query) or 0)  # type: ignore[call-overload]

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return usage_ledger.c.organization_id == self._organization_id


@dataclass(frozen=True, slots=True)
class RejectedUsage:
    """Stripe's event that it could not count usage it had accepted; the event names no tenant."""

    event: str
    at: datetime


async def record_rejected_usage(connection: AsyncConnection, usage: RejectedUsage) -> None:
    """Store, for `doctor`, that Stripe could not count usage."""
    await _note(connection, _UNCOUNTED, {"event": usage.event, "at": usage.at.isoformat()})


async def last_rejected_usage(connection: AsyncConnection) -> RejectedUsage | None:
    """The latest event about usage that Stripe could not count, if there ever was one."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == _UNCOUNTED))
    return RejectedUsage(str(state["event"]), datetime.fromisoformat(state["at"])) if state else None


async def record_dropped_usage(connection: AsyncConnection, usage: RejectedUsage) -> None:
    """Store, for `doctor`, that Stripe dropped usage because its event name has no meter."""
    await _note(connection, _DROPPED, {"event": usage.event, "at": usage.at.isoformat()})


async def last_dropped_usage(connection: AsyncConnection) -> RejectedUsage | None:
    """The latest event about usage that Stripe dropped, if there ever was one."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == _DROPPED))
    return RejectedUsage(str(state["event"]), datetime.fromisoformat(state["at"])) if state else None


@dataclass(frozen=True, slots=True)
class MissingMeter:
    """The event name for which Stripe has no meter, and when that was last seen."""

    name: str
    at: datetime


async def record_missing_meter(connection: AsyncConnection, missing: MissingMeter | None) -> None:
    """Store, for `doctor`, that a meter is missing; None if all reported usage has one."""
    await _note(
        connection,
        _METERS_MISSING,
        {"name": missing.name, "at": missing.at.isoformat()} if missing else {},
    )


async def last_missing_meter(connection: AsyncConnection) -> MissingMeter | None:
    """The meter that was missing at the last check, if any."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == _METERS_MISSING))
    return MissingMeter(str(state["name"]), datetime.fromisoformat(state["at"])) if state else None


async def _note(connection: AsyncConnection, name: str, state: dict[str, str]) -> None:
    fresh = insert(clockwork).values(name=name, state=state, updated_at=func.app_now())
    changed = {"state": fresh.excluded.state, "updated_at": fresh.excluded.updated_at}
    await connection.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=changed))


def total_quantity(records: Iterable[UsageRecord], metric: str) -> int:
    """Sum the quantities of one metric."""
    return sum(record.quantity for record in records if record.metric == metric)


def _within(column: ColumnElement[datetime], day: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    start = datetime.combine(day, time(), UTC)
    return column >= start, column < start + timedelta(days=1)
