"""Deliveries that GitHub could not hand over, and how far we have looked for them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Tenant
from storage.tables import clockwork, missed_deliveries

# Kinds of events of which the facts are found by asking for a repository's past.
FOUND_BY_BACKFILL = frozenset({"issues", "pull_request", "milestone", "label", "sub_issues"})
# For so long, people are told of what is lost for good.
_REPORTED_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class MissedDelivery:
    """A delivery that failed at `delivered_at`, and how often we asked GitHub for it again.

    `repository_id` is GitHub's id of the repository that it is about, if it is about one.
    """

    delivery: str
    event: str
    action: str | None
    delivered_at: datetime
    asked_again: int = 0
    repository_id: int | None = None


class MissedDeliveries:
    """One tenant's missed deliveries."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def note(self, missed: MissedDelivery, *, asked: bool) -> None:
        """Remembers that a delivery failed, and counts if it was asked for once more."""
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
                # Added up by the database, so that two who ask at once are both counted.
                set_={"asked_again": missed_deliveries.c.asked_again + int(asked)},
            )
        )

    async def asked_again(self, delivery: str) -> int:
        """How often this one was asked for."""
        query = select(missed_deliveries.c.asked_again).where(
            self._mine, missed_deliveries.c.delivery_id == delivery
        )
        return await self._connection.scalar(query) or 0

    async def recovered(self, deliveries: Collection[str], at: datetime) -> int:
        """Marks those that came after all. Returns how many of them had been missed until now."""
        result = await self._connection.execute(
            update(missed_deliveries)
            .where(self._is_open, missed_deliveries.c.delivery_id.in_(deliveries))
            .values(recovered_at=at)
        )
        return max(result.rowcount, 0)

    async def open(self) -> list[MissedDelivery]:
        """What has not come to this day, oldest first."""
        return await self._select(self._is_open)

    async def expected(self) -> list[MissedDelivery]:
        """What has not come yet, and may still come, oldest first."""
        return await self._select(self._is_open, missed_deliveries.c.lost_at.is_(None))

    async def lost(self) -> list[MissedDelivery]:
        """What was lost for good lately and cannot be found by a backfill, oldest first."""
        return await self._select(
            self._is_open,
            missed_deliveries.c.lost_at > func.app_now() - _REPORTED_FOR,
            missed_deliveries.c.event_type.not_in(FOUND_BY_BACKFILL),
        )

    async def give_up(self, oldest: datetime, most_asked: int, now: datetime) -> list[MissedDelivery]:
        """Marks what is lost for good: what failed before `oldest`, or was asked for `most_asked` times.

        Returns those that were not marked before.
        """
        is_lost = or_(
            missed_deliveries.c.delivered_at < oldest, missed_deliveries.c.asked_again >= most_asked
        )
        lost = await self._select(self._is_open, missed_deliveries.c.lost_at.is_(None), is_lost)
        await self._connection.execute(
            update(missed_deliveries)
            .where(self._mine, missed_deliveries.c.delivery_id.in_([missed.delivery for missed in lost]))
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
    def _mine(self) -> ColumnElement[bool]:
        return missed_deliveries.c.organization_id == self._organization_id

    @property
    def _is_open(self) -> ColumnElement[bool]:
        return and_(self._mine, missed_deliveries.c.recovered_at.is_(None))


async def get_checkpoint(connection: AsyncConnection, name: str) -> datetime | None:
    """Until when something that runs by the clock has seen everything, or None if it never ran."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == name))
    return datetime.fromisoformat(state["until"]) if state and "until" in state else None


async def set_checkpoint(connection: AsyncConnection, name: str, until: datetime) -> None:
    """Remembers for the next run until when everything was seen."""
    values = {"state": {"until": until.isoformat()}, "updated_at": func.app_now()}
    statement = insert(clockwork).values(name=name, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
