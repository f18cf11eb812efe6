"""Gaps: spans in which GitHub's events did not reach us, reported in any order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, update

from sprints.gaps import EventGap, GapCause
from storage.database import Tenant
from storage.tables import event_gaps, projects

# Snapshots of closed sprints wait at most this long for the backfill of a gap. If GitHub refuses the backfill
# for longer, the numbers say which history they lack.
_LONGEST_WAIT = timedelta(days=3)

_IS_AFFECTED = or_(event_gaps.c.ended_at.is_(None), projects.c.created_at < event_gaps.c.ended_at)
_IS_BACKFILLED = func.coalesce(projects.c.synced_from >= event_gaps.c.ended_at, False)


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    began_at: datetime
    ended_at: datetime | None

    def contains(self, moment: datetime) -> bool:
        return self.began_at <= moment and (self.ended_at is None or moment <= self.ended_at)


class Gaps:
    """The gaps of one tenant.

    `begin` and `end` return False where reports came out of order, so that GitHub has to be asked for the
    present state.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def lock(self) -> None:
        """Lock the tenant's gaps against other changes until the transaction ends.

        Webhooks and answers of GitHub's API may report the same suspension concurrently. Take this lock
        before any row that others change together with gaps, to avoid a deadlock.
        """
        key = func.hashtextextended("event_gaps", self._organization_id)
        await self._connection.execute(select(func.pg_advisory_xact_lock(key)))

    async def begin(self, cause: GapCause, at: datetime) -> bool:
        """Begin a gap in all repositories; idempotent."""
        await self.lock()
        stored = await self._stored(cause)
        if not stored or (stored[-1].ended_at is not None and stored[-1].ended_at < at):
            await self.add(cause, at, None)
            return True
        if not any(row.contains(at) for row in stored):
            later = next(row for row in stored if at < row.began_at)
            await self._update(later, began_at=at)
        return stored[-1].ended_at is None

    async def end(
        self,
        cause: GapCause,
        at: datetime,
        *,
        stated_at: datetime | None = None,
        last_heard_at: datetime | None = None,
    ) -> bool:
        """End the gap of a cause; `stated_at` is when it ended by GitHub's clock.

        Where its beginning was not reported, the gap begins at `last_heard_at`; without that there is none.
        """
        await self.lock()
        stored, end = await self._stored(cause), stated_at or at
        if stored and stored[-1].ended_at is None:
            if end < stored[-1].began_at:
                return False
            await self._update(stored[-1], ended_at=max(at, stored[-1].began_at))
        elif not any(row.contains(end) for row in stored) and last_heard_at and last_heard_at < at:
            await self.add(cause, last_heard_at, at)
        return True

    async def close(self, cause: GapCause, at: datetime) -> bool:
        """End an open gap because something else shows that events arrive; return whether there was one."""
        await self.lock()
        stored = await self._stored(cause)
        if not stored or stored[-1].ended_at is not None or stored[-1].began_at > at:
            return False
        await self._update(stored[-1], ended_at=at)
        return True

    async def add(
        self, cause: GapCause, began_at: datetime, ended_at: datetime | None, project_id: int | None = None
    ) -> None:
        """Add a gap in one repository, or in all that exist by then; idempotent, the later end wins."""
        await self.lock()
        is_same = and_(
            self._is_mine,
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
        """Whether the installation was suspended at or after a moment, by the recorded events."""
        query = select(event_gaps.c.id).where(
            self._is_mine,
            event_gaps.c.cause == GapCause.SUSPENDED.value,
            or_(event_gaps.c.ended_at.is_(None), event_gaps.c.ended_at >= moment),
        )
        return await self._connection.scalar(query.limit(1)) is not None

    async def last_return(self, project_id: int) -> datetime | None:
        """Return when a repository last came back after it had left the installation or the account."""
        query = select(func.max(event_gaps.c.ended_at)).where(
            self._is_mine, event_gaps.c.project_id == project_id, event_gaps.c.cause == GapCause.REMOVED.value
        )
        returned_at: datetime | None = await self._connection.scalar(query)
        return returned_at

    async def of_projects(self, project_ids: Collection[int]) -> tuple[EventGap, ...]:
        """The gaps that concern any of these repositories, the oldest first."""
        return tuple(dict.fromkeys(gap for _, gap in await self._gaps(projects.c.id.in_(project_ids))))

    async def of_all(self) -> Mapping[int, Sequence[EventGap]]:
        """The gaps of each active repository, by project id, the oldest first."""
        gaps = dict[int, list[EventGap]]()
        for project_id, gap in await self._gaps(projects.c.is_active):
            gaps.setdefault(project_id, []).append(gap)
        return gaps

    async def projects_to_backfill(self) -> list[int]:
        """The ids of the repositories to backfill after gaps that have ended."""
        is_unread = and_(projects.c.is_active, event_gaps.c.ended_at.is_not(None), ~_IS_BACKFILLED)
        is_still_missing = (
            select(event_gaps.c.id).where(self._is_mine, event_gaps.c.ended_at.is_(None)).exists()
        )
        query = self._with_projects(projects.c.id).where(is_unread, ~is_still_missing).distinct()
        return list(await self._connection.scalars(query.order_by(projects.c.id)))

    async def is_history_missing(self, project_ids: Collection[int]) -> bool:
        """Whether events of these repositories are missing that a backfill may still bring before long."""
        is_awaited = or_(
            event_gaps.c.ended_at.is_(None), event_gaps.c.ended_at > func.app_now() - _LONGEST_WAIT
        )
        query = self._with_projects(event_gaps.c.id).where(
            projects.c.id.in_(project_ids), ~_IS_BACKFILLED, is_awaited
        )
        return await self._connection.scalar(query.limit(1)) is not None

    async def _gaps(self, condition: ColumnElement[bool]) -> list[tuple[int, EventGap]]:
        columns = (event_gaps.c.cause, event_gaps.c.began_at, event_gaps.c.ended_at, _IS_BACKFILLED)
        query = self._with_projects(projects.c.id, *columns).where(condition)
        query = query.order_by(event_gaps.c.began_at, event_gaps.c.id, projects.c.id)
        rows = await self._connection.execute(query)
        return [(project_id, EventGap(GapCause(cause), *gap)) for project_id, cause, *gap in rows]

    def _with_projects(self, *columns: ColumnElement[Any]) -> Select[Any]:
        is_concerned = or_(event_gaps.c.project_id.is_(None), event_gaps.c.project_id == projects.c.id)
        return (
            select(*columns)
            .select_from(event_gaps)
            .join(projects, and_(projects.c.organization_id == event_gaps.c.organization_id, is_concerned))
            .where(self._is_mine, _IS_AFFECTED)
        )

    async def _stored(self, cause: GapCause) -> list[_Row]:
        query = (
            select(event_gaps.c.id, event_gaps.c.began_at, event_gaps.c.ended_at)
            .where(self._is_mine, event_gaps.c.cause == cause.value, event_gaps.c.project_id.is_(None))
            .order_by(event_gaps.c.began_at, event_gaps.c.id)
        )
        return [_Row(*row) for row in await self._connection.execute(query)]

    async def _update(self, row: _Row, **values: datetime) -> None:
        await self._connection.execute(
            update(event_gaps).where(self._is_mine, event_gaps.c.id == row.id).values(**values)
        )

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return event_gaps.c.organization_id == self._organization_id
