"""Asks GitHub for a repository's past, page by page. Each page is kept with the place to go on from."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select, update

from bot.backfill.queries import MORE, PAGES
from bot.backfill.reading import Milestones, item_facts, milestone_facts
from bot.github import GitHub, GitHubUnavailableError, Installation
from sprints.model import Event
from storage.database import Database
from storage.projects import Project, Projects
from storage.tables import projects
from storage.timeline import Timeline, TimelineRow

_MOST_A_PAGE, _LEAST_A_PAGE = 50, 5
# What people wait for must never find the hour's points used up.
_POINTS_LEFT_ALONE = 500
_PHASES = ("issues", "pull_requests")

Progress = Callable[[int, int], object]


class BackfillError(Exception):
    """The past cannot be asked for; the text says why."""


class Backfill:
    """Safe to run twice, to be killed, and while webhooks arrive: a fact is kept once, whoever tells it."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(
        self, organization_id: int, project_id: int, progress: Progress = lambda _done, _total: None
    ) -> int:
        """Asks for what has not been asked for yet and returns how many items were told.

        Raises BackfillError, or GitHubUnavailableError when it is to go on later.
        """
        async with self._database.tenant(organization_id) as tenant:
            project = await Projects(tenant).get(project_id)
            state = await tenant.connection.scalar(select(projects.c.sync).where(projects.c.id == project_id))
        if project is None or project.full_name is None:
            raise BackfillError("the repository is not known by a name any more")
        if project.installation is None:
            raise BackfillError(f"the App is not installed on {project.full_name} any more")
        work = _Work(
            self._database, self._github.installation(project.installation), organization_id, project
        )
        told = await work.all_pages(state or {}, progress)
        await work.keep([], {}, synced_at=self._clock())
        self._log.info("the past was asked for", project=project_id, items=told)
        return told


class _Work:
    """One repository's past."""

    def __init__(
        self, database: Database, github: Installation, organization_id: int, project: Project
    ) -> None:
        self._database = database
        self._github = github
        self._organization_id = organization_id
        self._project = project
        self._name = project.full_name or ""
        self._size = _MOST_A_PAGE

    async def all_pages(self, state: dict[str, Any], progress: Progress) -> int:
        milestones = await self._milestones()
        phase, after, told = state.get("phase", _PHASES[0]), state.get("after"), int(state.get("done", 0))
        while phase is not None:
            page = await self._page(phase, after)
            facts = [
                fact
                for node in page["nodes"]
                for fact in item_facts(await self._whole(node), self._name, milestones)
            ]
            told += len(page["nodes"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                phase, after = next(iter(_PHASES[_PHASES.index(phase) + 1 :]), None), None
            await self.keep(facts, {"phase": phase, "after": after, "done": told} if phase else {})
            progress(told, max(told, page["totalCount"]))
        return told

    async def keep(
        self, facts: Sequence[Event], state: dict[str, Any], synced_at: datetime | None = None
    ) -> None:
        """Facts and the place to go on from are kept together or not at all."""
        async with self._database.tenant(self._organization_id) as tenant:
            await Timeline(tenant).record([TimelineRow(self._project.id, fact) for fact in facts])
            values = {"sync": state} | ({"synced_at": synced_at} if synced_at else {})
            await tenant.connection.execute(
                update(projects)
                .where(projects.c.organization_id == self._organization_id)
                .where(projects.c.id == self._project.id)
                .values(**values)
            )

    async def _milestones(self) -> Milestones:
        """GitHub tells their ids by REST only."""
        path = f"/repos/{self._name}/milestones?state=all&per_page=100"
        told = [one async for one in self._github.pages(path)]
        async with self._database.tenant(self._organization_id) as tenant:
            timeline = Timeline(tenant)
            await timeline.record(
                [TimelineRow(self._project.id, fact) for one in told for fact in milestone_facts(one)]
            )
            known = await timeline.milestones(self._project.id)
        by_title = {event.title: number for number, events in known.items() for event in events}
        by_title |= {
            str(event.before["title"]): number
            for number, events in known.items()
            for event in events
            if event.before and event.before.get("title")
        }
        by_title |= {one["title"]: one["id"] for one in told}
        return Milestones({one["number"]: one["id"] for one in told}, by_title)

    async def _page(self, phase: str, after: str | None) -> dict[str, Any]:
        owner, _, name = self._name.partition("/")
        while True:
            try:
                answer = await self._github.graphql(
                    PAGES[phase], owner=owner, name=name, first=self._size, after=after
                )
                break
            except GitHubUnavailableError:
                # GitHub gives up on what takes it too long; less at a time is often answered.
                if self._size == _LEAST_A_PAGE:
                    raise
                self._size = max(self._size // 2, _LEAST_A_PAGE)
        if answer["repository"] is None:
            raise BackfillError(f"GitHub does not show us {self._name}")
        _leave_enough(answer["rateLimit"])
        page: dict[str, Any] = answer["repository"]["items"]
        return page

    async def _whole(self, node: dict[str, Any]) -> dict[str, Any]:
        """The item with all of its timeline."""
        timeline = node["timelineItems"]
        while timeline["pageInfo"]["hasNextPage"]:
            answer = await self._github.graphql(MORE, id=node["id"], after=timeline["pageInfo"]["endCursor"])
            if answer["node"] is None:  # It was deleted meanwhile.
                break
            more = answer["node"]["timelineItems"]
            timeline = {"pageInfo": more["pageInfo"], "nodes": [*timeline["nodes"], *more["nodes"]]}
        return node | {"timelineItems": timeline}


def _leave_enough(limit: dict[str, Any]) -> None:
    if limit["remaining"] < _POINTS_LEFT_ALONE:
        raise GitHubUnavailableError(
            "the hour's points of GraphQL are nearly used up", datetime.fromisoformat(limit["resetAt"])
        )
