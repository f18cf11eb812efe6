"""What we say unasked of a repository's sprints: the living comment, alerts, and the summary at the end.

A redraw works out what GitHub should show and writes it down as posts, with the facts' transaction where no
picture has to be drawn; `bot/publishing/posts.py` brings it to GitHub. Any number of redraws of the same
facts want
the same.
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
# To work out what should be said reads all sprints; many posts may be waiting to be sent, a second apart.
_DRAFTS_LAST = timedelta(seconds=30)


class SprintReports:
    """Works out what is said unasked."""

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
        # When a redraw was asked for before sending, by repository: a bug must not make this a busy loop.
        self._asked: LRUCache[int, datetime] = LRUCache(maxsize=10_000)
        self._log = structlog.get_logger(__name__)

    async def redraw(self, organization_id: int, project_id: int) -> None:
        """Brings all that is said of one repository's sprints up to date with the facts."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            project = await self._project(tenant, project_id)
            if project is None:
                return
            # Looked at before the facts are read: what is written meanwhile is drawn next time.
            is_coming = await _is_history_coming(tenant, project)
            drafting = self._drafting(tenant, project, now, is_complete=not is_coming)
            with writing_for(project, now):
                drafts = await drafting.drafts()
            if not is_coming and not drafting.has_failed:
                # What waits to be said, and is not so any more, is not said.
                pending = await Posts(tenant).pending_notices(project_id)
                await Posts(tenant).withdraw(project_id, pending - keys_of(drafts))
        failures = list[Exception]()
        for draft in drafts:
            try:
                with writing_for(project, now):
                    await self._keep(organization_id, project, draft, now)
            except Exception as problem:  # noqa: BLE001 - raised below, when the others have had their turn
                self._log.exception("post not drawn", project=project_id, post=draft.key)
                failures.append(problem)
        async with self._database.tenant(organization_id) as tenant:
            if is_coming:
                job = RedrawJob(organization_id=organization_id, project_id=project_id)
                await self._jobs.defer(tenant.connection, job, now + REDRAW_EVERY)
            # Where drafting fails, what waits would ask at once for another redraw, which fails too. So it
            # waits for its turn.
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
        """A post that waited to be said, as it is to be said now. None if it is not so any more.

        Then a redraw follows, which brings it up to date or withdraws it; none where it is not known what
        should be said, because that would be as little known to the redraw. `drafts_now` holds what was
        worked out for the posts that were sent a moment ago.
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
            last = self._asked.get(project_id)
            at = now + _REDRAW_PAUSE if last is not None and now - last < _REDRAW_PAUSE else None
            self._asked[project_id] = now
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
        """The repository, if anything may be said in it."""
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
    """Works out what should be said in one repository at one moment."""

    def __init__(self, planning: Planning, log: FilteringBoundLogger, *, is_complete: bool) -> None:
        """Unless history `is_complete`, nothing is said that notifies people: it might not be so."""
        self._planning = planning
        self._log = log
        self._posts = Posts(planning.tenant)
        self._project = planning.project
        self._now = planning.now
        self._is_complete = is_complete
        self._undone = set[int]()

    @property
    def has_failed(self) -> bool:
        """Whether it is not known of some sprint what should be said."""
        return bool(self._undone)

    async def drafts(self) -> list[Draft | UnchangedPost]:
        """All that GitHub should show now: what is to be written anew, and what is wanted so already."""
        drafts = dict[str, Draft | UnchangedPost]()
        # A sprint is followed in one repository, even if it spans several.
        every = [one for one in await self._planning.sprints.all(self._now) if not one.repository]
        known = await self._spoken_of()
        # What was said of a milestone that is none any more, or is no time box, is brought to its end.
        sprints = [one for one in every if is_sprint(one) or one.milestone in known]
        recent = [one for one in sprints if self._is_recent(one)]
        begun = await load_sprint_starts(self._planning) if recent else ()
        for sprint in recent:
            self._undone.add(sprint.milestone)
            with isolated(self._log, "sprint not redrawn", project=self._project.id, sprint=sprint.number):
                for draft in await self._drafts_of(sprint, begun):
                    drafts.setdefault(draft.key, draft)
                self._undone.discard(sprint.milestone)
        return list(drafts.values())

    async def _drafts_of(self, sprint: Sprint, begun: Sequence[CommandChange]) -> list[Draft | UnchangedPost]:
        """What is said of one sprint."""
        planning, drafts = self._planning, list[Draft | UnchangedPost]()
        fate = await self._posts.status(self._project.id, sticky_comment_key(sprint))
        place = _sent_place(fate)
        if place is None and is_sprint(sprint):
            place = resolve_tracking_place(self._project.settings, sprint, find_start_thread(sprint, begun))
        if place is not None and fate is not None and fate.is_unsent and place.thread is not None:
            # Its thread is lost, and it does not stand in an issue of its own yet.
            place = TrackingPlace(None) if fate.post.data.get("instead_of") == place.thread else place
        if place is not None:
            is_complete = self._is_complete
            drafts += await TrackedSprint(planning, sprint, place, fate, is_complete=is_complete).drafts()
        if self._is_complete:
            drafts += await EndedSprint(planning, sprint, place, fate).drafts()
        return drafts

    async def _spoken_of(self) -> set[int]:
        """GitHub's ids of the milestones of which something was said."""
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
    """When next a team hears what a day brings, and its standup if it asked for one; always in UTC."""
    hours = {"morning": settings.quiet.morning, "standup": settings.standup_at}
    return {name: _next_at(now, calendar, hour) for name, hour in hours.items() if hour is not None}


def _next_at(now: datetime, calendar: Calendar, hour: time) -> datetime:
    day = calendar.day_of(now)
    while True:
        found = calendar.instant(day, hour)
        if found > now:
            return found
        day += timedelta(days=1)


def _sent_place(fate: PostStatus | None) -> TrackingPlace | None:
    """A comment stays in the thread where it is, whatever the settings say since."""
    return None if fate is None or fate.is_unsent else TrackingPlace(fate.post.thread)


def _destination(post: Post) -> tuple[PostKind, int | None]:
    return post.kind, post.thread


async def _is_history_coming(tenant: Tenant, project: Project) -> bool:
    """Whether more history is on its way, so that not all is known yet."""
    followed = {project.id, *(one.id for one in project.sharing)}
    return await ClosedSprints(tenant, followed).is_history_still_coming()
