"""Backfills a repository's history page by page. Each page is stored together with the next position."""

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
from bot.sync.backfill.past_events import PastItem, find_people, item_events, milestone_events
from bot.sync.backfill.past_reader import BackfillError, PastPage, PastReader, Sleep
from handlers.payloads import clean
from sprints.model import EventSource, ItemEvent, MilestoneEvent
from storage.database import Database, Tenant
from storage.gaps import Gaps
from storage.installations import Installations, SeenLogin
from storage.projects import Project, Projects
from storage.recorder import Recorder, TimelineRow
from storage.tables import projects, timeline
from storage.timeline import Timeline

__all__ = ["Backfill", "BackfillError", "Progress"]

_PHASES = ("issues", "pull_requests")
# GitHub's times of one event may differ by this between a webhook and a timeline.
_SAME_EVENT = timedelta(seconds=1)

Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class BackfillPosition:
    """The progress of a backfill. `phase` is None at the end; `items` is the number of items read so far.

    `lost` entries of their timelines named milestones that do not exist any more, and were left out.
    `begun_at` is when the first page was requested: events missed until then are found.
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
        """Return the position that an earlier run has reached.

        The position is the beginning if there is no earlier run, or if events were missed after it began:
        `heard_since` is when the last gap ended.
        """
        state = state or {}
        begun_at = datetime.fromisoformat(state["begun"]) if "begun" in state else None
        if not state or (heard_since is not None and (begun_at is None or begun_at < heard_since)):
            return cls(_PHASES[0], None, 0, 0, now)
        phase, after = state.get("phase", _PHASES[0]), state.get("after")
        return cls(phase, after, int(state.get("done", 0)), int(state.get("lost", 0)), begun_at or now)

    @property
    def to_stored(self) -> dict[str, Any]:
        """Convert the position to its stored form; empty at the end."""
        if self.phase is None:
            return {}
        position = {"phase": self.phase, "after": self.after, "begun": self.begun_at.isoformat()}
        return position | {"done": self.items, "lost": self.lost}

    def advance(self, page: PastPage, lost: int) -> "BackfillPosition":
        """The position after a page."""
        phase = self.phase
        if page.after is None and phase is not None:
            phase = next(iter(_PHASES[_PHASES.index(phase) + 1 :]), None)
        items, lost = self.items + len(page.nodes), self.lost + lost
        return BackfillPosition(phase, page.after, items, lost, self.begun_at)


class Backfill:
    """Backfills repositories. May be repeated, killed, and run while webhooks arrive: facts are unique."""

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
        """Backfill the missing history. Returns the number of items read; see `resume`."""
        return (await self.resume(organization_id, project_id, progress)).items

    async def is_needed(self, organization_id: int, project_id: int) -> bool:
        """Whether a part of the repository's history has not been backfilled yet."""
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
        """Backfill the missing history, from the stored position to the end.

        Raises BackfillError, or GitHubUnavailableError if it is to be resumed later.
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
            raise BackfillError("the repository's name is unknown")
        if project.installation is None:
            raise BackfillError(f"the App is not installed on {project.full_name} any more")
        if project.suspended_at is not None:
            raise BackfillError(f"the App is suspended on the account of {project.full_name}")
        installation = self._github.installation(project.installation)
        reader = PastReader(installation, project.full_name, self._clock, self._sleep)
        backfill = _RepositoryBackfill(
            self._database, reader, organization_id, project, self._clock, had_gaps=bool(gaps)
        )
        heard_since = max((gap.ended_at for gap in gaps if gap.ended_at), default=None)
        end = await backfill.read_all(
            BackfillPosition.from_stored(state, heard_since, self._clock()), progress
        )
        self._log.info("backfill finished", project=project_id, items=end.items)
        if end.lost:
            self._log.warning(
                "events of unknown milestones were left out", project=project_id, events=end.lost
            )
        return end


class _RepositoryBackfill:
    """The backfill of one repository."""

    def __init__(
        self,
        database: Database,
        reader: PastReader,
        organization_id: int,
        project: Project,
        clock: Callable[[], datetime],
        *,
        had_gaps: bool,
    ) -> None:
        """Prepare a run. If the repository `had_gaps`, the recorded milestones may be out of date."""
        self._database = database
        self._reader = reader
        self._had_gaps = had_gaps
        self._organization_id = organization_id
        self._project = project
        self._name = project.full_name or ""
        self._clock = clock
        self._names: NameHistory | None = None
        self._log = structlog.get_logger(__name__)

    async def read_all(self, position: BackfillPosition, progress: Progress) -> BackfillPosition:
        while position.phase is not None:
            asked_at = self._clock()
            page = await self._reader.page(position.phase, position.after)
            self._check(page)
            links = _links_by_number(page, self._name)
            facts, lost = await self._read(page, links)
            position = position.advance(page, lost)
            people = [SeenLogin(*person, asked_at) for person in find_people(page.nodes).items()]
            await self._keep(facts, people, list(links.values()), position)
            progress(position.items, max(position.items, page.total))
            if position.phase is not None:
                self._reader.require_points()
        return position

    def _check(self, page: PastPage) -> None:
        """Raise BackfillError if the name now belongs to another repository."""
        node_id = self._project.node_id
        if node_id and ":" not in node_id and page.repository != node_id:
            raise BackfillError(f"{self._name} is another repository now")

    async def _read(self, page: PastPage, links: Mapping[int, LinkedIssues]) -> tuple[list[ItemEvent], int]:
        """Read the facts of a page, and count the entries that name an unknown milestone."""
        names = await self._names_for(page.nodes)
        histories = list[PastItem]()
        for node in page.nodes:
            whole = await self._reader.load_whole(node)
            with isolated(self._log, "an item's past cannot be read", project=self._project.id):
                histories.append(item_events(whole, names, links.get(whole["number"])))
        return [fact for history in histories for fact in history.facts], sum(
            history.lost for history in histories
        )

    async def _names_for(self, nodes: Iterable[Mapping[str, Any]]) -> NameHistory:
        """The names of milestones and labels; fetched again if an item is in a new milestone."""
        numbers = {node["milestone"]["number"] for node in nodes if node["milestone"]}
        if self._names is None or any(self._names.find_numbered(number) is None for number in numbers):
            self._names = await self._all_names()
        return self._names

    async def _all_names(self) -> NameHistory:
        asked_at = self._clock()
        milestones, facts = list[Mapping[str, Any]](), list[MilestoneEvent]()
        for milestone in await self._reader.milestones():
            with isolated(self._log, "a milestone's past cannot be read", project=self._project.id):
                facts += milestone_events(milestone)
                milestones.append(milestone)
        async with self._database.tenant(self._organization_id) as tenant:
            recorder = Recorder(tenant)
            await recorder.record([TimelineRow(self._project.id, fact) for fact in facts])
            recorded = await Timeline(tenant).milestones(self._project.id)
            if self._had_gaps and (
                missing := find_missing_changes(recorded, milestones, self._project.rules.calendar, asked_at)
            ):
                await recorder.record([TimelineRow(self._project.id, fact) for fact in missing])
                recorded = await Timeline(tenant).milestones(self._project.id)
            return NameHistory(
                {milestone["number"]: milestone["id"] for milestone in milestones},
                {milestone["id"]: clean(milestone["title"]) for milestone in milestones},
                recorded,
                await Timeline(tenant).labels(self._project.id),
            )

    async def _keep(
        self,
        facts: Sequence[ItemEvent],
        people: Sequence[SeenLogin],
        links: Sequence[LinkedIssues],
        position: BackfillPosition,
    ) -> None:
        """Store facts and the next position in one transaction."""
        async with self._database.tenant(self._organization_id) as tenant:
            await Installations(tenant).record_people(people)
            recorded = await self._recorded_times(tenant, {fact.item for fact in facts})
            await Recorder(tenant).record(
                [TimelineRow(self._project.id, fact) for fact in facts if not _is_recorded(fact, recorded)]
            )
            # If a webhook recorded a pull request first, GitHub's present list applies from now on. The check
            # of the pull request fetches the list itself.
            await record_links(tenant, self._project, links, {}, self._clock())
            values: dict[str, Any] = {"sync": position.to_stored}
            if position.phase is None:
                values |= {"synced_at": self._clock(), "synced_from": position.begun_at}
            await tenant.connection.execute(
                update(projects)
                .where(projects.c.organization_id == self._organization_id)
                .where(projects.c.id == self._project.id)
                .values(**values)
            )

    async def _recorded_times(self, tenant: Tenant, items: set[str]) -> "_RecordedTimes":
        """The times of the events recorded by webhooks and commands, by item, event and subject."""
        columns = (timeline.c.item, timeline.c.event, timeline.c.subject, timeline.c.at)
        query = (
            select(*columns)
            .where(timeline.c.organization_id == self._organization_id)
            .where(timeline.c.item.in_(items), timeline.c.source != EventSource.BACKFILL.value)
        )
        recorded: _RecordedTimes = {}
        for item, event, subject, at in await tenant.connection.execute(query):
            # Only webhooks have an opening's subject (where a transferred issue came from), so it is ignored.
            recorded.setdefault((item, event, "" if event == "opened" else subject), []).append(at)
        return recorded


def _links_by_number(page: PastPage, full_name: str) -> dict[int, LinkedIssues]:
    """Read the linked issues of a page's pull requests, by number."""
    repository = {"id": page.repository}
    return {
        node["number"]: parse_links(node, repository, full_name)
        for node in page.nodes
        if node.get("closingIssuesReferences")
    }


_RecordedTimes = dict[tuple[str, str, str], list[datetime]]


def _is_recorded(fact: ItemEvent, recorded: _RecordedTimes) -> bool:
    """Whether a fact is recorded already, or belongs to a deleted item, whose texts must not come back."""
    if (fact.item, "deleted", "") in recorded:
        return True
    subject = str(fact.milestone or fact.label or fact.named or "")
    times = recorded.get((fact.item, fact.event, subject), [])
    if fact.event == "opened":
        return bool(times)
    return any(abs(fact.at - at) <= _SAME_EVENT for at in times)
