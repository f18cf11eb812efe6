"""Deadlines for deleting an account's data after a cancellation on the Marketplace, and the deletion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Tenant
from storage.tables import deletion_deadlines


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline, `due_at`, by which an account's data is deleted.

    `is_announced`: GitHub named the day of the cancellation; otherwise it was inferred, because
    GitHub had no purchase when asked. `shown_at` is when an owner could first read the deadline in a thread.
    """

    cancelled_at: datetime
    due_at: datetime
    is_announced: bool
    shown_at: datetime | None = None


_COLUMNS = ("cancelled_at", "due_at", "is_told", "shown_at")


class Deadlines:
    """The deadlines of one tenant, of which only the latest that is not withdrawn counts."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def record(self, deadline: Deadline) -> bool:
        """Store a deadline; False if one for the same cancellation is stored, withdrawn or not.

        GitHub's announced deadline replaces an inferred one.
        """
        fresh = insert(deletion_deadlines).values(
            organization_id=self._organization_id,
            cancelled_at=deadline.cancelled_at,
            due_at=deadline.due_at,
            is_told=deadline.is_announced,
        )
        stored = fresh.on_conflict_do_update(
            index_elements=["organization_id", "cancelled_at"],
            set_={"is_told": True, "withdrawn_at": None, "withdrawn_because": None},
            where=and_(fresh.excluded.is_told, deletion_deadlines.c.is_told.is_(False)),
        ).returning(deletion_deadlines.c.id)
        return await self._connection.scalar(stored) is not None

    async def active(self) -> list[Deadline]:
        """The deadlines that are not withdrawn, the latest last."""
        query = (
            select(*(deletion_deadlines.c[name] for name in _COLUMNS))
            .where(self._is_open)
            .order_by(deletion_deadlines.c.due_at, deletion_deadlines.c.id)
        )
        return [Deadline(*row) for row in await self._connection.execute(query)]

    async def latest(self) -> Deadline | None:
        """The deadline that counts."""
        return next(iter((await self.active())[::-1]), None)

    async def withdraw(self, at: datetime, because: str, *, only_inferred: bool = False) -> bool:
        """Withdraw the deadlines; with `only_inferred`, only the deadlines that GitHub did not announce.

        Returns whether there was any.
        """
        condition = self._is_open
        if only_inferred:
            condition = and_(condition, deletion_deadlines.c.is_told.is_(False))
        result = await self._connection.execute(
            update(deletion_deadlines).where(condition).values(withdrawn_at=at, withdrawn_because=because)
        )
        return result.rowcount > 0

    async def mark_shown(self, at: datetime) -> None:
        """Record that the deadlines are being shown to an owner."""
        await self._connection.execute(update(deletion_deadlines).where(self._is_open).values(shown_at=at))

    async def delete_everything(self) -> Mapping[str, int]:
        """Delete all rows of the tenant, its own row included; return the number of rows by table.

        The database refuses (DBAPIError) unless, by its own clock, the latest deadline has passed, and none
        was stored, withdrawn or restored in the last seven days.
        """
        return dict(await self._connection.scalar(text("select delete_tenant()")) or {})

    @property
    def _is_open(self) -> ColumnElement[bool]:
        return and_(
            deletion_deadlines.c.organization_id == self._organization_id,
            deletion_deadlines.c.withdrawn_at.is_(None),
        )


async def tenants_to_delete(connection: AsyncConnection) -> Sequence[int]:
    """The tenants whose latest deadline has passed, with no change of deadlines in the last seven days."""
    return (await connection.scalars(text("select * from tenants_to_delete()"))).all()
