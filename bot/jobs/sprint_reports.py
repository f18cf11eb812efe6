"""The posts about a repository's sprints: the sticky comment, alerts, and the summary at the end.

A redraw works out what GitHub should show and stores it as posts, in the facts' transaction where no picture
has to be drawn; `bot/publishing/posts.py` brings them to GitHub. Redraws are idempotent: the same facts give
the same posts.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import structlog
from cachetools import LRUCache
from structlog.typing import FilteringBoundLogger

from bot.isolation import isolated
from bot.jobs.event_processor import REDRAW_EVERY
from bot.jobs.turns import spread_by_tenant
from bot.publishing.item_titles import ItemTitles
from bot.publishing.pictures import Pictures
from commands.framework.planning import Planning, write_in_locale
from marketplace.entitlements import EntitledIn
from reports.drafts import CurrentDrafts, Draft, DraftCache, UnchangedPost, list_keys
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
from storage.post_states import Post, PostKind, PostStatus
from storage.posts import Posts
from storage.projects import Project, Projects

# All teams of a zone have their morning at the same time. Their turns are spread over this time after it.
_SPREAD = timedelta(minutes=5)
_REDRAW_AGAIN_AFTER = timedelta(minutes=1)
# Drafting reads all sprints, and many posts may be waiting to be sent, a second apart. So drafts are reused
# for this time.
_DRAFTS_LAST = timedelta(seconds=30)


class SprintReports:
    """Works out the posts about sprints."""

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        titles: ItemTitles,
        jobs: Jobs,
        clock: Callable[[], datetime],
        entitled_in: EntitledIn,
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._titles = titles
        self._jobs = jobs
        self._clock = clock
        self._entitled_in = entitled_in
        # When a redraw was queued before sending, by repository: a bug must not make this a busy loop.
        self._redrawn_at: LRUCache[int, datetime] = LRUCache(maxsize=10_000)
        self._log = structlog.get_logger(__name__)

    async def redraw(self, organization_id: int, project_id: int) -> None:
        """Bring the posts about one repository's sprints up to date with the facts."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            project = await self._project(tenant, project_id)
            if project is None:
                return
            # Asked before the facts are read: history that is written meanwhile is drawn next time.
            is_history_coming = await _is_history_coming(tenant, project)
            drafting = self._drafting(tenant, project, now, is_complete=not is_history_coming)
            with write_in_locale(project, now):
                drafts = await drafting.drafts()
            if not is_history_coming and not drafting.has_failed:
                # A notice that has not been sent, and does not hold any more, is withdrawn.
                pending = await Posts(tenant).pending_notices(project_id)
                await Posts(tenant).withdraw(project_id, pending - list_keys(drafts))
        failures = list[Exception]()
        for draft in drafts:
            try:
                with write_in_locale(project, now):
                    await self._store(organization_id, project, draft, now)
            except Exception as problem:  # noqa: BLE001 - raised below, after the other posts
                self._log.exception("post not drawn", project=project_id, post=draft.key)
                failures.append(problem)
        async with self._database.tenant(organization_id) as tenant:
            if is_history_coming:
                job = RedrawJob(organization_id=organization_id, project_id=project_id)
                await self._jobs.defer(tenant.connection, job, now + REDRAW_EVERY)
            # If drafting failed, sending would immediately queue another redraw, which would fail, too. So
            # unsent posts wait for the next turn.
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
        """Return a waiting post with its current content. None if the post is obsolete.

        If None, a redraw is queued, which updates the post or withdraws it; not if drafting failed, because
        the redraw would fail, too. `drafts_now` caches drafts for the posts of one sending, by project.
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
                case Draft() as draft if draft.text is not None and _place(draft.post) == _place(post):
                    body = await self._titles.add(tenant, project, draft.text)
                    fresh = replace(draft.post, body=body)
                    carrier = post_carrier(project_id, fresh.key, fresh.digest)
                    await Forecasts(tenant, project_id).record(carrier, draft.forecasts)
                    return fresh
                case None if current.has_failed:
                    return None
            last = self._redrawn_at.get(project_id)
            is_too_soon = last is not None and now - last < _REDRAW_AGAIN_AFTER
            at = now + _REDRAW_AGAIN_AFTER if is_too_soon else None
            self._redrawn_at[project_id] = now
            job = RedrawJob(organization_id=organization_id, project_id=project_id)
            await self._jobs.defer(tenant.connection, job, at)
        return None

    async def _current_drafts(self, tenant: Tenant, project: Project, now: datetime) -> CurrentDrafts:
        is_complete = not await _is_history_coming(tenant, project)
        drafting = self._drafting(tenant, project, now, is_complete=is_complete)
        with write_in_locale(project, now):
            by_key = {draft.key: draft for draft in await drafting.drafts()}
        return CurrentDrafts(now, by_key, drafting.has_failed)

    async def _project(self, tenant: Tenant, project_id: int) -> Project | None:
        """The repository, if anything may be posted in it."""
        project = await Projects(tenant).get(project_id)
        if project is None or not project.is_accessible or project.settings.is_paused:
            return None
        return project

    def _drafting(self, tenant: Tenant, project: Project, now: datetime, *, is_complete: bool) -> "_Drafting":
        entitled = self._entitled_in(tenant.organization_id, project)
        planning = Planning(tenant, project, now, entitled)
        return _Drafting(planning, self._log, is_complete=is_complete)

    async def _store(
        self, organization_id: int, project: Project, draft: Draft | UnchangedPost, now: datetime
    ) -> None:
        if isinstance(draft, Draft):
            await self._set_desired(organization_id, project, draft, now)
        elif draft.remember:
            async with self._database.tenant(organization_id) as tenant:
                await Posts(tenant).update_data(project.id, draft.key, draft.remember)

    async def _set_desired(self, organization_id: int, project: Project, draft: Draft, now: datetime) -> None:
        has_themes = draft.post.kind is not PostKind.RELEASE  # whose text is mailed and shown on many pages
        body = await self._pictures.to_markdown(organization_id, project, draft.parts, has_themes=has_themes)
        async with self._database.tenant(organization_id) as tenant:
            post = replace(draft.post, body=await self._titles.add(tenant, project, body))
            if await Posts(tenant).set_desired(project.id, post, now):
                carrier = post_carrier(project.id, post.key, post.digest)
                await Forecasts(tenant, project.id).record(carrier, draft.forecasts)
                await self._jobs.defer(tenant.connection, SendPostsJob(organization_id=organization_id))


class _Drafting:
    """Computes the desired posts about one repository's sprints at one time."""

    def __init__(self, planning: Planning, log: FilteringBoundLogger, *, is_complete: bool) -> None:
        """Unless history `is_complete`, no post is drafted that notifies people: it might be wrong."""
        self._planning = planning
        self._log = log
        self._posts = Posts(planning.tenant)
        self._project = planning.project
        self._now = planning.now
        self._is_complete = is_complete
        # Milestones whose drafting failed or is unfinished.
        self._failed = set[int]()

    @property
    def has_failed(self) -> bool:
        """Whether drafting has failed for some sprint."""
        return bool(self._failed)

    async def drafts(self) -> list[Draft | UnchangedPost]:
        """All that GitHub should show now: posts to write, and posts to keep as they are."""
        drafts = dict[str, Draft | UnchangedPost]()
        # A sprint is followed in one repository, even if it spans several.
        own = [sprint for sprint in await self._planning.sprints.all(self._now) if not sprint.repository]
        posted = await self._posted_milestones()
        # Posts about a milestone that is deleted, or is no time box any more, are brought to their end.
        sprints = [sprint for sprint in own if is_sprint(sprint) or sprint.milestone in posted]
        recent = [sprint for sprint in sprints if self._is_recent(sprint)]
        start_commands = await load_sprint_starts(self._planning) if recent else ()
        for sprint in recent:
            self._failed.add(sprint.milestone)
            with isolated(self._log, "sprint not redrawn", project=self._project.id, sprint=sprint.number):
                for draft in await self._drafts_of(sprint, start_commands):
                    drafts.setdefault(draft.key, draft)
                self._failed.discard(sprint.milestone)
        return list(drafts.values())

    async def _drafts_of(
        self, sprint: Sprint, start_commands: Sequence[CommandChange]
    ) -> list[Draft | UnchangedPost]:
        """The drafts about one sprint."""
        planning, drafts = self._planning, list[Draft | UnchangedPost]()
        sticky = await self._posts.status(self._project.id, sticky_comment_key(sprint))
        place = _place_so_far(sticky)
        if place is None and is_sprint(sprint):
            place = resolve_tracking_place(
                self._project.settings, sprint, find_start_thread(sprint, start_commands)
            )
        if place is not None and sticky is not None and sticky.is_unsent and place.thread is not None:
            # The comment's thread is lost, and it has no issue of its own yet.
            place = TrackingPlace(None) if sticky.post.data.get("instead_of") == place.thread else place
        if place is not None:
            is_complete = self._is_complete
            drafts += await TrackedSprint(planning, sprint, place, sticky, is_complete=is_complete).drafts()
        if self._is_complete:
            drafts += await EndedSprint(planning, sprint, place, sticky).drafts()
        return drafts

    async def _posted_milestones(self) -> set[int]:
        """GitHub's ids of the milestones that have posts."""
        prefixes = ("living:", "summary:", "summary-place:")
        keys = [
            key for prefix in prefixes for key in await self._posts.desired_since(self._project.id, prefix)
        ]
        return {int(key.rpartition(":")[2]) for key in keys}

    def _is_recent(self, sprint: Sprint) -> bool:
        if sprint.end is None or self._now < sprint.end:
            return sprint.start <= self._now
        return self._now < sprint.end + SUMMED_UP_WITHIN


def next_turns(
    now: datetime, calendar: Calendar, settings: TeamSettings, organization_id: int
) -> dict[str, datetime]:
    """Return when a team next gets its morning posts, and its standup if it has one; in UTC, by turn.

    Each turn comes within five minutes of its time, always at the same minute and second for a tenant.
    """
    hours = {"morning": settings.quiet.morning, "standup": settings.standup_at}
    spread = spread_by_tenant(organization_id, _SPREAD)
    return {name: _next_time(now, calendar, hour, spread) for name, hour in hours.items() if hour is not None}


def _next_time(now: datetime, calendar: Calendar, hour: time, spread: timedelta) -> datetime:
    day = calendar.day_of(now)
    while True:
        instant = calendar.instant(day, hour) + spread
        if instant > now:
            return instant
        day += timedelta(days=1)


def _place_so_far(sticky: PostStatus | None) -> TrackingPlace | None:
    """Return the sticky comment's location. It stays in its thread, even if the settings change."""
    return None if sticky is None or sticky.is_unsent else TrackingPlace(sticky.post.thread)


def _place(post: Post) -> tuple[PostKind, int | None]:
    return post.kind, post.thread


async def _is_history_coming(tenant: Tenant, project: Project) -> bool:
    """Whether a backfill is still to bring some of the history of the sprints here."""
    followed = {project.id, *(member.id for member in project.sharing)}
    return await ClosedSprints(tenant, followed).is_history_still_coming()
