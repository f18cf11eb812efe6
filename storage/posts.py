"""What we say unasked: one row for each thing that is kept up to date, and whether GitHub has it."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, case, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from storage.database import Tenant
from storage.tables import clockwork, outbox, posts, projects

_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)
# One refusal is no reason to be silent for good, and no reason to ask with every event.
RETRY_AFTER = timedelta(days=1)
# What GitHub has refused for so long is not wanted by anybody any more.
_RETRY_WITHIN = timedelta(days=30)
# So many texts are remembered of attempts without an answer.
_MOST_ATTEMPTED = 3
_NEVER = datetime.min.replace(tzinfo=UTC)


# The keys of what an account's owner is told (storage/billing_posts.py). The sprints' reports leave it alone.
BILLING = "billing:"


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
    also what is to be remembered with it, in `beside` the key of a post without which it should not be said,
    and in `otherwise` the title and state of the issue that a comment becomes if its thread is gone.
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
class DesiredPost:
    """A post that GitHub does not have yet, or not so.

    `attempts` counts this one too. Nothing of it was posted before `first_wanted_at`. `sent_as` is what
    GitHub took last: `body`, and of an issue `title` and `state`; None if that is not known. `attempted` are
    the texts that it may have taken since, without an answer that reached us.
    """

    id: int
    project_id: int
    post: Post
    attempts: int
    external_id: int | None
    wanted_at: datetime
    first_wanted_at: datetime
    sent_as: Mapping[str, Any] | None = None
    attempted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PostStatus:
    """What was wanted last under a key, and what became of it.

    `external_id` and `sent_at` are None until it was sent. It `is_pending` while GitHub does not have it as
    it is wanted; `attempts` to send it so have no known outcome.
    """

    post: Post
    external_id: int | None
    is_gone: bool
    sent_at: datetime | None = None
    is_pending: bool = False
    attempts: int = 0

    @property
    def is_unsent(self) -> bool:
        """Whether nobody can have read any of it yet."""
        return self.external_id is None and self.attempts == 0


@dataclass(frozen=True, slots=True)
class RecentWrites:
    """What GitHub has taken of us lately: how much within the last hour, and when it was last asked to."""

    in_an_hour: int
    last_at: datetime


_PLACE = ("kind", "thread")
_is_pending = or_(posts.c.sent_at.is_(None), posts.c.sent_at < posts.c.wanted_at)
# Of what was refused before refusals were dated, only the last wish is known.
_refused_at = func.coalesce(posts.c.refused_at, posts.c.wanted_at)


class Posts:
    """One tenant's posts."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def set_desired(self, project_id: int, post: Post, at: datetime) -> bool:
        """From now on GitHub should show this. Whether that is anything new.

        A comment stays in the thread where it is; one that nobody can have read yet may come elsewhere.
        """
        values = {
            "kind": post.kind,
            "thread": post.thread,
            "body": post.body,
            "data": dict(post.data),
            "wanted_at": at,
        }
        fresh = insert(posts).values(
            organization_id=self._organization_id, project_id=project_id, key=post.key, **values
        )
        is_unsent = and_(posts.c.external_id.is_(None), posts.c.attempts == 0)
        is_elsewhere = and_(is_unsent, posts.c.thread.is_distinct_from(fresh.excluded.thread))
        changed = or_(posts.c.body != post.body, posts.c.data != fresh.excluded.data, is_elsewhere)
        # What GitHub has so already, unless an attempt to change it is under way.
        is_there = and_(posts.c.sent == post.digest, posts.c.attempts == 0)
        place = {name: case((is_unsent, fresh.excluded[name]), else_=posts.c[name]) for name in _PLACE}
        is_forgiven = _refused_at < at - RETRY_AFTER
        # Of what an earlier version sent, the last wish tells how GitHub took it, unless that was still due.
        is_taken = and_(posts.c.sent_as.is_(None), posts.c.external_id.is_not(None), ~_is_pending)
        has_words = posts.c.kind.in_((PostKind.COMMENT, PostKind.ISSUE))
        taken = func.jsonb_build_object(
            "body", posts.c.body,
            "title", posts.c.data["title"].as_string(),
            "state", func.coalesce(posts.c.data["state"].as_string(), "open"),
        )  # fmt: skip
        statement = fresh.on_conflict_do_update(
            index_elements=["organization_id", "project_id", "key"],
            set_={name: fresh.excluded[name] for name in ("body", "data")}
            | place
            | {
                "wanted_at": case(
                    (is_there, posts.c.sent_at), else_=func.greatest(at, posts.c.sent_at + _TICK)
                ),
                "refused": case((is_forgiven, None), else_=posts.c.refused),
                "is_withdrawn": False,
                "sent_as": case((and_(is_taken, has_words), taken), else_=posts.c.sent_as),
            },
            where=or_(changed, posts.c.is_withdrawn) & ~posts.c.is_gone,
        ).returning(posts.c.id)
        return await self._connection.scalar(statement) is not None

    async def withdraw(self, project_id: int, keys: Collection[str]) -> None:
        """What nobody was told yet is not wanted any more, unless it is wanted again."""
        await self._connection.execute(
            update(posts)
            .where(self._mine, posts.c.project_id == project_id, posts.c.key.in_(keys))
            .where(posts.c.external_id.is_(None), posts.c.sent_at.is_(None))
            .values(is_withdrawn=True, refused=None, refused_at=None)
        )

    async def remember(self, project_id: int, key: str, data: Mapping[str, Any]) -> None:
        """Keeps with a post what it was made of. Nothing of it becomes due."""
        await self._connection.execute(
            update(posts)
            .where(self._mine, posts.c.project_id == project_id, posts.c.key == key)
            .values(data=posts.c.data.op("||")(cast(dict(data), JSONB)))
        )

    async def leave_out(self, project_id: int, key: str, at: datetime) -> None:
        """What was said elsewhere is never posted here. It changes nothing of what is posted already."""
        values = {"kind": PostKind.COMMENT, "body": "", "wanted_at": at, "is_gone": True}
        statement = insert(posts).values(
            organization_id=self._organization_id, project_id=project_id, key=key, **values
        )
        await self._connection.execute(statement.on_conflict_do_nothing())

    async def known(self, project_id: int, key: str) -> Post | None:
        """What was wanted last under a key."""
        fate = await self.fate(project_id, key)
        return fate.post if fate else None

    async def fate(self, project_id: int, key: str) -> PostStatus | None:
        """What was wanted last under a key, and what has become of it. None if it was withdrawn."""
        is_it = posts.c.key == key
        return (await self._fates(project_id, is_it)).get(key)

    async def fates(self, project_id: int, prefix: str = "") -> dict[str, PostStatus]:
        """By key what was wanted last under each that begins so, without what was withdrawn."""
        return await self._fates(project_id, posts.c.key.startswith(prefix, autoescape=True))

    async def pending_notices(self, project_id: int) -> set[str]:
        """The keys of what would notify people of sprints and was not said yet."""
        query = select(posts.c.key).where(
            self._mine,
            posts.c.project_id == project_id,
            posts.c.kind != PostKind.CHECK,
            ~posts.c.key.startswith(BILLING),
            posts.c.external_id.is_(None),
            posts.c.sent_at.is_(None),
            ~posts.c.is_gone,
            ~posts.c.is_withdrawn,
        )
        return set(await self._connection.scalars(query))

    async def wanted(self, project_id: int, prefix: str) -> dict[str, datetime]:
        """The keys that begin so, without what was withdrawn, and since when each is wanted as it is."""
        query = select(posts.c.key, posts.c.wanted_at).where(
            self._mine,
            posts.c.project_id == project_id,
            posts.c.key.startswith(prefix, autoescape=True),
            ~posts.c.is_withdrawn,
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

    async def due(self, of: Collection[int], most: int = 100, *, prefix: str = "") -> list[DesiredPost]:
        """What GitHub does not have as it should be in some repositories, the longest wanted first.

        Only what has a key that begins with `prefix`.
        """
        query = (
            select(posts)
            .where(self._is_due, posts.c.project_id.in_(of))
            .where(posts.c.key.startswith(prefix, autoescape=True))
            .order_by(posts.c.wanted_at, posts.c.id)
            .limit(most)
        )
        return [
            DesiredPost(
                row.id,
                row.project_id,
                _post(row),
                row.attempts + 1,
                row.external_id,
                row.wanted_at,
                row.created_at,
                row.sent_as,
                tuple(row.attempted or ()),
            )
            for row in await self._connection.execute(query)
        ]

    async def begin(self, wanted: DesiredPost) -> bool:
        """It is on its way to GitHub from now on. False if it is not wanted like this any more."""
        body = wanted.post.body
        attempted = [*(text for text in wanted.attempted if text != body), body][-_MOST_ATTEMPTED:]
        statement = (
            update(posts)
            .where(self._mine, posts.c.id == wanted.id, posts.c.wanted_at == wanted.wanted_at)
            .where(~posts.c.is_withdrawn, ~posts.c.is_gone)
            .values(attempts=posts.c.attempts + 1, attempted=attempted)
            .returning(posts.c.id)
        )
        return await self._connection.scalar(statement) is not None

    async def sent(
        self, wanted: DesiredPost, external_id: int, at: datetime, sent_as: Mapping[str, Any] | None = None
    ) -> None:
        """GitHub has it as it was wanted, taken as `sent_as`. What was wanted meanwhile is still due."""
        values = {
            "external_id": external_id,
            "sent": wanted.post.digest,
            "sent_at": at,
            "sent_as": sent_as,
            "attempted": None,
            "attempts": 0,
            "refused": None,
            "refused_at": None,
            "is_withdrawn": False,
        }
        is_newer = posts.c.wanted_at > wanted.wanted_at
        later = case((is_newer, func.greatest(posts.c.wanted_at, at + _TICK)), else_=wanted.wanted_at)
        await self._update(wanted.id, **values, wanted_at=later)

    async def gone(self, wanted: DesiredPost) -> None:
        """A person has deleted it. It is not posted again, nor is what was to be said beside it."""
        await self._update(wanted.id, is_gone=True)
        is_beside = posts.c.data["beside"].as_string() == wanted.post.key
        await self._connection.execute(
            update(posts)
            .where(self._mine, posts.c.project_id == wanted.project_id, posts.c.sent_at.is_(None), is_beside)
            .values(is_gone=True)
        )

    async def move(self, wanted: DesiredPost, post: Post) -> None:
        """Its thread is gone, so it is posted anew as `post`."""
        place = {"kind": post.kind, "thread": post.thread, "data": dict(post.data)}
        unsent = {"external_id": None, "sent": None, "sent_at": None, "sent_as": None, "attempted": None}
        await self._update(wanted.id, **place, **unsent, attempts=0, refused=None, refused_at=None)

    async def refused(self, post_id: int, why: str, at: datetime) -> None:
        """GitHub did not take it: kept, shown by `doctor`, and tried again a day later.

        Such an attempt has left nothing on GitHub.
        """
        attempts = func.greatest(posts.c.attempts - 1, 0)
        await self._update(post_id, refused=why[:500], refused_at=at, attempts=attempts)

    async def try_again(self, project_id: int | None = None, thread: int | None = None) -> bool:
        """What GitHub refused, in one repository or all and in one thread or all, is due at once. Whether
        there is any.
        """
        statement = update(posts).where(self._mine, posts.c.refused.is_not(None), ~posts.c.is_withdrawn)
        if project_id is not None:
            statement = statement.where(posts.c.project_id == project_id)
        if thread is not None:
            is_issue = and_(posts.c.kind == PostKind.ISSUE, posts.c.external_id == thread)
            statement = statement.where(or_(posts.c.thread == thread, is_issue))
        forgiven = statement.values(refused=None, refused_at=None).returning(posts.c.id)
        return bool((await self._connection.scalars(forgiven)).all())

    async def refusals(self) -> list[tuple[str, str]]:
        """What GitHub would not take and that is still wanted, by repository and key, and why."""
        query = (
            select(projects.c.github_repo, posts.c.key, posts.c.refused)
            .join(projects, and_(projects.c.id == posts.c.project_id, self._mine))
            .where(projects.c.organization_id == self._organization_id)
            .where(self._is_wanted, posts.c.refused.is_not(None), self._is_recent)
            .order_by(posts.c.id)
        )
        rows = await self._connection.execute(query)
        return [(f"{row.github_repo or 'a repository'}: {row.key}", row.refused) for row in rows]

    async def writes(self, now: datetime) -> RecentWrites:
        """What GitHub has taken of us lately, answers included."""
        state = await self._connection.scalar(select(clockwork.c.state).where(clockwork.c.name == self._log))
        ours = [datetime.fromisoformat(one) for one in (state or {}).get("at", ())]
        query = select(func.count(), func.max(outbox.c.sent_at)).where(
            outbox.c.organization_id == self._organization_id, outbox.c.sent_at >= now - _HOUR
        )
        answers, last_answer = (await self._connection.execute(query)).one()
        recent = [at for at in ours if at >= now - _HOUR]
        return RecentWrites(len(recent) + answers, max([*recent, last_answer or _NEVER], default=_NEVER))

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
        is_retry = and_(_refused_at < func.app_now() - RETRY_AFTER, self._is_recent)
        return and_(self._is_wanted, or_(posts.c.refused.is_(None), is_retry))

    @property
    def _is_wanted(self) -> ColumnElement[bool]:
        return and_(self._mine, ~posts.c.is_gone, ~posts.c.is_withdrawn, _is_pending)

    @property
    def _is_recent(self) -> ColumnElement[bool]:
        return posts.c.wanted_at > func.app_now() - _RETRY_WITHIN

    @property
    def _mine(self) -> ColumnElement[bool]:
        return posts.c.organization_id == self._organization_id

    async def _fates(self, project_id: int, has_key: ColumnElement[bool]) -> dict[str, PostStatus]:
        query = select(posts).where(
            self._mine, posts.c.project_id == project_id, has_key, ~posts.c.is_withdrawn
        )
        return {row.key: _fate(row) for row in await self._connection.execute(query)}

    async def _update(self, post_id: int, **values: object) -> None:
        await self._connection.execute(
            update(posts).where(self._mine, posts.c.id == post_id).values(**values)
        )


def _post(row: Any) -> Post:
    return Post(row.key, PostKind(row.kind), row.body, row.thread, dict(row.data))


def _fate(row: Any) -> PostStatus:
    is_pending = row.sent_at is None or row.sent_at < row.wanted_at
    return PostStatus(_post(row), row.external_id, row.is_gone, row.sent_at, is_pending, row.attempts)
