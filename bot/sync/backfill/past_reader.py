"""Asks GitHub for a repository's past: less at a time while it is in trouble, and never its last points."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
import gidgethub

from bot.github.client import GitHubRefusedError, GitHubUnavailableError, Installation
from bot.sync.backfill.past_events import nodes_of
from bot.sync.backfill.queries import MORE, PAGES

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]
_Json = dict[str, Any]

_MOST_A_PAGE, _LEAST_A_PAGE = 50, 5
# Each page that is answered lets the next one be a little larger again.
_GROWTH = 5
_EVENTS_FOR_AN_ITEM = 2
_PAUSE_SECONDS = (1.0, 2.0, 4.0, 8.0)
_AFTER_LONG_TROUBLE = timedelta(minutes=1)
# What people wait for must never find the hour's points used up.
_POINTS_LEFT_ALONE = 500
_TROUBLE = (aiohttp.ClientError, TimeoutError, gidgethub.GitHubBroken)
# GraphQL says 200 also where it gave up.
_GAVE_UP, _BAD_CURSOR = "something went wrong while executing your query", "valid cursor"


class BackfillError(Exception):
    """The past cannot be asked for; the text says why."""


@dataclass(frozen=True, slots=True)
class PastPage:
    """Some items, where those after them begin, if there are any, and how many there are in all."""

    repository: str
    nodes: list[_Json]
    after: str | None
    total: int


class PastReader:
    """One repository, as GitHub shows it to an installation."""

    def __init__(
        self, github: Installation, full_name: str, clock: Callable[[], datetime], sleep: Sleep
    ) -> None:
        self._github = github
        self._full_name = full_name
        self._clock = clock
        self._sleep = sleep
        self._size = _MOST_A_PAGE
        self._limit: _Json | None = None

    async def page(self, phase: str, after: str | None) -> PastPage:
        """The items of a phase, the oldest first; `after` is where an earlier page ended."""
        owner, _, name = self._full_name.partition("/")
        try:
            answer = await self._ask(PAGES[phase], owner=owner, name=name, after=after)
        except GitHubRefusedError as refusal:
            if after is None or _BAD_CURSOR not in str(refusal):
                raise
            # It was kept for too long. From the beginning is slower, and adds nothing twice.
            return await self.page(phase, None)
        repository = answer["repository"]
        if repository is None:
            raise BackfillError(f"GitHub does not show us {self._full_name}")
        self._size = min(self._size + _GROWTH, _MOST_A_PAGE)
        items, info = repository["items"], repository["items"]["pageInfo"]
        return PastPage(
            repository["id"],
            nodes_of(items),
            info["endCursor"] if info["hasNextPage"] else None,
            repository["issues"]["totalCount"] + repository["pullRequests"]["totalCount"],
        )

    async def load_whole(self, node: _Json) -> _Json:
        """The item with all of its timeline."""
        timeline = node["timelineItems"]
        while timeline["pageInfo"]["hasNextPage"]:
            after = timeline["pageInfo"]["endCursor"]
            answer = await self._ask(MORE, _EVENTS_FOR_AN_ITEM, id=node["id"], after=after)
            if not answer["node"]:  # It was deleted meanwhile.
                break
            more = answer["node"]["timelineItems"]
            timeline = {"pageInfo": more["pageInfo"], "nodes": [*nodes_of(timeline), *nodes_of(more)]}
        return node | {"timelineItems": timeline}

    async def milestones(self) -> list[_Json]:
        """All milestones. GitHub tells their ids by REST only."""
        path = f"/repos/{self._full_name}/milestones?state=all&per_page=100"

        async def listed() -> list[_Json]:
            return [one async for one in self._github.pages(path)]

        return await self._patiently(listed)

    def require_points(self) -> None:
        """Raises GitHubUnavailableError if the points that are left are for those who wait."""
        limit = self._limit
        if limit is not None and limit["remaining"] < _POINTS_LEFT_ALONE:
            raise GitHubUnavailableError(
                "the hour's points of GraphQL are nearly used up", datetime.fromisoformat(limit["resetAt"])
            )

    async def _ask(self, query: str, times: int = 1, **variables: object) -> _Json:
        answer = await self._patiently(
            lambda: self._github.graphql(query, first=self._size * times, **variables)
        )
        self._limit = answer["rateLimit"]
        return answer

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """GitHub gives up on what takes it too long; less at a time, a little later, is often answered.

        A limit is no trouble: it ends when GitHub says, and asking for less does not help.
        """
        for pause in _PAUSE_SECONDS:
            try:
                return await ask()
            except (GitHubUnavailableError, GitHubRefusedError) as problem:
                if not _is_trouble(problem):
                    raise
            self._size = max(self._size // 2, _LEAST_A_PAGE)
            await self._sleep(pause)
        try:
            return await ask()
        except (GitHubUnavailableError, GitHubRefusedError) as problem:
            if not _is_trouble(problem):
                raise
            raise GitHubUnavailableError(str(problem), self._clock() + _AFTER_LONG_TROUBLE) from None


def _is_trouble(problem: GitHubUnavailableError | GitHubRefusedError) -> bool:
    """Whether GitHub or the network failed, rather than that GitHub said no or not now."""
    if isinstance(problem, GitHubRefusedError):
        return _GAVE_UP in str(problem).lower()
    return isinstance(problem.__context__, _TROUBLE)
