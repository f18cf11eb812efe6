"""The visibility history of repositories, from GitHub's events in any order."""

from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import projects, visibility_changes

# The spans `[began, ended)` in which the tenant's repositories were public: expressions for a `with` clause.
# Where `projects.private_since` is later than all that is recorded, everything before it was public.
PUBLIC_SPANS = """
    sightings as (
        select project_id, at, is_private, is_change,
            lead(at, 1, 'infinity') over later as next_at, row_number() over later as position
        from visibility_changes where organization_id = :tenant
        window later as (partition by project_id order by at, id)
    ),
    public_spans as (
        select project_id, case when position = 1 and not is_change then '-infinity' else at end as began,
            next_at as ended
        from sightings where not is_private
        union all
        select project_id, '-infinity', at from sightings where position = 1 and is_private and is_change
        union all
        select id, '-infinity', private_since from projects
        where organization_id = :tenant and private_since is not null
            and not exists (select from sightings where project_id = projects.id and at >= private_since)
    )
"""


class VisibilityHistory:
    """The visibility history of one tenant's repositories."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def record_change(self, project_id: int, at: datetime, *, is_private: bool) -> None:
        """Record that a repository became public or private: before `at` it was the opposite."""
        await self._add(project_id, at, is_private=is_private, is_change=True)
        if not is_private:
            return
        is_later = or_(projects.c.private_since.is_(None), projects.c.private_since < at)
        await self._connection.execute(
            update(projects)
            .where(projects.c.organization_id == self._organization_id, projects.c.id == project_id)
            .where(projects.c.is_private, is_later)
            .values(private_since=at)
        )

    async def record_sight(self, project_id: int, at: datetime, *, is_private: bool) -> None:
        """Record that a repository was seen as public or private; when it became so is unknown."""
        await self._add(project_id, at, is_private=is_private, is_change=False)

    async def has_changed_since(self, node_id: str, at: datetime, *, is_private: bool) -> bool:
        """Whether a repository's visibility changed later than `at` to other than `is_private`."""
        history = visibility_changes.c
        query = (
            select(func.count())
            .select_from(visibility_changes)
            .join(
                projects,
                (projects.c.organization_id == history.organization_id)
                & (projects.c.id == history.project_id),
            )
            .where(history.organization_id == self._organization_id, projects.c.repository_node_id == node_id)
            .where(history.at > at, history.is_change, history.is_private.is_not(is_private))
        )
        return bool(await self._connection.scalar(query))

    async def _add(self, project_id: int, at: datetime, *, is_private: bool, is_change: bool) -> None:
        fresh = insert(visibility_changes).values(
            organization_id=self._organization_id,
            project_id=project_id,
            at=at,
            is_private=is_private,
            is_change=is_change,
        )
        await self._connection.execute(
            fresh.on_conflict_do_update(
                index_elements=["organization_id", "project_id", "at", "is_private"],
                set_={"is_change": visibility_changes.c.is_change | fresh.excluded.is_change},
            )
        )
