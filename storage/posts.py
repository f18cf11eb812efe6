"""What we say unasked: one row for each thing that is kept up to date, and whether GitHub has it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import outbox, posts


class PostKind(StrEnum):
    """What it is on GitHub."""

    COMMENT = "comment"
    ISSUE = "issue"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Post:
    """Something that GitHub should show.

    `key` names it within its repository for ever: the same key again is the same post, edited. `thread` is
    the issue or pull request that a comment belongs to. `data` is what else goes along: an issue's `title`
    and `state`, a check's fields.
    """

    key: str
    kind: PostKind
    body: str
    thread: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Equal for posts that say the same."""
        told = [self.body, msgspec.json.encode(self.data, order="deterministic").decode()]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A post that GitHub does not have yet, or not so. `attempts` counts this one too."""

    id: int
    project_id: int
    post: Post
    attempts: int
    external_id: int | None
    wanted_at: datetime


class Posts:
    """One tenant's posts."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def want(self, project_id: int, post: Post, at: datetime) -> bool:
        """From now on GitHub should show this. Whether that is anything new."""
        told = {
            "kind": post.kind,
            "thread": post.thread,
            "body": post.body,
            "data": dict(post.data),
            "wanted_at": at,
        }
        fresh = insert(posts).values(
            organization_id=self._organization_id, project_id=project_id, key=post.key, **told
        )
        changed = or_(posts.c.body != post.body, posts.c.data != fresh.excluded.data)
        statement = fresh.on_conflict_do_update(
            index_elements=["organization_id", "project_id", "key"],
            # A comment stays in the thread where it is.
            set_={name: fresh.excluded[name] for name in ("body", "data", "wanted_at")},
            where=changed & ~posts.c.is_gone,
        ).returning(posts.c.id)
        return await self._connection.scalar(statement) is not None

    async def known(self, project_id: int, key: str) -> Post | None:
        """What was wanted last under a key."""
        query = select(posts).where(self._mine, posts.c.project_id == project_id, posts.c.key == key)
        row = (await self._connection.execute(query)).first()
        return _post(row) if row is not None else None

    async def keys(self, project_id: int, prefix: str) -> set[str]:
        """The keys that begin so."""
        query = select(posts.c.key).where(
            self._mine, posts.c.project_id == project_id, posts.c.key.startswith(prefix, autoescape=True)
        )
        return set(await self._connection.scalars(query))

    async def due(self, most: int = 100) -> list[Wanted]:
        """What GitHub does not have as it should be, the longest wanted first."""
        query = (
            select(posts)
            .where(self._mine, ~posts.c.is_gone, posts.c.refused.is_(None))
            .where(or_(posts.c.sent_at.is_(None), posts.c.sent_at < posts.c.wanted_at))
            .order_by(posts.c.wanted_at, posts.c.id)
            .limit(most)
        )
        rows = await self._connection.execute(query)
        return [
            Wanted(row.id, row.project_id, _post(row), row.attempts + 1, row.external_id, row.wanted_at)
            for row in rows
            if row.sent != _post(row).digest
        ]

    async def begin(self, post_id: int) -> None:
        """It is on its way to GitHub from now on."""
        await self._update(post_id, attempts=posts.c.attempts + 1)

    async def sent(self, wanted: Wanted, external_id: int, at: datetime) -> None:
        """GitHub has it as it was wanted."""
        told = {"external_id": external_id, "sent": wanted.post.digest, "sent_at": at, "attempts": 0}
        await self._update(wanted.id, **told)

    async def gone(self, post_id: int) -> None:
        """A person has deleted it. It is not posted again."""
        await self._update(post_id, is_gone=True)

    async def refused(self, post_id: int, why: str) -> None:
        """GitHub will not take it, now or later: kept, shown by `doctor`, and not tried again."""
        await self._update(post_id, refused=why[:500])

    async def written_since(self, moment: datetime) -> int:
        """How many writes GitHub has taken of us since a moment, answers included."""
        ours = select(func.count()).where(self._mine, posts.c.sent_at >= moment)
        answers = select(func.count()).where(
            outbox.c.organization_id == self._organization_id, outbox.c.sent_at >= moment
        )
        return int(await self._connection.scalar(ours) or 0) + int(
            await self._connection.scalar(answers) or 0
        )

    @property
    def _mine(self) -> ColumnElement[bool]:
        return posts.c.organization_id == self._organization_id

    async def _update(self, post_id: int, **values: object) -> None:
        await self._connection.execute(
            update(posts).where(self._mine, posts.c.id == post_id).values(**values)
        )


def _post(row: Any) -> Post:
    return Post(row.key, PostKind(row.kind), row.body, row.thread, dict(row.data))
