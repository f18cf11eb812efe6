"""Asks GitHub for a repository's past, page by page. Each page is kept with the place to go on from."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update

from bot.github.client import GitHub
from bot.github.linked_issues import LinkedIssues, parse_links, record_links
from bot.isolation import isolated
from bot.sync.backfill.milestones import find_missing_changes
from bot.sync.backfill.names import NameHistory
from bot.sync.backfill.past_events import ItemHistory, find_people, item_events, milestone_events
from bot.sync.backfill.past_reader import BackfillError, PastPage, PastReader, Sleep
from handlers.payloads import clean
from sprints.model import ItemEvent, MilestoneEvent, Source
from storage.database import Database, Tenant
from storage.gaps import Gaps
from storage.installations import Installations, SeenLogin
from storage.projects import Project, Projects
from storage.tables import projects, timeline
from storage.timeline import Timeline, TimelineRow

__all__ = ["Backfill", "BackfillError", "Progress"]

_PHASES = ("issues", "pull_requests")
# GitHub's times of one event differ by this between a webhook and a timeline, when a second ends in between.
_ALMOST_AT_ONCE = timedelta(seconds=1)

Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class BackfillPosition:
    """How far it is. `phase` is None at the end; `told` items were told so far.

    `lost` entries of their timelines named milestones that nobody knows any more, and were left out.
    `begun_at` is when the first page was asked for: what was not heard until then is found.
    """

    phase: str | None
    after: str | None
    items: int
    lost: int
    begun_at: datetime

    @classmethod
    def from_stored(
        cls, state: Mapping[str, Any] | None, heard_since: datetime | None, now: datetime
    ) -> "BackfillPosition":
        """The place that an earlier run came to; the beginning if there is none, or if events were missed
        after that run had begun: `heard_since` is when the last gap ended.
        """
        state = state or {}
        begun_at = datetime.fromisoformat(state["begun"]) if "begun" in state else None
        if not state or (heard_since is not None and (begun_at is None or begun_at < heard_since)):
            return cls(_PHASES[0], None, 0, 0, now)
        phase, after = state.get("phase", _PHASES[0]), state.get("after")
        return cls(phase, after, int(state.get("done", 0)), int(state.get("lost", 0)), begun_at or now)

    @property
    def to_stored(self) -> dict[str, Any]:
        """As it is kept; the end is nothing to go on from."""
        if self.phase is None:
            return {}
        where = {"phase": self.phase, "after": self.after, "begun": self.begun_at.isoformat()}
        return where | {"done": self.items, "lost": self.lost}

    def advance(self, page: PastPage, lost: int) -> "BackfillPosition":
        """The place after a page."""
        phase = self.phase
        if page.after is None and phase is not None:
            phase = next(iter(_PHASES[_PHASES.index(phase) + 1 :]), None)
        told, lost = self.items + len(page.nodes), self.lost + lost
        return BackfillPosition(phase, page.after, told, lost, self.begun_at)


class Backfill:
    """Safe to run twice, to be killed, and while webhooks arrive: a fact is kept once, whoever tells it."""

    def __init__(
        self,
        database: Database,
        github: GitHub,
        clock: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._sleep = sleep
        self._log = structlog.get_logger(__name__)

    async def run(
        self, organization_id: int, project_id: int, progress: Progress = lambda _done, _total: None
    ) -> int:
        """Asks for what has not been asked for yet and returns how many items were told; see `go_on`."""
        return (await self.resume(organization_id, project_id, progress)).items

    async def is_needed(self, organization_id: int, project_id: int) -> bool:
        """Whether something of a repository's past has not been asked for yet."""
        async with self._database.tenant(organization_id) as tenant:
            query = select(projects.c.synced_at, projects.c.sync)
            query = query.where(projects.c.organization_id == organization_id, projects.c.id == project_id)
            row = (await tenant.connection.execute(query)).first()
            if row is None or row.synced_at is None or row.sync:
                return True
            return project_id in await Gaps(tenant).projects_to_backfill()

    async def resume(
        self, organization_id: int, project_id: int, progress: Progress = lambda _done, _total: None
    ) -> BackfillPosition:
        """Asks for what has not been asked for yet, to the end.

        Raises BackfillError, or GitHubUnavailableError when it is to go on later.
        """
        async with self._database.tenant(organization_id) as tenant:
            project = await Projects(tenant).get(project_id)
            gaps = await Gaps(tenant).of_projects({project_id})
            state = await tenant.connection.scalar(
                select(projects.c.sync)
                .where(projects.c.organization_id == organization_id)
                .where(projects.c.id == project_id)
            )
        if project is None or project.full_name is None:
            raise BackfillError("the repository is not known by a name any more")
        if project.installation is None:
            raise BackfillError(f"the App is not installed on {project.full_name} any more")
        if project.suspended_at is not None:
            raise BackfillError(f"the App is suspended on the account of {project.full_name}")
        installation = self._github.installation(project.installation)
        asking = PastReader(installation, project.full_name, self._clock, self._sleep)
        work = _RepositoryBackfill(
            self._database, asking, organization_id, project, self._clock, had_gaps=bool(gaps)
        )
        heard_since = max((gap.ended_at for gap in gaps if gap.ended_at), default=None)
        end = await work.all_pages(BackfillPosition.from_stored(state, heard_since, self._clock()), progress)
        self._log.info("the past was asked for", project=project_id, items=end.items)
        if end.lost:
            self._log.warning(
                "milestones that nobody knows any more were left out", project=project_id, events=end.lost
            )
        return end


class _RepositoryBackfill:
    """One repository's past."""

    def __init__(
        self,
        database: Database,
        asking: PastReader,
        organization_id: int,
        project: Project,
        clock: Callable[[], datetime],
        *,
        had_gaps: bool,
    ) -> None:
        """Where there `had_gaps`, what we knew of milestones may be out of date."""
        self._database = database
        self._asking = asking
        self._had_gaps = had_gaps
        self._organization_id = organization_id
        self._project = project
        self._name = project.full_name or ""
        self._clock = clock
        self._names: NameHistory | None = None
        self._log = structlog.get_logger(__name__)

    async def all_pages(self, place: BackfillPosition, progress: Progress) -> BackfillPosition:
        while place.phase is not None:
            asked_at = self._clock()
            page = await self._asking.page(place.phase, place.after)
            self._check(page)
            links = _links_by_number(page, self._name)
            facts, lost = await self._read(page, links)
            place = place.advance(page, lost)
            people = [SeenLogin(*person, asked_at) for person in find_people(page.nodes).items()]
            await self._keep(facts, people, list(links.values()), place)
            progress(place.items, max(place.items, page.total))
            if place.phase is not None:
                self._asking.require_points()
        return place

    def _check(self, page: PastPage) -> None:
        """A name that was given up may have been taken by another repository."""
        known = self._project.node_id
        if known and ":" not in known and page.repository != known:
            raise BackfillError(f"{self._name} is another repository now")

    async def _read(self, page: PastPage, links: Mapping[int, LinkedIssues]) -> tuple[list[ItemEvent], int]:
        """The facts of a page, and how many entries named a milestone that nobody knows."""
        names = await self._names_for(page.nodes)
        lives = list[ItemHistory]()
        for node in page.nodes:
            whole = await self._asking.load_whole(node)
            with isolated(self._log, "an item's past cannot be read", project=self._project.id):
                lives.append(item_events(whole, names, links.get(whole["number"])))
        return [fact for life in lives for fact in life.facts], sum(life.lost for life in lives)

    async def _names_for(self, nodes: Iterable[Mapping[str, Any]]) -> NameHistory:
        """The milestones, asked for anew if there is one that was made meanwhile."""
        held = {node["milestone"]["number"] for node in nodes if node["milestone"]}
        if self._names is None or any(self._names.find_numbered(number) is None for number in held):
            self._names = await self._all_names()
        return self._names

    async def _all_names(self) -> NameHistory:
        asked_at = self._clock()
        told, facts = list[Mapping[str, Any]](), list[MilestoneEvent]()
        for milestone in await self._asking.milestones():
            with isolated(self._log, "a milestone's past cannot be read", project=self._project.id):
                facts += milestone_events(milestone)
                told.append(milestone)
        async with self._database.tenant(self._organization_id) as tenant:
            stored = Timeline(tenant)
            await stored.record([TimelineRow(self._project.id, fact) for fact in facts])
            known = await stored.milestones(self._project.id)
            if self._had_gaps and (
                unheard := find_missing_changes(known, told, self._project.rules.calendar, asked_at)
            ):
                await stored.record([TimelineRow(self._project.id, fact) for fact in unheard])
                known = await stored.milestones(self._project.id)
            return NameHistory(
                {one["number"]: one["id"] for one in told},
                {one["id"]: clean(one["title"]) for one in told},
                known,
                await stored.labels(self._project.id),
            )

    async def _keep(
        self,
        facts: Sequence[ItemEvent],
        people: Sequence[SeenLogin],
        links: Sequence[LinkedIssues],
        place: BackfillPosition,
    ) -> None:
        """Facts and the place to go on from are kept together or not at all."""
        async with self._database.tenant(self._organization_id) as tenant:
            await Installations(tenant).record_people(people)
            known = await self._told_by_others(tenant, {fact.item for fact in facts})
            await Timeline(tenant).record(
                [TimelineRow(self._project.id, fact) for fact in facts if not _is_recorded(fact, known)]
            )
            # Where webhooks told of a pull request first, what GitHub lists now holds from now on. Its check
            # asks for itself.
            await record_links(tenant, self._project, links, {}, self._clock())
            values: dict[str, Any] = {"sync": place.to_stored}
            if place.phase is None:
                values |= {"synced_at": self._clock(), "synced_from": place.begun_at}
            await tenant.connection.execute(
                update(projects)
                .where(projects.c.organization_id == self._organization_id)
                .where(projects.c.id == self._project.id)
                .values(**values)
            )

    async def _told_by_others(self, tenant: Tenant, items: set[str]) -> "_RecordedTimes":
        """When webhooks told of what, by item, event and subject."""
        columns = (timeline.c.item, timeline.c.event, timeline.c.subject, timeline.c.at)
        query = (
            select(*columns)
            .where(timeline.c.organization_id == self._organization_id)
            .where(timeline.c.item.in_(items), timeline.c.source != Source.BACKFILL.value)
        )
        known: _RecordedTimes = {}
        for item, event, subject, at in await tenant.connection.execute(query):
            # Where it came from is told by webhooks only: an opening is known by itself.
            known.setdefault((item, event, "" if event == "opened" else subject), []).append(at)
        return known


def _links_by_number(page: PastPage, full_name: str) -> dict[int, LinkedIssues]:
    """By number what the pull requests of a page are linked with, of those whose list GitHub tells."""
    repository = {"id": page.repository}
    return {
        node["number"]: parse_links(node, repository, full_name)
        for node in page.nodes
        if node.get("closingIssuesReferences")
    }


_RecordedTimes = dict[tuple[str, str, str], list[datetime]]


def _is_recorded(fact: ItemEvent, known: _RecordedTimes) -> bool:
    """Whether a webhook told it, or it is about something deleted, of which no text may come back."""
    if (fact.item, "deleted", "") in known:
        return True
    subject = str(fact.milestone or fact.label or fact.named or "")
    times = known.get((fact.item, fact.event, subject), [])
    if fact.event == "opened":
        return bool(times)
    return any(abs(fact.at - at) <= _ALMOST_AT_ONCE for at in times)
