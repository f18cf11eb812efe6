"""By when an account's data must be gone, because it cancelled on the Marketplace; and its deletion."""

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
    """Data goes at `due_at`. `is_told`: GitHub named the day of the cancellation, else we found it gone.

    `shown_at` is when an owner has read of it in a thread.
    """

    cancelled_at: datetime
    due_at: datetime
    is_told: bool
    shown_at: datetime | None = None


class Deadlines:
    """One tenant's deadlines. Only the latest that is not withdrawn counts."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def note(self, deadline: Deadline) -> bool:
        """Keeps a deadline; False if one for this cancellation is known, be it withdrawn by now.

        One that we found gone becomes one that we were told of.
        """
        fresh = insert(deletion_deadlines).values(
            organization_id=self._organization_id,
            cancelled_at=deadline.cancelled_at,
            due_at=deadline.due_at,
            is_told=deadline.is_told,
        )
        kept = fresh.on_conflict_do_update(
            index_elements=["organization_id", "cancelled_at"],
            set_={"is_told": True, "withdrawn_at": None, "withdrawn_because": None},
            where=and_(fresh.excluded.is_told, deletion_deadlines.c.is_told.is_(False)),
        ).returning(deletion_deadlines.c.id)
        return await self._connection.scalar(kept) is not None

    async def active(self) -> list[Deadline]:
        """Those that are not withdrawn, the latest last."""
        query = (
            select(*(deletion_deadlines.c[name] for name in Deadline.__dataclass_fields__))
            .where(self._open)
            .order_by(deletion_deadlines.c.due_at, deletion_deadlines.c.id)
        )
        return [Deadline(*row) for row in await self._connection.execute(query)]

    async def latest(self) -> Deadline | None:
        """The one that counts."""
        return next(iter((await self.active())[::-1]), None)

    async def withdraw(self, at: datetime, because: str, *, only_found: bool = False) -> bool:
        """Nothing will be deleted, or with `only_found` not because of what we found out ourselves."""
        condition = self._open
        if only_found:
            condition = and_(condition, deletion_deadlines.c.is_told.is_(False))
        result = await self._connection.execute(
            update(deletion_deadlines).where(condition).values(withdrawn_at=at, withdrawn_because=because)
        )
        return result.rowcount > 0

    async def shown(self, at: datetime) -> None:
        """An owner is being told."""
        await self._connection.execute(update(deletion_deadlines).where(self._open).values(shown_at=at))

    async def delete_everything(self) -> Mapping[str, int]:
        """Deletes all that there is of this tenant, itself too, and tells how many rows of which table.

        The database refuses (DBAPIError) unless, by its own clock, the latest deadline has passed, and none
        was noted, withdrawn or restored in the last seven days.
        """
        return dict(await self._connection.scalar(text("select delete_tenant()")) or {})

    @property
    def _open(self) -> ColumnElement[bool]:
        return and_(
            deletion_deadlines.c.organization_id == self._organization_id,
            deletion_deadlines.c.withdrawn_at.is_(None),
        )


async def tenants_to_delete(connection: AsyncConnection) -> Sequence[int]:
    """Whose latest deadline has passed, with no change to their deadlines in the last seven days."""
    return (await connection.scalars(text("select * from tenants_to_delete()"))).all()
