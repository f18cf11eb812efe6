"""Deliveries that GitHub could not hand over, and checkpoints of periodic tasks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Tenant
from storage.tables import clockwork, missed_deliveries

# The events whose facts a backfill finds.
FOUND_BY_BACKFILL = frozenset({"issues", "pull_request", "milestone", "label", "sub_issues"})
# How long people are informed of a lost delivery.
_REPORTED_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class MissedDelivery:
    """A delivery that failed at `delivered_at`, and how often its redelivery was requested.

    `repository_id` is GitHub's id of the repository of the event, if it has one.
    """

    delivery: str
    event: str
    action: str | None
    delivered_at: datetime
    asked_again: int = 0
    repository_id: int | None = None


class MissedDeliveries:
    """The missed deliveries of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def record(self, missed: MissedDelivery, *, asked: bool) -> None:
        """Record a failed delivery, and count another request for it if `asked`."""
        fresh = insert(missed_deliveries).values(
            organization_id=self._organization_id,
            delivery_id=missed.delivery,
            event_type=missed.event,
            action=missed.action,
            delivered_at=missed.delivered_at,
            asked_again=int(asked),
            repository_id=missed.repository_id,
        )
        await self._connection.execute(
            fresh.on_conflict_do_update(
                index_elements=["organization_id", "delivery_id"],
                # Added up by the database, so that two concurrent requests are both counted.
                set_={"asked_again": missed_deliveries.c.asked_again + int(asked)},
            )
        )

    async def asked_again(self, delivery: str) -> int:
        """The number of requests for the redelivery of a delivery."""
        query = select(missed_deliveries.c.asked_again).where(
            self._is_mine, missed_deliveries.c.delivery_id == delivery
        )
        return await self._connection.scalar(query) or 0

    async def mark_recovered(self, deliveries: Collection[str], at: datetime) -> int:
        """Mark deliveries that arrived after all; return how many of them had been missed."""
        result = await self._connection.execute(
            update(missed_deliveries)
            .where(self._is_missing, missed_deliveries.c.delivery_id.in_(deliveries))
            .values(recovered_at=at)
        )
        return max(result.rowcount, 0)

    async def expected(self) -> list[MissedDelivery]:
        """The deliveries that have not arrived and still may, oldest first."""
        return await self._select(self._is_missing, missed_deliveries.c.lost_at.is_(None))

    async def lost(self) -> list[MissedDelivery]:
        """The deliveries lost within 30 days whose facts no backfill finds, oldest first."""
        return await self._select(
            self._is_missing,
            missed_deliveries.c.lost_at > func.app_now() - _REPORTED_FOR,
            missed_deliveries.c.event_type.not_in(FOUND_BY_BACKFILL),
        )

    async def mark_lost(self, oldest: datetime, most_asked: int, now: datetime) -> list[MissedDelivery]:
        """Mark deliveries as lost that failed before `oldest` or were requested `most_asked` times.

        Returns the deliveries that were not marked before.
        """
        is_lost = or_(
            missed_deliveries.c.delivered_at < oldest, missed_deliveries.c.asked_again >= most_asked
        )
        lost = await self._select(self._is_missing, missed_deliveries.c.lost_at.is_(None), is_lost)
        await self._connection.execute(
            update(missed_deliveries)
            .where(self._is_mine, missed_deliveries.c.delivery_id.in_([missed.delivery for missed in lost]))
            .values(lost_at=now)
        )
        return lost

    async def _select(self, *conditions: ColumnElement[bool]) -> list[MissedDelivery]:
        query = (
            select(
                missed_deliveries.c.delivery_id,
                missed_deliveries.c.event_type,
                missed_deliveries.c.action,
                missed_deliveries.c.delivered_at,
                missed_deliveries.c.asked_again,
                missed_deliveries.c.repository_id,
            )
            .where(*conditions)
            .order_by(missed_deliveries.c.delivered_at)
        )
        return [MissedDelivery(*row) for row in await self._connection.execute(query)]

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return missed_deliveries.c.organization_id == self._organization_id

    @property
    def _is_missing(self) -> ColumnElement[bool]:
        return and_(self._is_mine, missed_deliveries.c.recovered_at.is_(None))


async def get_checkpoint(connection: AsyncConnection, name: str) -> datetime | None:
    """The moment until which a periodic task has processed everything; None if it never ran."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == name))
    return datetime.fromisoformat(state["until"]) if state and "until" in state else None


async def set_checkpoint(connection: AsyncConnection, name: str, until: datetime) -> None:
    """Store the moment until which a periodic task has processed everything."""
    values = {"state": {"until": until.isoformat()}, "updated_at": func.app_now()}
    statement = insert(clockwork).values(name=name, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
