"""Unasked posts about a repository's sprints: the sticky comment, alerts, and the summary at the end.

A redraw computes the desired posts and stores them; `bot/publishing/posts.py` sends them to GitHub. Redraws
are idempotent: the same facts give the same posts.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import structlog
from cachetools import LRUCache
from structlog.typing import FilteringBoundLogger

from bot.isolation import isolated
from bot.jobs.event_processor import REDRAW_EVERY
from bot.publishing.pictures import Pictures
from commands.framework.planning import Planning, writing_for
from marketplace.entitlements import EntitledIn, allow_everywhere
from reports.drafts import CurrentDrafts, Draft, DraftCache, UnchangedPost, keys_of
from reports.ended_sprint import SUMMED_UP_WITHIN, EndedSprint
from reports.running_sprint import TrackedSprint, sticky_comment_key
from reports.sprint_tracking import (
    TrackingPlace,
    find_start_thread,
    is_sprint,
    load_sprint_starts,
    resolve_tracking_place,
)
from sprints.calendar import Calendar
from sprints.milestone import Sprint
from sprints.team_settings import TeamSettings
from storage.changes import CommandChange
from storage.closed_sprints import ClosedSprints
from storage.database import Database, Tenant
from storage.forecasts import Forecasts, post_carrier
from storage.job_types import RedrawJob, SendPostsJob
from storage.jobs import Jobs
from storage.posts import Post, PostKind, Posts, PostStatus
from storage.projects import Project, Projects

_REDRAW_PAUSE = timedelta(minutes=1)
# Drafting reads all sprints, and many posts may be waiting to be sent, a second apart.
_DRAFTS_LAST = timedelta(seconds=30)


class SprintReports:
    """Computes and stores the desired posts about sprints."""

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        jobs: Jobs,
        clock: Callable[[], datetime],
        entitled_in: EntitledIn = allow_everywhere,
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._jobs = jobs
        self._clock = clock
        self._entitled_in = entitled_in
        # The last request of a redraw before sending, by repository: a bug must not cause a busy loop.
        self._requested_at: LRUCache[int, datetime] = LRUCache(maxsize=10_000)
        self._log = structlog.get_logger(__name__)

    async def redraw(self, organization_id: int, project_id: int) -> None:
        """Update all posts about one repository's sprints by the facts."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            project = await self._project(tenant, project_id)
            if project is None:
                return
            # Read before the facts: events that arrive in between are drawn by the next redraw.
            is_coming = await _is_history_coming(tenant, project)
            drafting = self._drafting(tenant, project, now, is_complete=not is_coming)
            with writing_for(project, now):
                drafts = await drafting.drafts()
            if not is_coming and not drafting.has_failed:
                # Notices that wait to be sent, but do not hold any more, are withdrawn.
                pending = await Posts(tenant).pending_notices(project_id)
                await Posts(tenant).withdraw(project_id, pending - keys_of(drafts))
        failures = list[Exception]()
        for draft in drafts:
            try:
                with writing_for(project, now):
                    await self._keep(organization_id, project, draft, now)
            except Exception as problem:  # noqa: BLE001 - raised below, after the other posts
                self._log.exception("post not drawn", project=project_id, post=draft.key)
                failures.append(problem)
        async with self._database.tenant(organization_id) as tenant:
            if is_coming:
                job = RedrawJob(organization_id=organization_id, project_id=project_id)
                await self._jobs.defer(tenant.connection, job, now + REDRAW_EVERY)
            # After a failure, sending waits for the next redraw: a waiting post would request another redraw
            # at once, which would fail, too.
            elif (
                not (drafting.has_failed or failures)
                and project_id in await Posts(tenant).projects_with_due()
            ):
                await self._jobs.defer(tenant.connection, SendPostsJob(organization_id=organization_id))
        if failures:
            raise failures[0]

    async def as_of_now(
        self, organization_id: int, project_id: int, post: Post, drafts_now: DraftCache | None = None
    ) -> Post | None:
        """Bring a post that waited to be sent up to date. None if it does not hold any more.

        Then a redraw follows, which updates or withdraws it, except after a failure to draft: the redraw
        would fail, too. `drafts_now` caches the drafts for the posts that are sent within a moment.
        """
        drafts_now = {} if drafts_now is None else drafts_now
        async with self._database.tenant(organization_id) as tenant:
            project = await self._project(tenant, project_id)
            if project is None:
                return None
            now = self._clock()
            current = drafts_now.get(project_id)
            if current is None or now - current.at >= _DRAFTS_LAST:
                current = drafts_now[project_id] = await self._current_drafts(tenant, project, now)
            match current.by_key.get(post.key):
                case UnchangedPost():
                    return post
                case Draft() as draft if draft.text is not None and _destination(draft.post) == _destination(
                    post
                ):
                    fresh = replace(draft.post, body=draft.text)
                    carrier = post_carrier(project_id, fresh.key, fresh.digest)
                    await Forecasts(tenant, project_id).record(carrier, draft.forecasts)
                    return fresh
                case None if current.has_failed:
                    return None
            last = self._requested_at.get(project_id)
            at = now + _REDRAW_PAUSE if last is not None and now - last < _REDRAW_PAUSE else None
            self._requested_at[project_id] = now
            job = RedrawJob(organization_id=organization_id, project_id=project_id)
            await self._jobs.defer(tenant.connection, job, at)
        return None

    async def _current_drafts(self, tenant: Tenant, project: Project, now: datetime) -> CurrentDrafts:
        is_complete = not await _is_history_coming(tenant, project)
        drafting = self._drafting(tenant, project, now, is_complete=is_complete)
        with writing_for(project, now):
            by_key = {draft.key: draft for draft in await drafting.drafts()}
        return CurrentDrafts(now, by_key, drafting.has_failed)

    async def _project(self, tenant: Tenant, project_id: int) -> Project | None:
        """Load the repository; None if nothing may be posted in it."""
        project = await Projects(tenant).get(project_id)
        if project is None or not project.is_accessible or project.settings.is_paused:
            return None
        return project

    def _drafting(self, tenant: Tenant, project: Project, now: datetime, *, is_complete: bool) -> "_Drafting":
        entitled = self._entitled_in(tenant.organization_id, project)
        planning = Planning(tenant, project, now, entitled)
        return _Drafting(planning, self._log, is_complete=is_complete)

    async def _keep(
        self, organization_id: int, project: Project, draft: Draft | UnchangedPost, now: datetime
    ) -> None:
        if isinstance(draft, Draft):
            await self._set_desired(organization_id, project, draft, now)
        elif draft.remember:
            async with self._database.tenant(organization_id) as tenant:
                await Posts(tenant).update_data(project.id, draft.key, draft.remember)

    async def _set_desired(self, organization_id: int, project: Project, draft: Draft, now: datetime) -> None:
        body = await self._pictures.to_markdown(organization_id, project, draft.parts)
        post = replace(draft.post, body=body)
        async with self._database.tenant(organization_id) as tenant:
            if await Posts(tenant).set_desired(project.id, post, now):
                carrier = post_carrier(project.id, post.key, post.digest)
                await Forecasts(tenant, project.id).record(carrier, draft.forecasts)
                await self._jobs.defer(tenant.connection, SendPostsJob(organization_id=organization_id))


class _Drafting:
    """Drafts the posts of one repository as of one moment."""

    def __init__(self, planning: Planning, log: FilteringBoundLogger, *, is_complete: bool) -> None:
        """Unless the history `is_complete`, no drafts notify people: they might be wrong."""
        self._planning = planning
        self._log = log
        self._posts = Posts(planning.tenant)
        self._project = planning.project
        self._now = planning.now
        self._is_complete = is_complete
        self._failed = set[int]()

    @property
    def has_failed(self) -> bool:
        """Whether the drafts of some sprint are missing after a failure."""
        return bool(self._failed)

    async def drafts(self) -> list[Draft | UnchangedPost]:
        """Draft all posts that GitHub should show now, changed and unchanged ones."""
        drafts = dict[str, Draft | UnchangedPost]()
        # A sprint is tracked in one repository, even if it spans several.
        led = [sprint for sprint in await self._planning.sprints.all(self._now) if not sprint.repository]
        with_posts = await self._milestones_with_posts()
        # Posts about a milestone that was deleted, or is no time box any more, are brought to an end.
        sprints = [sprint for sprint in led if is_sprint(sprint) or sprint.milestone in with_posts]
        recent = [sprint for sprint in sprints if self._is_recent(sprint)]
        starts = await load_sprint_starts(self._planning) if recent else ()
        for sprint in recent:
            self._failed.add(sprint.milestone)
            with isolated(self._log, "sprint not redrawn", project=self._project.id, sprint=sprint.number):
                for draft in await self._drafts_of(sprint, starts):
                    drafts.setdefault(draft.key, draft)
                self._failed.discard(sprint.milestone)
        return list(drafts.values())

    async def _drafts_of(
        self, sprint: Sprint, starts: Sequence[CommandChange]
    ) -> list[Draft | UnchangedPost]:
        """Draft the posts about one sprint."""
        planning, drafts = self._planning, list[Draft | UnchangedPost]()
        status = await self._posts.status(self._project.id, sticky_comment_key(sprint))
        tracking_place = _sent_place(status)
        if tracking_place is None and is_sprint(sprint):
            tracking_place = resolve_tracking_place(
                self._project.settings, sprint, find_start_thread(sprint, starts)
            )
        if (
            tracking_place is not None
            and status is not None
            and status.is_unsent
            and tracking_place.thread is not None
        ):
            # The thread is lost, and the issue that replaces it is not open yet.
            tracking_place = (
                TrackingPlace(None)
                if status.post.data.get("instead_of") == tracking_place.thread
                else tracking_place
            )
        if tracking_place is not None:
            is_complete = self._is_complete
            drafts += await TrackedSprint(
                planning, sprint, tracking_place, status, is_complete=is_complete
            ).drafts()
        if self._is_complete:
            drafts += await EndedSprint(planning, sprint, tracking_place, status).drafts()
        return drafts

    async def _milestones_with_posts(self) -> set[int]:
        """GitHub's ids of the milestones about which posts were stored."""
        prefixes = ("living:", "summary:", "summary-place:")
        keys = [
            key for prefix in prefixes for key in await self._posts.desired_since(self._project.id, prefix)
        ]
        return {int(key.rpartition(":")[2]) for key in keys}

    def _is_recent(self, sprint: Sprint) -> bool:
        if sprint.end is None or self._now < sprint.end:
            return sprint.start <= self._now
        return self._now < sprint.end + SUMMED_UP_WITHIN


def next_turns(now: datetime, calendar: Calendar, settings: TeamSettings) -> dict[str, datetime]:
    """The next times of a team's morning alerts and of its standup, if it has one; in UTC."""
    hours = {"morning": settings.quiet.morning, "standup": settings.standup_at}
    return {name: _next_at(now, calendar, hour) for name, hour in hours.items() if hour is not None}


def _next_at(now: datetime, calendar: Calendar, hour: time) -> datetime:
    day = calendar.day_of(now)
    while True:
        instant = calendar.instant(day, hour)
        if instant > now:
            return instant
        day += timedelta(days=1)


def _sent_place(status: PostStatus | None) -> TrackingPlace | None:
    """The place of a comment that was sent: it stays there, even if the settings have changed since."""
    return None if status is None or status.is_unsent else TrackingPlace(status.post.thread)


def _destination(post: Post) -> tuple[PostKind, int | None]:
    return post.kind, post.thread


async def _is_history_coming(tenant: Tenant, project: Project) -> bool:
    """Whether a backfill is still running, so that the history is incomplete."""
    project_ids = {project.id, *(member.id for member in project.sharing)}
    return await ClosedSprints(tenant, project_ids).is_history_still_coming()
