"""What we say unasked of a repository's sprints: the living comment, alerts, and the summary at the end.

A redraw works out what GitHub should show and writes it down as posts, with the facts' transaction where no
picture has to be drawn; `bot/posting.py` brings it to GitHub. Any number of redraws of the same facts want
the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, cast

import procrastinate
import structlog
from structlog.typing import FilteringBoundLogger

from bot.isolation import isolated
from bot.pictures import Pictures
from bot.recording import REDRAW_EVERY
from charts.locales import LOCALE, locale_of, writing_in
from commands.arguments import Arguments
from commands.cards.alert import alert_text
from commands.cards.living import after_picture, before_picture, digest
from commands.charting import shown
from commands.context import Context
from commands.foreign_text import one_line
from commands.living import (
    Place,
    begun_in,
    expected_of,
    is_sprint,
    living_of,
    place_of,
    starts,
    with_effects,
)
from commands.outcome import Picture, Reply
from commands.ports import Repository
from commands.registry import Command
from commands.reporting import sheet_of, with_people
from commands.request import Request
from commands.sprint_goal import verdicts
from commands.standup import standup
from commands.summary import summary
from commands.summary_post import posted_parts, released_parts, summary_title
from commands.summary_release import IN_RELEASE, place_text, release_meant
from marketplace.entitlements import Entitled, EntitledIn, nothing_is_sold
from sprints.alerts import HOPEFUL, MORNING, MOST_A_DAY, Situation, crossings, lines_of
from sprints.calendar import Calendar
from sprints.facts import Facts
from sprints.milestone import Phase, Sprint
from sprints.quiet import is_paused, is_quiet_thread, standup_at
from storage.changes import Change
from storage.closed import ClosedSprints
from storage.database import Database, Tenant
from storage.forecasts import Forecasts, Foretold
from storage.jobs import OTHERS, REDRAW, REDRAW_LATER, WAKE_POSTS, Jobs
from storage.lookups import all_tenants
from storage.posts import Fate, Post, PostKind, Posts
from storage.projects import Project, Projects

# A living comment is brought to its end, and then left alone.
_FOLLOWED_AFTER_END = timedelta(days=5)
# Later on the day it is no news any more.
_STANDUP_LASTS = timedelta(hours=2)
# What ended before we came is not ours to sum up, and after a month nobody waits for it any more.
_BEFORE_US = timedelta(days=7)
_SUMMED_UP_WITHIN = timedelta(days=30)
_NOT_WORK = {"state": "closed", "state_reason": "not_planned"}


@dataclass(frozen=True, slots=True)
class _Draft:
    """A post whose pictures have not been drawn, and what belongs to it."""

    post: Post
    parts: Sequence[str | Picture]
    foretold: tuple[Foretold, ...] = ()


class Reports:
    """Works out what is said unasked."""

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        jobs: Jobs,
        clock: Callable[[], datetime],
        entitled_in: EntitledIn = nothing_is_sold,
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._jobs = jobs
        self._clock = clock
        self._entitled_in = entitled_in
        self._log = structlog.get_logger(__name__)

    def register(self, queue: procrastinate.App) -> None:
        """Adds the jobs that redraw, and one that wakes what waits to be sent."""
        retry = procrastinate.RetryStrategy(max_attempts=2, wait=60)
        queue.task(name=REDRAW, queue=OTHERS, retry=retry)(self.redraw)
        queue.task(name=REDRAW_LATER, queue=OTHERS, retry=retry)(self._redraw_later)
        task = queue.task(name=WAKE_POSTS, queue=OTHERS, queueing_lock=WAKE_POSTS)(self._wake_posts)
        queue.periodic(cron="*/5 * * * *")(task)

    async def redraw(self, organization_id: int, project_id: int) -> None:
        """Brings all that is said of one repository's sprints up to date with the facts."""
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            project = await Projects(tenant).get(project_id)
            if project is None or project.installation is None or is_paused(project.settings):
                return
            # Looked at before the facts are read: what is written meanwhile is drawn next time.
            followed = {project_id, *(one.id for one in project.sharing)}
            is_coming = await ClosedSprints(tenant, followed).is_history_still_coming()
            entitled = self._entitled_in(organization_id, project)
            desk = _Desk(_context(tenant, project, now, entitled), self._log, is_complete=not is_coming)
            locale = locale_of(project.settings.get(LOCALE))
            with writing_in(locale):
                drafts = await desk.drafts()
        failures = list[Exception]()
        for draft in drafts:
            try:
                with writing_in(locale):
                    await self._want(organization_id, project, draft, now)
            except Exception as problem:  # noqa: BLE001 - raised below, when the others have had their turn
                self._log.exception("post not drawn", project=project_id, post=draft.post.key)
                failures.append(problem)
        if is_coming:
            async with self._database.nobody() as connection:
                await self._jobs.redraw(
                    connection, now + REDRAW_EVERY, organization_id=organization_id, project_id=project_id
                )
        if failures:
            raise failures[0]

    async def _redraw_later(self, organization_id: int, project_id: int) -> None:
        async with self._database.nobody() as connection:
            await self._jobs.redraw(connection, organization_id=organization_id, project_id=project_id)

    async def _wake_posts(self, timestamp: int = 0) -> None:  # noqa: ARG002 - the clock's argument
        """What had to wait for the end of a pause, of quiet hours or of a crash is sent after all."""
        async with self._database.nobody() as connection:
            tenants = await all_tenants(connection)
        for organization_id in tenants:
            async with self._database.tenant(organization_id) as tenant:
                if await Posts(tenant).waiting():
                    await self._jobs.send_posts(tenant.connection, organization_id=organization_id)

    async def _want(self, organization_id: int, project: Project, draft: _Draft, now: datetime) -> None:
        parts = [
            f"![{part.alt}]({await self._pictures.link(organization_id, project, part.chart)})"
            if isinstance(part, Picture)
            else part
            for part in draft.parts
        ]
        post = replace(draft.post, body="\n\n".join(parts))
        async with self._database.tenant(organization_id) as tenant:
            if await Posts(tenant).want(project.id, post, now):
                await Forecasts(tenant, project.id).put(draft.foretold)
                await self._jobs.send_posts(tenant.connection, organization_id=organization_id)


class _Desk:
    """One repository at one moment."""

    def __init__(self, context: Context, log: FilteringBoundLogger, *, is_complete: bool) -> None:
        """Unless history `is_complete`, nothing is said that notifies people: it might not be so."""
        self._context = context
        self._log = log
        self._posts = Posts(context.tenant)
        self._project = context.project
        self._now = context.now
        self._is_complete = is_complete

    async def drafts(self) -> list[_Draft]:
        """All that GitHub should show now and may not."""
        found = list[_Draft]()
        # A sprint is followed in one repository, even if it spans several.
        every = await self._context.sprints.all(self._now)
        sprints = [one for one in every if is_sprint(one) and not one.repository]
        recent = [one for one in sprints if self._is_recent(one)]
        begun = await starts(self._context) if recent else ()
        for sprint in recent:
            with isolated(self._log, "sprint not redrawn", project=self._project.id, sprint=sprint.number):
                found += await self._drafts_of(sprint, begun)
        return found

    async def _drafts_of(self, sprint: Sprint, begun: Sequence[Change]) -> list[_Draft]:
        """What is said of one sprint."""
        drafts = list[_Draft]()
        fate = await self._posts.fate(self._project.id, _living_key(sprint))
        place = _place_so_far(fate) or place_of(self._project.settings, sprint, begun_in(sprint, begun))
        if place is not None:
            drafts += await self._followed(sprint, place, fate)
            drafts += await self._standup(sprint, fate)
        if self._is_complete:
            drafts += await self._summed_up(sprint, place, fate)
        return drafts

    def _is_recent(self, sprint: Sprint) -> bool:
        if sprint.end is None or self._now < sprint.end:
            return sprint.start <= self._now
        return self._now < sprint.end + _SUMMED_UP_WITHIN

    # While it runs

    async def _followed(self, sprint: Sprint, place: Place, fate: Fate | None) -> list[_Draft]:
        """The living comment, and an alert beside it once it stands."""
        is_over = sprint.has_ended(self._now)
        if fate is None and (is_over or not self._is_complete):
            return []
        if fate is not None and fate.is_gone:  # Who deletes it wants to hear no more of this sprint.
            return []
        if sprint.end is not None and self._now > sprint.end + _FOLLOWED_AFTER_END:
            return []
        facts = await self._context.sprints.facts(sprint.milestone, self._now)
        if facts is None:
            return []
        living = await self._living(facts, place, fate)
        found = [living] if living else []
        if fate is not None and self._is_complete and not is_over:
            found += await self._alert(facts, fate)
        return found

    async def _living(self, facts: Facts, place: Place, fate: Fate | None) -> _Draft | None:
        """None where what it says is said already."""
        context, now = self._context, self._now
        told: Mapping[str, Any] = fate.post.data if fate else {}
        living = await living_of(context, facts, place.thread)
        frame = _issue(facts.sprint, now) if place.thread is None else {}
        known_digest = digest(living, context.links_pictures, sorted(frame.items()))
        if told.get("facts") == known_digest:
            return None
        expected = await expected_of(context, facts)
        living = await with_effects(context, replace(living, expected=expected.words), _effects(told))
        today = context.calendar.day_of(now).isoformat()
        data = {
            "facts": known_digest,
            "day": today,
            "was_hopeful": bool(told.get("was_hopeful")) or (expected.chance or 0.0) > HOPEFUL,
            "effects": dict(living.effects),
        }
        kind = PostKind.ISSUE if place.thread is None else PostKind.COMMENT
        post = Post(_living_key(facts.sprint), kind, "", place.thread, data | frame)
        parts = (before_picture(living), *shown(context, living.burndown), after_picture(living))
        # One forecast a day is kept: who often moves cards does not weigh more.
        return _Draft(post, parts, expected.foretold if told.get("day") != today else ())

    async def _alert(self, facts: Facts, fate: Fate) -> list[_Draft]:
        sprint, context = facts.sprint, self._context
        thread = fate.post.thread or fate.external_id
        today = context.calendar.day_of(self._now)
        prefix = f"alert:{sprint.milestone}:"
        wanted = await self._posts.wanted(self._project.id, prefix)
        days = [context.calendar.day_of(at) for at in wanted.values()]
        is_quiet = thread is None or is_quiet_thread(self._project.settings, thread, today)
        if is_quiet or days.count(today) >= MOST_A_DAY:
            return []
        lines = lines_of(self._project.settings)
        expected = await expected_of(context, facts)
        was_hopeful = fate.post.data.get("was_hopeful") is True
        living = await living_of(context, facts, thread)
        situation = Situation(facts, expected.chance, was_hopeful, tuple(living.blocked))
        told = {name for key in wanted for name in key.removeprefix(prefix).split("+")}
        crossed = crossings(situation, lines, told)
        if not crossed:
            return []
        key = prefix + "+".join(one.name for one in crossed)
        text = alert_text(facts, crossed, expected.words)
        post = Post(key, PostKind.COMMENT, "", thread, {"beside": _living_key(sprint)})
        return [_Draft(post, (text,))]

    async def _standup(self, sprint: Sprint, fate: Fate | None) -> list[_Draft]:
        """Where a team asked for it: what happened since the last working day, told once a day."""
        told, calendar = standup_at(self._project.settings), self._context.calendar
        thread = fate.post.thread or fate.external_id if fate and not fate.is_gone else None
        if told is None or thread is None or sprint.has_ended(self._now):
            return []
        today = calendar.day_of(self._now)
        due = calendar.instant(today, told)
        if not due <= self._now < due + _STANDUP_LASTS or not calendar.is_working_day(today):
            return []
        key = f"standup:{today.isoformat()}"
        if is_quiet_thread(self._project.settings, thread, today) or await self._posts.known(
            self._project.id, key
        ):
            return []
        if not await self._may_run(standup):
            return []
        reply = cast(Reply, await standup.run(self._context, Arguments({})))
        return [_Draft(Post(key, PostKind.COMMENT, "", thread, {"beside": _living_key(sprint)}), reply.parts)]

    async def _may_run(self, command: Command) -> bool:
        """What the clock runs, the plan must include as if somebody had asked for it."""
        return command.feature is None or await self._context.includes(command.feature)

    # When it is over

    async def _summed_up(self, sprint: Sprint, place: Place | None, fate: Fate | None) -> list[_Draft]:
        """The summary, once the milestone is closed or three days have passed without that."""
        told = self._project.settings.get("summaries")
        is_off = told is False or told == "off"
        if is_off or sprint.end is None or sprint.phase(self._now) is not Phase.COMPLETED:
            return []
        since = await self._posts.known_since(self._project.id)
        if since is not None and sprint.end < since - _BEFORE_US:
            return []
        key = _summary_key(sprint)
        known = await self._posts.known(self._project.id, key)
        state = await self._state(sprint)
        if known is not None and known.data.get("state") == state:
            return []  # To read all that a summary is made of takes a while.
        if known is None and not await self._may_run(summary):
            return []
        home = known or await self._summary_home(sprint, told, place, fate)
        notes = await self._release_note(sprint, place, fate) if told == IN_RELEASE else []
        if home is None:
            return notes
        sheet = await with_people(self._context, await sheet_of(self._context, sprint))
        if not sheet.report.scope.count and not sheet.report.committed.entries:
            return []
        data = {**home.data, "state": state}
        if home.kind is PostKind.ISSUE:
            data |= {"title": summary_title(sprint)} | _NOT_WORK
        parts = (released_parts if home.kind is PostKind.RELEASE else posted_parts)(self._context, sheet)
        return [*notes, _Draft(Post(key, home.kind, "", home.thread, data), parts)]

    async def _summary_home(
        self, sprint: Sprint, told: object, place: Place | None, fate: Fate | None
    ) -> Post | None:
        """Where a summary goes that is not there yet. None while the release that it belongs into is not."""
        if told == IN_RELEASE:
            release = await release_meant(self._context, sprint)
            data = {"release": release.id} if release else {}
            return Post(_summary_key(sprint), PostKind.RELEASE, "", None, data) if release else None
        thread = self._summary_thread(told, place, fate)
        kind = PostKind.ISSUE if thread is None else PostKind.COMMENT
        return Post(_summary_key(sprint), kind, "", thread)

    async def _release_note(self, sprint: Sprint, place: Place | None, fate: Fate | None) -> list[_Draft]:
        """Where the sprint was followed: that its summary waits for a release; then, in which one it is."""
        key = f"summary-place:{sprint.milestone}"
        known = await self._posts.known(self._project.id, key)
        release = await release_meant(self._context, sprint)
        thread = known.thread if known else self._summary_thread(IN_RELEASE, place, fate)
        if thread is None or (known is None and (release or not await self._had_work(sprint))):
            return []
        post = Post(key, PostKind.COMMENT, "", thread, {"beside": _living_key(sprint)})
        return [_Draft(post, (place_text(sprint, release),))]

    async def _had_work(self, sprint: Sprint) -> bool:
        facts = await self._context.sprints.facts(sprint.milestone, self._now)
        return facts is not None and bool(facts.scope.count or facts.committed_items)

    async def _state(self, sprint: Sprint) -> str:
        """What a summary depends on: whether its numbers are frozen, and what was said since."""
        closed = await self._context.sprints.closed(sprint.milestone, self._now)
        revision = closed.revision if closed and closed.ended_at == sprint.end else 0
        verdict = verdicts(self._project.settings).get(str(sprint.milestone))
        return f"{sprint.end} {sprint.closed_at is not None} {revision} {verdict}"

    def _summary_thread(self, told: object, place: Place | None, fate: Fate | None) -> int | None:
        """The thread in which the sprint was followed; None for an issue of its own."""
        if told == "issue" or place is None:
            return None
        if place.thread is not None:
            return place.thread
        return fate.external_id if fate and not fate.is_gone else None


def next_turns(now: datetime, calendar: Calendar, settings: Mapping[str, object]) -> dict[str, datetime]:
    """When next a team hears what a day brings, and its standup if it asked for one; always in UTC."""
    hours = {"morning": MORNING, "standup": standup_at(settings)}
    return {name: _next(now, calendar, hour) for name, hour in hours.items() if hour is not None}


def _next(now: datetime, calendar: Calendar, hour: time) -> datetime:
    day = calendar.day_of(now)
    while True:
        found = calendar.instant(day, hour)
        if found > now:
            return found
        day += timedelta(days=1)


def _context(tenant: Tenant, project: Project, now: datetime, entitled: Entitled) -> Context:
    """As if somebody asked, without anybody."""
    request = Request("", 0, 0, "", None, ())
    # GitHub itself has nothing to be asked when nobody asks us.
    nobody = cast(Repository, None)
    return Context(request, project, tenant, nobody, now, entitled=entitled)


def _issue(sprint: Sprint, now: datetime) -> dict[str, str]:
    """What an issue of our own is like: open while the sprint is followed, and never anybody's work."""
    title = {"title": one_line(f"{sprint.title}: progress")}
    return title | _NOT_WORK if sprint.phase(now) is Phase.COMPLETED else title


def _living_key(sprint: Sprint) -> str:
    return f"living:{sprint.milestone}"


def _summary_key(sprint: Sprint) -> str:
    return f"summary:{sprint.milestone}"


def _place_so_far(fate: Fate | None) -> Place | None:
    """A comment stays in the thread where it is, whatever the settings say since."""
    return Place(fate.post.thread) if fate else None


def _effects(told: Mapping[str, Any]) -> Mapping[str, str]:
    effects = told.get("effects")
    return {str(key): str(text) for key, text in effects.items()} if isinstance(effects, Mapping) else {}
