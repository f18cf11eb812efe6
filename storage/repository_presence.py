"""Whether the App sees a tenant's repositories, and whether periodic tasks serve them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update

from storage.database import Tenant
from storage.tables import projects


@dataclass(frozen=True, slots=True)
class TrackingState:
    """Whether a repository is active, hidden or backfilled.

    `hidden_since` is when the App lost sight of it; `synced_at` is when its last backfill was finished, and
    `synced_from` when that one began.
    """

    id: int
    is_active: bool
    hidden_since: datetime | None
    synced_at: datetime | None
    synced_from: datetime | None


@dataclass(frozen=True, slots=True)
class KnownRepository:
    """A repository by its last name; whether periodic tasks serve it, and whether the App cannot see it."""

    id: int
    node_id: str
    full_name: str | None
    is_active: bool
    is_hidden: bool


class RepositoryPresence:
    """Which repositories of one tenant are tracked, and which ones are hidden from the App."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def set_hidden(self, node_id: str, since: datetime | None) -> None:
        """Set since when the App cannot see a repository; None if it can. An equal state is not written."""
        await self._connection.execute(
            update(projects)
            .where(self._is_mine, projects.c.repository_node_id == node_id)
            .where(
                projects.c.hidden_since.is_not(None) if since is None else projects.c.hidden_since.is_(None)
            )
            .values(hidden_since=since)
        )

    async def tracking_state(self, node_id: str) -> TrackingState | None:
        """Return the presence of a repository by node id; None if it was never seen."""
        columns = (projects.c[name] for name in TrackingState.__dataclass_fields__)
        query = select(*columns).where(self._is_mine, projects.c.repository_node_id == node_id)
        row = (await self._connection.execute(query)).first()
        return TrackingState(*row) if row else None

    async def mark_hidden(self, node_id: str, at: datetime) -> None:
        """Mark a repository as inactive and hidden from now on. Its history stays."""
        await self._connection.execute(
            update(projects)
            .where(self._is_mine, projects.c.repository_node_id == node_id)
            .values(is_active=False, hidden_since=func.coalesce(projects.c.hidden_since, at))
        )

    async def hidden(self) -> Mapping[str, datetime]:
        """Since when repositories are hidden from the App, by node id."""
        query = select(projects.c.repository_node_id, projects.c.hidden_since).where(
            self._is_mine, projects.c.hidden_since.is_not(None)
        )
        rows = await self._connection.execute(query)
        return {row.repository_node_id: row.hidden_since for row in rows}

    async def never_backfilled(self, before: datetime) -> list[int]:
        """The ids of active repositories first seen before a moment that were never backfilled."""
        query = select(projects.c.id).where(
            self._is_mine,
            projects.c.is_active,
            projects.c.synced_at.is_(None),
            projects.c.created_at < before,
        )
        return list(await self._connection.scalars(query.order_by(projects.c.id)))

    async def all(self) -> list[KnownRepository]:
        """All repositories that the tenant ever had."""
        query = select(
            projects.c.id,
            projects.c.repository_node_id,
            projects.c.github_repo,
            projects.c.is_active,
            projects.c.hidden_since.is_not(None),
        ).where(self._is_mine)
        return [
            KnownRepository(*row) for row in await self._connection.execute(query.order_by(projects.c.id))
        ]

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return projects.c.organization_id == self._organization_id
