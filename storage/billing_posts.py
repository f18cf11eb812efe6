"""Posts that inform an account's owner about billing and data, over all of its repositories."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storage.database import Tenant
from storage.post_states import BILLING, Post, PostKind
from storage.tables import organizations, posts, projects, timeline

ISSUE, NEWS = f"{BILLING}issue:", f"{BILLING}news:"


@dataclass(frozen=True, slots=True)
class BillingPost:
    """A billing post of one repository.

    `sent_as` is the version that GitHub accepted last, `external_id` the number of an issue.
    """

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
        """Whether the post was reduced to a neutral sentence, because others than the owner could read it."""
        return self.post.data.get("withdrawn") is True

    @property
    def notices(self) -> frozenset[str]:
        """The keys of the notices in the desired post."""
        return frozenset(map(str, self.post.data.get("notices", ())))

    @property
    def sent_notices(self) -> frozenset[str]:
        """The keys of the notices in the version that GitHub accepted last."""
        return frozenset(map(str, self.sent_as.get("notices", ())))


class BillingPosts:
    """The billing posts of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def all(self) -> list[BillingPost]:
        """All billing posts that were not withdrawn, the oldest first."""
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
        """The ids of active private repositories, the one with the newest event first."""
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
        """The setting `billing` of the organization; settings of repositories do not affect it."""
        settings = organizations.c.settings.op("||")(organizations.c.file)
        query = select(settings.op("->")("billing")).where(organizations.c.id == self._organization_id)
        return await self._connection.scalar(query)
