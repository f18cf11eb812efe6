"""Spans in which GitHub's events did not reach us, as they are told in any order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, update

from sprints.gaps import EventGap, GapCause
from storage.database import Tenant
from storage.tables import event_gaps, projects

# For so long, what is settled once and for all waits for the past to be read. Where GitHub refuses that for
# longer, the numbers say what they lack.
_WAITED_FOR = timedelta(days=3)

_HAD_BEGUN = or_(event_gaps.c.ended_at.is_(None), projects.c.created_at < event_gaps.c.ended_at)
_IS_READ_AGAIN = func.coalesce(projects.c.synced_from >= event_gaps.c.ended_at, False)


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    began_at: datetime
    ended_at: datetime | None

    def contains(self, moment: datetime) -> bool:
        return self.began_at <= moment and (self.ended_at is None or moment <= self.ended_at)


class Gaps:
    """One tenant's gaps.

    `begin` and `end` return False where the news came out of order, so that GitHub should be asked how it is.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def lock(self) -> None:
        """Let nobody else change the tenant's gaps until the transaction ends.

        Webhooks and what GitHub answers tell of the same suspension at once. To be taken before any row is
        locked that others change together with gaps, so that nobody waits in a circle.
        """
        key = func.hashtextextended("event_gaps", self._organization_id)
        await self._connection.execute(select(func.pg_advisory_xact_lock(key)))

    async def begin(self, cause: GapCause, at: datetime) -> bool:
        """From this moment on nothing is heard in any repository. Told twice, it is known once."""
        await self.lock()
        known = await self._known(cause)
        if not known or (known[-1].ended_at is not None and known[-1].ended_at < at):
            await self.add(cause, at, None)
            return True
        if not any(row.contains(at) for row in known):
            later = next(row for row in known if at < row.began_at)
            await self._update(later, began_at=at)
        return known[-1].ended_at is None

    async def end(
        self,
        cause: GapCause,
        at: datetime,
        *,
        stated_at: datetime | None = None,
        last_heard_at: datetime | None = None,
    ) -> bool:
        """From this moment on we hear again; `stated_at` is when GitHub says that this began.

        Where nobody told us of the beginning, it was after what was heard last; without that there is no gap.
        """
        await self.lock()
        known, stated = await self._known(cause), stated_at or at
        if known and known[-1].ended_at is None:
            if stated < known[-1].began_at:
                return False
            await self._update(known[-1], ended_at=max(at, known[-1].began_at))
        elif not any(row.contains(stated) for row in known) and last_heard_at and last_heard_at < at:
            await self.add(cause, last_heard_at, at)
        return True

    async def close(self, cause: GapCause, at: datetime) -> bool:
        """We hear again, as something else shows. Returns whether that is news."""
        await self.lock()
        known = await self._known(cause)
        if not known or known[-1].ended_at is not None or known[-1].began_at > at:
            return False
        await self._update(known[-1], ended_at=at)
        return True

    async def add(
        self, cause: GapCause, began_at: datetime, ended_at: datetime | None, project_id: int | None = None
    ) -> None:
        """A gap in one repository, or in all that there are by then.

        Told twice, it is known once; the later end holds.
        """
        await self.lock()
        is_same = and_(
            self._mine,
            event_gaps.c.cause == cause.value,
            event_gaps.c.project_id.is_not_distinct_from(project_id),
        )
        if ended_at is None:
            again = and_(is_same, event_gaps.c.ended_at.is_(None))
        else:
            again = and_(is_same, event_gaps.c.began_at == began_at, event_gaps.c.ended_at.is_not(None))
        extended = (
            update(event_gaps)
            .where(again)
            .values(ended_at=func.greatest(event_gaps.c.ended_at, ended_at))
            .returning(event_gaps.c.id)
        )
        if (await self._connection.scalars(extended)).first() is not None:
            return
        await self._connection.execute(
            insert(event_gaps).values(
                organization_id=self._organization_id,
                project_id=project_id,
                cause=cause.value,
                began_at=began_at,
                ended_at=ended_at,
            )
        )

    async def was_suspended_since(self, moment: datetime) -> bool:
        """Whether the installation was suspended at or after a moment, as far as we know."""
        query = select(event_gaps.c.id).where(
            self._mine,
            event_gaps.c.cause == GapCause.SUSPENDED.value,
            or_(event_gaps.c.ended_at.is_(None), event_gaps.c.ended_at >= moment),
        )
        return await self._connection.scalar(query.limit(1)) is not None

    async def last_return(self, project_id: int) -> datetime | None:
        """When a repository came back last after it had left the installation or the account."""
        query = select(func.max(event_gaps.c.ended_at)).where(
            self._mine, event_gaps.c.project_id == project_id, event_gaps.c.cause == GapCause.REMOVED.value
        )
        found: datetime | None = await self._connection.scalar(query)
        return found

    async def of_projects(self, project_ids: Collection[int]) -> tuple[EventGap, ...]:
        """The gaps that concern any of these repositories, the oldest first."""
        return tuple(dict.fromkeys(gap for _, gap in await self._gaps(projects.c.id.in_(project_ids))))

    async def of_all(self) -> Mapping[int, Sequence[EventGap]]:
        """The gaps of each repository that gets work by the clock, the oldest first."""
        found = dict[int, list[EventGap]]()
        for project_id, gap in await self._gaps(projects.c.is_active):
            found.setdefault(project_id, []).append(gap)
        return found

    async def unread(self) -> list[int]:
        """The repositories whose past is to be asked for, now that they are heard again, by their ids."""
        is_unread = and_(projects.c.is_active, event_gaps.c.ended_at.is_not(None), ~_IS_READ_AGAIN)
        still_deaf = select(event_gaps.c.id).where(self._mine, event_gaps.c.ended_at.is_(None)).exists()
        query = self._with_projects(projects.c.id).where(is_unread, ~still_deaf).distinct()
        return list(await self._connection.scalars(query.order_by(projects.c.id)))

    async def is_history_missing(self, project_ids: Collection[int]) -> bool:
        """Whether events of these repositories are missing that may still be asked for before long."""
        is_hoped_for = or_(
            event_gaps.c.ended_at.is_(None), event_gaps.c.ended_at > func.app_now() - _WAITED_FOR
        )
        query = self._with_projects(event_gaps.c.id).where(
            projects.c.id.in_(project_ids), ~_IS_READ_AGAIN, is_hoped_for
        )
        return await self._connection.scalar(query.limit(1)) is not None

    async def _gaps(self, condition: ColumnElement[bool]) -> list[tuple[int, EventGap]]:
        columns = (event_gaps.c.cause, event_gaps.c.began_at, event_gaps.c.ended_at, _IS_READ_AGAIN)
        query = self._with_projects(projects.c.id, *columns).where(condition)
        query = query.order_by(event_gaps.c.began_at, event_gaps.c.id, projects.c.id)
        rows = await self._connection.execute(query)
        return [(project_id, EventGap(GapCause(cause), *gap)) for project_id, cause, *gap in rows]

    def _with_projects(self, *columns: ColumnElement[Any]) -> Select[Any]:
        concerns = or_(event_gaps.c.project_id.is_(None), event_gaps.c.project_id == projects.c.id)
        return (
            select(*columns)
            .select_from(event_gaps)
            .join(projects, and_(projects.c.organization_id == event_gaps.c.organization_id, concerns))
            .where(self._mine, _HAD_BEGUN)
        )

    async def _known(self, cause: GapCause) -> list[_Row]:
        query = (
            select(event_gaps.c.id, event_gaps.c.began_at, event_gaps.c.ended_at)
            .where(self._mine, event_gaps.c.cause == cause.value, event_gaps.c.project_id.is_(None))
            .order_by(event_gaps.c.began_at, event_gaps.c.id)
        )
        return [_Row(*row) for row in await self._connection.execute(query)]

    async def _update(self, row: _Row, **values: datetime) -> None:
        await self._connection.execute(
            update(event_gaps).where(self._mine, event_gaps.c.id == row.id).values(**values)
        )

    @property
    def _mine(self) -> ColumnElement[bool]:
        return event_gaps.c.organization_id == self._organization_id
