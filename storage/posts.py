"""What we say unasked: one row for each thing that is kept up to date, and whether GitHub has it."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import clockwork, outbox, posts, projects

_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


class PostKind(StrEnum):
    """What it is on GitHub."""

    COMMENT = "comment"
    ISSUE = "issue"
    CHECK = "check"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Post:
    """Something that GitHub should show.

    `key` names it within its repository for ever: the same key again is the same post, edited. `thread` is
    the issue or pull request that a comment belongs to. `data` is what else goes along: an issue's `title`
    and `state`, a check's fields, GitHub's id of the `release` that it is a part of; of a comment or an issue
    also what is to be remembered with it, and in `beside` the key of a post without which it should not be
    said.
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
    """A post that GitHub does not have yet, or not so.

    `attempts` counts this one too. Nothing of it was posted before `first_wanted_at`.
    """

    id: int
    project_id: int
    post: Post
    attempts: int
    external_id: int | None
    wanted_at: datetime
    first_wanted_at: datetime


@dataclass(frozen=True, slots=True)
class Fate:
    """What was wanted last under a key, and what became of it. `external_id` is None until it was sent."""

    post: Post
    external_id: int | None
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Writes:
    """What GitHub has taken of us lately: how much within the last hour, and when it was last asked to."""

    in_an_hour: int
    last_at: datetime


class Posts:
    """One tenant's posts."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def want(self, project_id: int, post: Post, at: datetime) -> bool:
        """From now on GitHub should show this. Whether that is anything new.

        One that GitHub refused is tried again once it has something new to say, but on another day only.
        """
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
        # What GitHub has so already, unless an attempt to change it is under way.
        is_there = and_(posts.c.sent == post.digest, posts.c.attempts == 0)
        is_another_day = posts.c.wanted_at < at - timedelta(days=1)
        statement = fresh.on_conflict_do_update(
            index_elements=["organization_id", "project_id", "key"],
            # A comment stays in the thread where it is.
            set_={name: fresh.excluded[name] for name in ("body", "data")}
            | {
                "wanted_at": case((is_there, posts.c.sent_at), else_=at),
                "refused": case((is_another_day, None), else_=posts.c.refused),
            },
            where=changed & ~posts.c.is_gone,
        ).returning(posts.c.id)
        return await self._connection.scalar(statement) is not None

    async def known(self, project_id: int, key: str) -> Post | None:
        """What was wanted last under a key."""
        found = await self.fate(project_id, key)
        return found.post if found else None

    async def fate(self, project_id: int, key: str) -> Fate | None:
        """What was wanted last under a key, and what has become of it."""
        query = select(posts).where(self._mine, posts.c.project_id == project_id, posts.c.key == key)
        row = (await self._connection.execute(query)).first()
        return Fate(_post(row), row.external_id, row.is_gone) if row is not None else None

    async def keys(self, project_id: int, prefix: str) -> set[str]:
        """The keys that begin so."""
        return set(await self.wanted(project_id, prefix))

    async def wanted(self, project_id: int, prefix: str) -> dict[str, datetime]:
        """The keys that begin so, and since when each is wanted as it is."""
        query = select(posts.c.key, posts.c.wanted_at).where(
            self._mine, posts.c.project_id == project_id, posts.c.key.startswith(prefix, autoescape=True)
        )
        return {row.key: row.wanted_at for row in await self._connection.execute(query)}

    async def known_since(self, project_id: int) -> datetime | None:
        """When we first heard of a repository."""
        query = select(projects.c.created_at).where(
            projects.c.organization_id == self._organization_id, projects.c.id == project_id
        )
        return await self._connection.scalar(query)

    async def waiting(self) -> set[int]:
        """The repositories for which GitHub does not have all as it should be."""
        return set(await self._connection.scalars(select(posts.c.project_id).where(self._is_due).distinct()))

    async def due(self, of: Collection[int], most: int = 100) -> list[Wanted]:
        """What GitHub does not have as it should be in some repositories, the longest wanted first."""
        query = (
            select(posts)
            .where(self._is_due, posts.c.project_id.in_(of))
            .order_by(posts.c.wanted_at, posts.c.id)
            .limit(most)
        )
        return [
            Wanted(
                row.id,
                row.project_id,
                _post(row),
                row.attempts + 1,
                row.external_id,
                row.wanted_at,
                row.created_at,
            )
            for row in await self._connection.execute(query)
        ]

    async def begin(self, post_id: int) -> None:
        """It is on its way to GitHub from now on."""
        await self._update(post_id, attempts=posts.c.attempts + 1)

    async def sent(self, wanted: Wanted, external_id: int, at: datetime) -> None:
        """GitHub has it as it was wanted. What was wanted of it meanwhile is still due."""
        told = {"external_id": external_id, "sent": wanted.post.digest, "sent_at": at, "attempts": 0}
        is_newer = posts.c.wanted_at > wanted.wanted_at
        later = case((is_newer, func.greatest(posts.c.wanted_at, at + _TICK)), else_=wanted.wanted_at)
        await self._update(wanted.id, **told, wanted_at=later)

    async def gone(self, wanted: Wanted) -> None:
        """A person has deleted it. It is not posted again, nor is what was to be said beside it."""
        await self._update(wanted.id, is_gone=True)
        is_beside = posts.c.data["beside"].as_string() == wanted.post.key
        await self._connection.execute(
            update(posts)
            .where(self._mine, posts.c.project_id == wanted.project_id, posts.c.sent_at.is_(None), is_beside)
            .values(is_gone=True)
        )

    async def refused(self, post_id: int, why: str) -> None:
        """GitHub will not take it, now or later: kept, shown by `doctor`, and not tried again."""
        await self._update(post_id, refused=why[:500])

    async def refusals(self) -> list[tuple[str, str]]:
        """What GitHub would not take, by repository and key, and why."""
        query = (
            select(projects.c.github_repo, posts.c.key, posts.c.refused)
            .join(projects, and_(projects.c.id == posts.c.project_id, self._mine))
            .where(projects.c.organization_id == self._organization_id, posts.c.refused.is_not(None))
            .order_by(posts.c.id)
        )
        rows = await self._connection.execute(query)
        return [(f"{row.github_repo or 'a repository'}: {row.key}", row.refused) for row in rows]

    async def writes(self, now: datetime) -> Writes:
        """What GitHub has taken of us lately, answers included."""
        state = await self._connection.scalar(select(clockwork.c.state).where(clockwork.c.name == self._log))
        ours = [datetime.fromisoformat(one) for one in (state or {}).get("at", ())]
        query = select(func.count(), func.max(outbox.c.sent_at)).where(
            outbox.c.organization_id == self._organization_id, outbox.c.sent_at >= now - _HOUR
        )
        answers, last_answer = (await self._connection.execute(query)).one()
        recent = [at for at in ours if at >= now - _HOUR]
        return Writes(len(recent) + answers, max([*recent, last_answer or _NEVER], default=_NEVER))

    async def write(self, now: datetime) -> None:
        """Counts a write that is about to be made."""
        state = await self._connection.scalar(select(clockwork.c.state).where(clockwork.c.name == self._log))
        recent = [at for at in (state or {}).get("at", ()) if datetime.fromisoformat(at) >= now - _HOUR]
        values = {"state": {"at": [*recent, now.isoformat()]}, "updated_at": func.app_now()}
        statement = insert(clockwork).values(name=self._log, **values)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    @property
    def _log(self) -> str:
        """Numbers of this tenant alone; they say when, not what."""
        return f"writes:{self._organization_id}"

    @property
    def _is_due(self) -> ColumnElement[bool]:
        is_older = or_(posts.c.sent_at.is_(None), posts.c.sent_at < posts.c.wanted_at)
        return and_(self._mine, ~posts.c.is_gone, posts.c.refused.is_(None), is_older)

    @property
    def _mine(self) -> ColumnElement[bool]:
        return posts.c.organization_id == self._organization_id

    async def _update(self, post_id: int, **values: object) -> None:
        await self._connection.execute(
            update(posts).where(self._mine, posts.c.id == post_id).values(**values)
        )


def _post(row: Any) -> Post:
    return Post(row.key, PostKind(row.kind), row.body, row.thread, dict(row.data))
