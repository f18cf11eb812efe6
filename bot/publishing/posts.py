"""Sends unasked posts to GitHub: paced, each once, edited in place, and never again after a deletion."""

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
from storage.post_states import BILLING, DesiredPost, Post, PostKind
from storage.posts import Posts
from storage.projects import Project, Projects

# GitHub's secondary limits: at most one write a second, and 500 an hour that create content.
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
_PAUSE_SECONDS = 1.0
_MOST_AN_HOUR = 400
# Posts that have to wait must not keep the others from being read.
_MOST_AT_ONCE = 1000
_WHEN_TOO_MUCH = timedelta(minutes=10)

# An older check is computed anew before it is sent.
_CHECK_LASTS = timedelta(minutes=10)
AsOfNow = Callable[[int, int, Post, DraftCache], Awaitable[Post | None]]


class PostPublisher:
    """Sends one tenant's posts, one at a time."""

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
        """`as_of_now` brings a post that waited up to date, or returns None if it is not to be sent.

        Without `as_of_now`, posts are sent as they were stored.
        """
        self._database = database
        self._github = github
        self._clock = clock
        self._as_of_now = as_of_now
        self._pause = timedelta(seconds=pause_seconds)
        self._most_an_hour = most_an_hour
        self._log = structlog.get_logger(__name__)

    async def send(self, organization_id: int) -> None:
        """Send all posts that are due. Raises GitHubUnavailableError if the rest has to wait."""
        tried, drafts_now = set[tuple[int, PostKind]](), DraftCache()
        while True:
            due = await self._due(organization_id)
            # A post that has lost its thread is due again, as an issue.
            due = [(project, post) for project, post in due if (post.id, post.post.kind) not in tried]
            if not due:
                return
            for project, desired in due:
                tried.add((desired.id, desired.post.kind))
                if not await self._send(organization_id, project, desired, drafts_now):
                    drafts_now.clear()
                    break  # Other posts may have become outdated with this one.

    async def _due(self, organization_id: int) -> list[tuple[Project, DesiredPost]]:
        """The posts that may be sent now, with their projects."""
        async with self._database.tenant(organization_id) as tenant:
            posts = Posts(tenant)
            waiting = [
                await Projects(tenant).get(project_id) for project_id in await posts.projects_with_due()
            ]
            projects = {
                project.id: project for project in waiting if project is not None and project.is_accessible
            }
            paused = {project.id for project in projects.values() if project.settings.is_paused}
            due = await posts.due(projects.keys() - paused, _MOST_AT_ONCE)
            # Posts that others must not read are withdrawn even in a paused repository.
            paused_due = await posts.due(paused, _MOST_AT_ONCE, prefix=BILLING)
            due += [desired for desired in paused_due if _is_withdrawal(desired)]
        now = self._clock()
        pairs = [(projects[desired.project_id], desired) for desired in due]
        return [(project, desired) for project, desired in pairs if not _has_to_wait(project, desired, now)]

    async def _send(
        self, organization_id: int, project: Project, desired: DesiredPost, drafts_now: DraftCache
    ) -> bool:
        """Send a post. Returns False if other posts may have become outdated with it."""
        current = await self._brought_up_to_date(organization_id, desired, drafts_now)
        if current is None:
            return True
        desired = current
        async with self._database.tenant(organization_id) as tenant:
            if not await Posts(tenant).begin_attempt(desired):
                return True
        location = PostLocation(
            self._github.installation(project.installation or 0),
            PostRepository(project.full_name or "", project.node_id),
            desired,
            post_mark(organization_id, desired),
            lambda: self._keep_pace(organization_id),
        )
        try:
            sent = await location.write()
        except PostGoneError:
            async with self._database.tenant(organization_id) as tenant:
                await Posts(tenant).mark_deleted(desired)
            return False
        except ThreadGoneError as problem:
            return await self._repost_as_issue(organization_id, desired, str(problem))
        except GitHubRefusedError as refusal:
            await self._note_refusal(organization_id, desired, str(refusal))
            return True
        # If this is lost in a crash, the next attempt finds the post by its marker.
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).mark_sent(desired, sent.external_id, self._clock(), sent.sent_as)
            carrier = post_carrier(desired.project_id, desired.post.key, desired.post.digest)
            await mark_shown(tenant, carrier, self._clock())
            if desired.post.data.get("deletion") is True:
                await Deadlines(tenant).mark_shown(self._clock())
        return True

    async def _brought_up_to_date(
        self, organization_id: int, desired: DesiredPost, drafts_now: DraftCache
    ) -> DesiredPost | None:
        """Bring a post up to date that would notify people or is about billing, and an old check.

        Quiet hours, a limit, a refusal or an outage may have delayed it. None if it is not to be sent.
        """
        is_outdated = desired.external_id is None
        if desired.post.kind is PostKind.CHECK:
            is_outdated = desired.wanted_at < self._clock() - _CHECK_LASTS
        elif desired.post.key.startswith(BILLING):
            is_outdated = True
        if self._as_of_now is None or not is_outdated:
            return desired
        post = None
        with isolated(self._log, "post not decided", project=desired.project_id, post=desired.post.key):
            post = await self._as_of_now(organization_id, desired.project_id, desired.post, drafts_now)
        return replace(desired, post=post) if post else None

    async def _repost_as_issue(self, organization_id: int, desired: DesiredPost, why: str) -> bool:
        """Repost a post that has lost its thread as an issue, or record a refusal if it may be none.

        Returns False if other posts may have become outdated.
        """
        otherwise = desired.post.data.get("otherwise")
        if not isinstance(otherwise, Mapping):
            await self._note_refusal(organization_id, desired, why)
            return True
        self._log.info("post without its thread", key=desired.post.key, reason=why)
        data = {name: value for name, value in desired.post.data.items() if name != "otherwise"}
        # Until the issue is open, reports must know that the thread is lost.
        data |= {**otherwise, "instead_of": desired.post.thread}
        issue = replace(desired.post, kind=PostKind.ISSUE, thread=None, data=data)
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).repost_as(desired, issue)
        return False

    async def _note_refusal(self, organization_id: int, desired: DesiredPost, why: str) -> None:
        self._log.warning("post refused by GitHub", key=desired.post.key, reason=why)
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).mark_refused(desired.id, why, self._clock())

    async def _keep_pace(self, organization_id: int) -> None:
        """Wait until the next write may be made, and count it."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            writes = await Posts(tenant).recent_writes(now)
        if writes.in_an_hour >= self._most_an_hour:
            raise GitHubUnavailableError("enough was written this hour", now + _WHEN_TOO_MUCH)
        since = max(now - writes.last_at, timedelta(0))
        await asyncio.sleep(max(self._pause - since, timedelta(0)).total_seconds())
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).record_write(self._clock())


def _is_withdrawal(desired: DesiredPost) -> bool:
    return desired.post.data.get("withdrawn") is True


def _has_to_wait(project: Project, desired: DesiredPost, now: datetime) -> bool:
    """Whether a new post, which notifies people, must wait for the end of quiet hours or a quiet thread."""
    if desired.external_id is not None or desired.post.kind is PostKind.CHECK:
        return False
    local_now = project.rules.calendar.local(now)
    quiet = project.settings.quiet
    return quiet.is_quiet_hour(local_now.time()) or quiet.is_quiet_thread(
        desired.post.thread, local_now.date()
    )
