"""Posts: the desired and the actual state of comments, issues, checks and releases on GitHub."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from storage.database import Tenant
from storage.post_states import BILLING, DesiredPost, Post, PostKind, PostStatus, RecentWrites
from storage.tables import clockwork, outbox, posts, projects

_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)
# A refused post is neither given up immediately nor retried with every event.
RETRY_AFTER = timedelta(days=1)
# A post that GitHub has refused for this long is not tried any more.
_RETRY_WITHIN = timedelta(days=30)
# How many texts are kept of attempts without an answer.
_MOST_ATTEMPTED = 3
_NEVER = datetime.min.replace(tzinfo=UTC)


_PLACE = ("kind", "thread")
_is_pending = or_(posts.c.sent_at.is_(None), posts.c.sent_at < posts.c.wanted_at)
# Rows that were refused before refusals had dates know only when they were last desired.
_refused_at = func.coalesce(posts.c.refused_at, posts.c.wanted_at)


class Posts:
    """The posts of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def set_desired(self, project_id: int, post: Post, at: datetime) -> bool:
        """Set the desired content of a post from `at` on; return whether that changes anything.

        A comment stays in its thread; an unsent comment may move to another thread.
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
        # GitHub has this content already, unless an attempt to change it is under way.
        is_up_to_date = and_(posts.c.sent == post.digest, posts.c.attempts == 0)
        place = {name: case((is_unsent, fresh.excluded[name]), else_=posts.c[name]) for name in _PLACE}
        is_retry_due = _refused_at < at - RETRY_AFTER
        # Rows of earlier versions have no `sent_as`: unless pending, GitHub has the last desired content.
        has_old_record = and_(posts.c.sent_as.is_(None), posts.c.external_id.is_not(None), ~_is_pending)
        has_text = posts.c.kind.in_((PostKind.COMMENT, PostKind.ISSUE))
        accepted = func.jsonb_build_object(
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
                    (is_up_to_date, posts.c.sent_at), else_=func.greatest(at, posts.c.sent_at + _TICK)
                ),
                "refused": case((is_retry_due, None), else_=posts.c.refused),
                "is_withdrawn": False,
                "sent_as": case((and_(has_old_record, has_text), accepted), else_=posts.c.sent_as),
            },
            where=or_(changed, posts.c.is_withdrawn) & ~posts.c.is_gone,
        ).returning(posts.c.id)
        return await self._connection.scalar(statement) is not None

    async def withdraw(self, project_id: int, keys: Collection[str]) -> None:
        """Withdraw posts that were never sent; they stay withdrawn until they are desired again."""
        await self._connection.execute(
            update(posts)
            .where(self._is_mine, posts.c.project_id == project_id, posts.c.key.in_(keys))
            .where(posts.c.external_id.is_(None), posts.c.sent_at.is_(None))
            .values(is_withdrawn=True, refused=None, refused_at=None)
        )

    async def update_data(self, project_id: int, key: str, data: Mapping[str, Any]) -> None:
        """Merge facts into the data of a post without making the post due."""
        await self._connection.execute(
            update(posts)
            .where(self._is_mine, posts.c.project_id == project_id, posts.c.key == key)
            .values(data=posts.c.data.op("||")(cast(dict(data), JSONB)))
        )

    async def suppress(self, project_id: int, key: str, at: datetime) -> None:
        """Never post under a key, because the content was posted elsewhere; an existing post stays."""
        values = {"kind": PostKind.COMMENT, "body": "", "wanted_at": at, "is_gone": True}
        statement = insert(posts).values(
            organization_id=self._organization_id, project_id=project_id, key=key, **values
        )
        await self._connection.execute(statement.on_conflict_do_nothing())

    async def desired_post(self, project_id: int, key: str) -> Post | None:
        """The desired content of a key; None if there is none or it was withdrawn."""
        status = await self.status(project_id, key)
        return status.post if status else None

    async def status(self, project_id: int, key: str) -> PostStatus | None:
        """The status of the post with a key; None if there is none or it was withdrawn."""
        has_key = posts.c.key == key
        return (await self._statuses(project_id, has_key)).get(key)

    async def statuses(self, project_id: int, prefix: str = "") -> dict[str, PostStatus]:
        """The status, by key, of the posts whose key begins with `prefix`, without withdrawn ones."""
        return await self._statuses(project_id, posts.c.key.startswith(prefix, autoescape=True))

    async def pending_notices(self, project_id: int) -> set[str]:
        """The keys of unsent posts about sprints that would notify people, which checks do not."""
        query = select(posts.c.key).where(
            self._is_mine,
            posts.c.project_id == project_id,
            posts.c.kind != PostKind.CHECK,
            ~posts.c.key.startswith(BILLING),
            posts.c.external_id.is_(None),
            posts.c.sent_at.is_(None),
            ~posts.c.is_gone,
            ~posts.c.is_withdrawn,
        )
        return set(await self._connection.scalars(query))

    async def desired_since(self, project_id: int, prefix: str) -> dict[str, datetime]:
        """Since when, by key, the posts whose key begins with `prefix` have their desired content."""
        query = select(posts.c.key, posts.c.wanted_at).where(
            self._is_mine,
            posts.c.project_id == project_id,
            posts.c.key.startswith(prefix, autoescape=True),
            ~posts.c.is_withdrawn,
        )
        return {row.key: row.wanted_at for row in await self._connection.execute(query)}

    async def first_seen_at(self, project_id: int) -> datetime | None:
        """Return when a repository was first seen; None if never."""
        query = select(projects.c.created_at).where(
            projects.c.organization_id == self._organization_id, projects.c.id == project_id
        )
        return await self._connection.scalar(query)

    async def projects_with_due(self) -> set[int]:
        """The ids of the repositories with posts that are due."""
        return set(await self._connection.scalars(select(posts.c.project_id).where(self._is_due).distinct()))

    async def due(
        self, project_ids: Collection[int], most: int = 100, *, prefix: str = ""
    ) -> list[DesiredPost]:
        """The due posts of some repositories whose key begins with `prefix`, the longest desired first."""
        query = (
            select(posts)
            .where(self._is_due, posts.c.project_id.in_(project_ids))
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

    async def begin_attempt(self, desired: DesiredPost) -> bool:
        """Count an attempt to send a post; False if its desired content has changed meanwhile."""
        body = desired.post.body
        attempted = [*(text for text in desired.attempted if text != body), body][-_MOST_ATTEMPTED:]
        statement = (
            update(posts)
            .where(self._is_mine, posts.c.id == desired.id, posts.c.wanted_at == desired.wanted_at)
            .where(~posts.c.is_withdrawn, ~posts.c.is_gone)
            .values(attempts=posts.c.attempts + 1, attempted=attempted)
            .returning(posts.c.id)
        )
        return await self._connection.scalar(statement) is not None

    async def mark_sent(
        self, desired: DesiredPost, external_id: int, at: datetime, sent_as: Mapping[str, Any] | None = None
    ) -> None:
        """Record that GitHub accepted a post as `sent_as`. Content desired meanwhile is still due."""
        values = {
            "external_id": external_id,
            "sent": desired.post.digest,
            "sent_at": at,
            "sent_as": sent_as,
            "attempted": None,
            "attempts": 0,
            "refused": None,
            "refused_at": None,
            "is_withdrawn": False,
        }
        is_newer = posts.c.wanted_at > desired.wanted_at
        desired_at = case((is_newer, func.greatest(posts.c.wanted_at, at + _TICK)), else_=desired.wanted_at)
        await self._update(desired.id, **values, wanted_at=desired_at)

    async def mark_deleted(self, desired: DesiredPost) -> None:
        """Record that a person deleted a post: neither it nor unsent posts `beside` it are posted again."""
        await self._update(desired.id, is_gone=True)
        is_beside = posts.c.data["beside"].as_string() == desired.post.key
        await self._connection.execute(
            update(posts)
            .where(
                self._is_mine, posts.c.project_id == desired.project_id, posts.c.sent_at.is_(None), is_beside
            )
            .values(is_gone=True)
        )

    async def repost_as(self, desired: DesiredPost, post: Post) -> None:
        """Send a post anew with the place of `post`, because its thread was deleted."""
        place = {"kind": post.kind, "thread": post.thread, "data": dict(post.data)}
        unsent = {"external_id": None, "sent": None, "sent_at": None, "sent_as": None, "attempted": None}
        await self._update(desired.id, **place, **unsent, attempts=0, refused=None, refused_at=None)

    async def mark_refused(self, post_id: int, why: str, at: datetime) -> None:
        """Record that GitHub refused a post: `doctor` shows it, and it is tried again a day later.

        A refused attempt leaves nothing on GitHub, and does not count.
        """
        attempts = func.greatest(posts.c.attempts - 1, 0)
        await self._update(post_id, refused=why[:500], refused_at=at, attempts=attempts)

    async def retry_refused(self, project_id: int | None = None, thread: int | None = None) -> bool:
        """Make refused posts due now, in one repository or all, and in one thread or all.

        Returns whether there are any.
        """
        statement = update(posts).where(self._is_mine, posts.c.refused.is_not(None), ~posts.c.is_withdrawn)
        if project_id is not None:
            statement = statement.where(posts.c.project_id == project_id)
        if thread is not None:
            is_issue = and_(posts.c.kind == PostKind.ISSUE, posts.c.external_id == thread)
            statement = statement.where(or_(posts.c.thread == thread, is_issue))
        retried = statement.values(refused=None, refused_at=None).returning(posts.c.id)
        return bool((await self._connection.scalars(retried)).all())

    async def refusals(self) -> list[tuple[str, str]]:
        """The refused posts that are still desired: repository and key, and the reason."""
        query = (
            select(projects.c.github_repo, posts.c.key, posts.c.refused)
            .join(projects, and_(projects.c.id == posts.c.project_id, self._is_mine))
            .where(projects.c.organization_id == self._organization_id)
            .where(self._is_wanted, posts.c.refused.is_not(None), self._is_recent)
            .order_by(posts.c.id)
        )
        rows = await self._connection.execute(query)
        return [(f"{row.github_repo or 'a repository'}: {row.key}", row.refused) for row in rows]

    async def recent_writes(self, now: datetime) -> RecentWrites:
        """Count the tenant's writes to GitHub within the last hour, answers included."""
        state = await self._connection.scalar(select(clockwork.c.state).where(clockwork.c.name == self._log))
        posted = [datetime.fromisoformat(at) for at in (state or {}).get("at", ())]
        query = select(func.count(), func.max(outbox.c.sent_at)).where(
            outbox.c.organization_id == self._organization_id, outbox.c.sent_at >= now - _HOUR
        )
        answers, last_answer = (await self._connection.execute(query)).one()
        recent_posts = [at for at in posted if at >= now - _HOUR]
        return RecentWrites(
            len(recent_posts) + answers, max([*recent_posts, last_answer or _NEVER], default=_NEVER)
        )

    async def record_write(self, now: datetime) -> None:
        """Count a write that is about to be made."""
        state = await self._connection.scalar(select(clockwork.c.state).where(clockwork.c.name == self._log))
        recent = [at for at in (state or {}).get("at", ()) if datetime.fromisoformat(at) >= now - _HOUR]
        values = {"state": {"at": [*recent, now.isoformat()]}, "updated_at": func.app_now()}
        statement = insert(clockwork).values(name=self._log, **values)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    @property
    def _log(self) -> str:
        """The name of the tenant's row in `clockwork`, for the times of its writes."""
        return f"writes:{self._organization_id}"

    @property
    def _is_due(self) -> ColumnElement[bool]:
        is_retry = and_(_refused_at < func.app_now() - RETRY_AFTER, self._is_recent)
        return and_(self._is_wanted, or_(posts.c.refused.is_(None), is_retry))

    @property
    def _is_wanted(self) -> ColumnElement[bool]:
        return and_(self._is_mine, ~posts.c.is_gone, ~posts.c.is_withdrawn, _is_pending)

    @property
    def _is_recent(self) -> ColumnElement[bool]:
        return posts.c.wanted_at > func.app_now() - _RETRY_WITHIN

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return posts.c.organization_id == self._organization_id

    async def _statuses(self, project_id: int, has_key: ColumnElement[bool]) -> dict[str, PostStatus]:
        query = select(posts).where(
            self._is_mine, posts.c.project_id == project_id, has_key, ~posts.c.is_withdrawn
        )
        return {row.key: _status(row) for row in await self._connection.execute(query)}

    async def _update(self, post_id: int, **values: object) -> None:
        await self._connection.execute(
            update(posts).where(self._is_mine, posts.c.id == post_id).values(**values)
        )


def _post(row: Any) -> Post:
    return Post(row.key, PostKind(row.kind), row.body, row.thread, dict(row.data))


def _status(row: Any) -> PostStatus:
    is_pending = row.sent_at is None or row.sent_at < row.wanted_at
    return PostStatus(_post(row), row.external_id, row.is_gone, row.sent_at, is_pending, row.attempts)
