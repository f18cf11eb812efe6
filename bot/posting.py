"""Brings to GitHub what we say unasked: paced, edited in place, once, and never again what was deleted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import structlog

from bot.app_identity import AppIdentity
from bot.github import GitHub, GitHubRefusedError, GitHubUnavailableError, Installation
from bot.markers import Mark
from bot.publish import cut
from bot.release_notes import MarkedPart, write_into_release
from sprints.quiet import is_paused, is_quiet_hour, is_quiet_thread
from storage.database import Database
from storage.posts import Post, PostKind, Posts, Wanted
from storage.projects import Project, Projects

# GitHub's secondary limits: at most a write a second, and 500 an hour that make content.
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
_PAUSE_SECONDS = 1.0
_MOST_AN_HOUR = 400
# What has to wait must not keep the rest from being looked at.
_MOST_AT_ONCE = 1000
_WHEN_TOO_MUCH = timedelta(minutes=10)
_GONE = {404, 410}
_CLOCK_DIFFERENCE = timedelta(minutes=5)


class Posting:
    """Sends one tenant's posts, one after another."""

    def __init__(
        self,
        database: Database,
        github: GitHub,
        clock: Callable[[], datetime],
        *,
        pause_seconds: float = _PAUSE_SECONDS,
        most_an_hour: int = _MOST_AN_HOUR,
    ) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._pause = timedelta(seconds=pause_seconds)
        self._most_an_hour = most_an_hour
        self._log = structlog.get_logger(__name__)

    async def send(self, organization_id: int) -> None:
        """Sends all that is due. Raises GitHubUnavailableError when the rest has to wait."""
        seen = set[int]()
        while True:
            due = [one for one in await self._due(organization_id) if one[1].id not in seen]
            if not due:
                return
            for project, wanted in due:
                seen.add(wanted.id)
                if not await self._send(organization_id, project, wanted):
                    break  # Others may have gone with it.

    async def _due(self, organization_id: int) -> list[tuple[Project, Wanted]]:
        """What may be said now, and where: what has to wait stops nothing else."""
        async with self._database.tenant(organization_id) as tenant:
            waiting = [await Projects(tenant).get(one) for one in await Posts(tenant).waiting()]
            projects = {one.id: one for one in waiting if one is not None and _is_open(one)}
            due = await Posts(tenant).due(projects, _MOST_AT_ONCE)
        now = self._clock()
        found = [(projects[one.project_id], one) for one in due]
        return [(project, one) for project, one in found if not _has_to_wait(project, one, now)]

    async def _send(self, organization_id: int, project: Project, wanted: Wanted) -> bool:
        """Whether it is still wanted."""
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).begin(wanted.id)
        place = _Place(
            self._github.installation(project.installation or 0),
            f"/repos/{project.full_name}",
            wanted,
            Mark(organization_id, project.id, _place_of(wanted.post), f"post:{wanted.id}"),
            lambda: self._keep_pace(organization_id),
        )
        try:
            external_id = await place.write()
        except GitHubRefusedError as refusal:
            async with self._database.tenant(organization_id) as tenant:
                if wanted.external_id is not None and refusal.status in _GONE:
                    await Posts(tenant).gone(wanted)
                    return False
                self._log.warning("post refused by GitHub", key=wanted.post.key, reason=str(refusal))
                await Posts(tenant).refused(wanted.id, str(refusal))
            return True
        # Lost in a crash, the next attempt finds the post by its marker.
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).sent(wanted, external_id, self._clock())
        return True

    async def _keep_pace(self, organization_id: int) -> None:
        """Waits until the next write may be made, and counts it."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            writes = await Posts(tenant).writes(now)
        if writes.in_an_hour >= self._most_an_hour:
            raise GitHubUnavailableError("enough was written this hour", now + _WHEN_TOO_MUCH)
        since = max(now - writes.last_at, timedelta(0))
        await asyncio.sleep(max(self._pause - since, timedelta(0)).total_seconds())
        async with self._database.tenant(organization_id) as tenant:
            await Posts(tenant).write(self._clock())


def _is_open(project: Project) -> bool:
    has_place = project.installation is not None and project.full_name is not None
    return has_place and not is_paused(project.settings)


def _has_to_wait(project: Project, wanted: Wanted, now: datetime) -> bool:
    """What would notify people does not come at any hour, nor into any thread."""
    if wanted.external_id is not None or wanted.post.kind is PostKind.CHECK:
        return False
    there = project.rules.calendar.local(now)
    return is_quiet_hour(project.settings, there.time()) or is_quiet_thread(
        project.settings, wanted.post.thread, there.date()
    )


class _Place:
    """Where one post belongs on GitHub."""

    def __init__(
        self,
        installation: Installation,
        repository: str,
        wanted: Wanted,
        mark: Mark,
        keep_pace: Callable[[], Awaitable[None]],
    ) -> None:
        """`mark` identifies the post; `keep_pace` is waited for before each write."""
        self._installation = installation
        self._repository = repository
        self._keep_pace = keep_pace
        self._markers = installation.markers
        self._mark = mark
        self._wanted = wanted
        self._post = wanted.post

    async def write(self) -> int:
        """Edits it, or posts it. Returns GitHub's id of it; of an issue its number."""
        external_id = self._wanted.external_id
        if self._post.kind is PostKind.RELEASE:
            path = f"{self._repository}/releases/{self._post.data['release']}"
            marked = MarkedPart(self._markers, self._mark)
            return await write_into_release(self._installation, path, self._wanted, marked, self._keep_pace)
        if external_id is None and self._wanted.attempts > 1:
            external_id = await self._already_posted()
        if external_id is None:
            return await self._create()
        await self._edit(external_id)
        return external_id

    async def _create(self) -> int:
        await self._keep_pace()
        told = await self._installation.post(self._list, self._content())
        if self._post.kind is PostKind.ISSUE:
            number = int(told["number"])
            if "state" in self._post.data:
                await self._edit(number)
            return number
        return int(told["id"])

    async def _edit(self, external_id: int) -> None:
        paths = {
            PostKind.COMMENT: f"{self._repository}/issues/comments/{external_id}",
            PostKind.ISSUE: f"{self._repository}/issues/{external_id}",
            PostKind.CHECK: f"{self._repository}/check-runs/{external_id}",
        }
        content = self._content()
        if self._post.kind is PostKind.CHECK:
            content.pop("head_sha", None)
        elif self._post.kind is PostKind.ISSUE:
            content |= {
                name: self._post.data[name] for name in ("state", "state_reason") if name in self._post.data
            }
        await self._keep_pace()
        await self._installation.patch(paths[self._post.kind], content)

    def _content(self) -> dict[str, Any]:
        data = self._post.data
        if self._post.kind is PostKind.CHECK:
            return {**data, "external_id": self._markers.text(self._mark)}
        body = f"{cut(self._post.body)}\n\n{self._markers.comment(self._mark)}"
        return (
            {"body": body} if self._post.kind is PostKind.COMMENT else {"title": data["title"], "body": body}
        )

    @property
    def _list(self) -> str:
        return {
            PostKind.COMMENT: f"{self._repository}/issues/{self._post.thread}/comments",
            PostKind.ISSUE: f"{self._repository}/issues",
            PostKind.CHECK: f"{self._repository}/check-runs",
        }[self._post.kind]

    async def _already_posted(self) -> int | None:
        """That of an earlier attempt which died between GitHub's answer and our note of it."""
        since = quote((self._wanted.first_wanted_at - _CLOCK_DIFFERENCE).strftime("%Y-%m-%dT%H:%M:%SZ"))
        match self._post.kind:
            case PostKind.COMMENT:
                path, key = f"{self._list}?per_page=100&since={since}", None
            case PostKind.ISSUE:
                path, key = f"{self._list}?state=all&per_page=100&since={since}", None
            case PostKind.CHECK:
                path = f"{self._repository}/commits/{self._post.data['head_sha']}/check-runs?per_page=100"
                key = "check_runs"
        identity = await self._installation.identity()
        async for written in self._installation.pages(path, key):
            if self._is_ours(written, identity):
                return int(written["number" if self._post.kind is PostKind.ISSUE else "id"])
        return None

    def _is_ours(self, written: Mapping[str, Any], identity: AppIdentity) -> bool:
        """Whether our App wrote this post. A check has a field for the marker."""
        if self._post.kind is PostKind.CHECK:
            return self._markers.is_text(written.get("external_id"), self._mark) and identity.made(written)
        return self._markers.marks(written.get("body"), self._mark) and identity.wrote(written)


def _place_of(post: Post) -> str:
    """Where a post belongs, as its marker says it."""
    match post.kind:
        case PostKind.COMMENT:
            return f"thread:{post.thread}"
        case PostKind.ISSUE:
            return "issues"
        case PostKind.CHECK:
            return f"commit:{post.data['head_sha']}"
        case PostKind.RELEASE:
            return f"release:{post.data['release']}"
