"""Brings to GitHub what we say unasked: paced, edited in place, once, and never again what was deleted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.github.client import GitHub, GitHubRefusedError, GitHubUnavailableError
from bot.isolation import isolated
from bot.publishing.post_location import (
    PostGoneError,
    PostLocation,
    PostRepository,
    ThreadGoneError,
    post_mark,
)
from reports.drafts import DraftCache
from storage.database import Database
from storage.deadlines import Deadlines
from storage.forecasts import mark_shown, post_carrier
from storage.posts import BILLING, DesiredPost, Post, PostKind, Posts
from storage.projects import Project, Projects

# GitHub's secondary limits: at most a write a second, and 500 an hour that make content.
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
_PAUSE_SECONDS = 1.0
_MOST_AN_HOUR = 400
# What has to wait must not keep the rest from being looked at.
_MOST_AT_ONCE = 1000
_WHEN_TOO_MUCH = timedelta(minutes=10)

# So long it is worked out anew anyway only if something happens.
_CHECK_LASTS = timedelta(minutes=10)
AsOfNow = Callable[[int, int, Post, DraftCache], Awaitable[Post | None]]


class PostPublisher:
    """Sends one tenant's posts, one after another."""

    def __init__(
        self,
        database: Database,
        github: GitHub,
        clock: Callable[[], datetime],
        as_of_now: AsOfNow | None = None,
        *,
        pause_seconds: float = _PAUSE_SECONDS,
        most_an_hour: int = _MOST_AN_HOUR,
    ) -> None:
        """`as_of_now` says of what waited to be said whether it is to be said now, and how.

        Without it, everything is said as it was wanted.
        """
        self._database = database
        self._github = github
        self._clock = clock
        self._as_of_now = as_of_now
        self._pause = timedelta(seconds=pause_seconds)
        self._most_an_hour = most_an_hour
        self._log = structlog.get_logger(__name__)

    async def send(self, organization_id: int) -> None:
        """Sends all that is due. Raises GitHubUnavailableError when the rest has to wait."""
        seen, drafts_now = set[tuple[int, PostKind]](), DraftCache()
        while True:
            due = await self._due(organization_id)
            # One that has lost its thread has its turn again, as an issue.
            due = [(project, post) for project, post in due if (post.id, post.post.kind) not in seen]
            if not due:
                return
            for project, wanted in due:
                seen.add((wanted.id, wanted.post.kind))
                if not await self._send(organization_id, project, wanted, drafts_now):
                    drafts_now.clear()
                    break  # Others may have gone with it.

    async def _due(self, organization_id: int) -> list[tuple[Project, DesiredPost]]:
        """What may be said now, and where: what has to wait stops nothing else."""
        async with self._database.tenant(organization_id) as tenant:
            posts = Posts(tenant)
            waiting = [await Projects(tenant).get(one) for one in await posts.projects_with_due()]
            projects = {one.id: one for one in waiting if one is not None and one.is_accessible}
            paused = {one.id for one in projects.values() if one.settings.is_paused}
            due = await posts.due(projects.keys() - paused, _MOST_AT_ONCE)
            # What must not be read by others is withdrawn even where nothing is said.
            due += [
                one for one in await posts.due(paused, _MOST_AT_ONCE, prefix=BILLING) if _is_withdrawal(one)
            ]
        now = self._clock()
        found = [(projects[one.project_id], one) for one in due]
        return [(project, one) for project, one in found if not _has_to_wait(project, one, now)]

    async def _send(
        self, organization_id: int, project: Project, wanted: DesiredPost, drafts_now: DraftCache
    ) -> bool:
        """Whether the others are still wanted as they were."""
        decided = await self._decided(organization_id, wanted, drafts_now)
        if decided is None:
            return True
        wanted = decided
        async with self._database.tenant(organization_id) as tenant:
            if not await Posts(tenant).begin_attempt(wanted):
                return True
        place = PostLocation(
            self._github.installation(project.installation or 0),
            PostRepository(project.full_name or "", project.node_id),
            wanted,
            post_mark(organization_id, wanted),
            lambda: self._keep_pace(organization_id),
        )
        try:
            written = await place.write()
        except PostGoneError:
            async with self._database.tenant(organization_id) as tenant:
                await Posts(tenant).mark_deleted(wanted)
            return False
        except ThreadGoneError as problem:
            return await self._leave(organization_id, wanted, str(problem))
        except GitHubRefusedError as refusal:
            await self._note_refusal(organization_id, wanted, str(refusal))
            return True
        # Lost in a crash, the next attempt finds the post by its marker.
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).mark_sent(wanted, written.external_id, self._clock(), written.sent_as)
            carrier = post_carrier(wanted.project_id, wanted.post.key, wanted.post.digest)
            await mark_shown(tenant, carrier, self._clock())
            if wanted.post.data.get("deletion") is True:
                await Deadlines(tenant).mark_shown(self._clock())
        return True

    async def _decided(
        self, organization_id: int, wanted: DesiredPost, drafts_now: DraftCache
    ) -> DesiredPost | None:
        """A post as it is to be sent: what would notify people or tells of money, and an old check, is
        decided when it is sent.

        Since it was written, quiet hours, a limit, a refusal or an outage may have passed.
        """
        is_decided_now = wanted.external_id is None
        if wanted.post.kind is PostKind.CHECK:
            is_decided_now = wanted.wanted_at < self._clock() - _CHECK_LASTS
        elif wanted.post.key.startswith(BILLING):
            is_decided_now = True
        if self._as_of_now is None or not is_decided_now:
            return wanted
        post = None
        with isolated(self._log, "post not decided", project=wanted.project_id, post=wanted.post.key):
            post = await self._as_of_now(organization_id, wanted.project_id, wanted.post, drafts_now)
        return replace(wanted, post=post) if post else None

    async def _leave(self, organization_id: int, wanted: DesiredPost, why: str) -> bool:
        """Posts as an issue of its own what has lost its thread, or notes why it is not said."""
        otherwise = wanted.post.data.get("otherwise")
        if not isinstance(otherwise, Mapping):
            await self._note_refusal(organization_id, wanted, why)
            return True
        self._log.info("post without its thread", key=wanted.post.key, reason=why)
        data = {name: value for name, value in wanted.post.data.items() if name != "otherwise"}
        # Until it stands there, it must be known that its thread is lost.
        data |= {**otherwise, "instead_of": wanted.post.thread}
        issue = replace(wanted.post, kind=PostKind.ISSUE, thread=None, data=data)
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).repost_as(wanted, issue)
        return False

    async def _note_refusal(self, organization_id: int, wanted: DesiredPost, why: str) -> None:
        self._log.warning("post refused by GitHub", key=wanted.post.key, reason=why)
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).mark_refused(wanted.id, why, self._clock())

    async def _keep_pace(self, organization_id: int) -> None:
        """Waits until the next write may be made, and counts it."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            writes = await Posts(tenant).recent_writes(now)
        if writes.in_an_hour >= self._most_an_hour:
            raise GitHubUnavailableError("enough was written this hour", now + _WHEN_TOO_MUCH)
        since = max(now - writes.last_at, timedelta(0))
        await asyncio.sleep(max(self._pause - since, timedelta(0)).total_seconds())
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).record_write(self._clock())


def _is_withdrawal(wanted: DesiredPost) -> bool:
    return wanted.post.data.get("withdrawn") is True


def _has_to_wait(project: Project, wanted: DesiredPost, now: datetime) -> bool:
    """What would notify people does not come at any hour, nor into any thread."""
    if wanted.external_id is not None or wanted.post.kind is PostKind.CHECK:
        return False
    there = project.rules.calendar.local(now)
    quiet = project.settings.quiet
    return quiet.is_quiet_hour(there.time()) or quiet.is_quiet_thread(wanted.post.thread, there.date())
