"""The posts by which an account's owner is told of money and data, over all of its repositories."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storage.database import Tenant
from storage.posts import BILLING, Post, PostKind
from storage.tables import organizations, posts, projects, timeline

ISSUE, NEWS = f"{BILLING}issue:", f"{BILLING}news:"


@dataclass(frozen=True, slots=True)
class BillingPost:
    """A post of one repository. `sent_as` is what GitHub took last; `external_id` an issue's number there."""

    project_id: int
    post: Post
    external_id: int | None
    is_gone: bool
    sent_at: datetime | None
    is_pending: bool
    refused: str | None
    sent_as: Mapping[str, Any]

    @property
    def is_issue(self) -> bool:
        return self.post.kind is PostKind.ISSUE

    @property
    def is_withdrawn(self) -> bool:
        """Whether nothing but a neutral sentence is left of it, because others could read it."""
        return self.post.data.get("withdrawn") is True

    @property
    def notices(self) -> frozenset[str]:
        """The keys of what it says."""
        return frozenset(map(str, self.post.data.get("notices", ())))

    @property
    def sent_notices(self) -> frozenset[str]:
        """The keys of what it says as GitHub took it last."""
        return frozenset(map(str, self.sent_as.get("notices", ())))


class BillingPosts:
    """What one tenant's owner is told, and where."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def all(self) -> list[BillingPost]:
        """All that is or was wanted, the oldest first."""
        query = (
            select(posts)
            .where(posts.c.organization_id == self._organization_id)
            .where(posts.c.key.startswith(BILLING), ~posts.c.is_withdrawn)
            .order_by(posts.c.id)
        )
        return [
            BillingPost(
                row.project_id,
                Post(row.key, PostKind(row.kind), row.body, row.thread, dict(row.data)),
                row.external_id,
                row.is_gone,
                row.sent_at,
                row.sent_at is None or row.sent_at < row.wanted_at,
                row.refused,
                dict(row.sent_as or {}),
            )
            for row in await self._connection.execute(query)
        ]

    async def private_repositories(self) -> list[int]:
        """The repositories that are private and looked after, that with the newest event first."""
        newest = (
            select(timeline.c.at)
            .where(
                timeline.c.organization_id == self._organization_id, timeline.c.project_id == projects.c.id
            )
            .order_by(timeline.c.at.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(projects.c.id)
            .where(projects.c.organization_id == self._organization_id)
            .where(projects.c.is_private, projects.c.is_active)
            .order_by(newest.desc().nulls_last(), projects.c.id)
        )
        return list(await self._connection.scalars(query))

    async def setting(self) -> object:
        """The `billing` of the account's own settings; a repository's file has no say in it."""
        settings = organizations.c.settings.op("||")(organizations.c.file)
        query = select(settings.op("->")("billing")).where(organizations.c.id == self._organization_id)
        return await self._connection.scalar(query)
