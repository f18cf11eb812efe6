"""Reads a repository's history from GitHub: smaller pages during outages, and never the last rate points."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
import gidgethub

from bot.github.client import GitHubRefusedError, GitHubUnavailableError, Installation
from bot.sync.backfill.past_events import list_nodes
from bot.sync.backfill.queries import MORE, PAGES

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]
_Json = dict[str, Any]

_MOST_A_PAGE, _LEAST_A_PAGE = 50, 5
# Each answered page makes the next one a little larger again.
_GROWTH = 5
_EVENTS_FOR_AN_ITEM = 2
_PAUSE_SECONDS = (1.0, 2.0, 4.0, 8.0)
_PAUSE_AFTER_OUTAGE = timedelta(minutes=1)
# These points of the hour are reserved for what people wait for.
_POINTS_LEFT_ALONE = 500
_NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, gidgethub.GitHubBroken)
# GraphQL answers 200 even if it gave up.
_GAVE_UP, _BAD_CURSOR = "something went wrong while executing your query", "valid cursor"


class BackfillError(Exception):
    """A repository cannot be backfilled; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class PastPage:
    """A page of items. `after` is the cursor of the next page, if any; `total` counts all items."""

    repository: str
    nodes: list[_Json]
    after: str | None
    total: int


class PastReader:
    """Reads the history of one repository with the rights of an installation."""

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
        """Read a page of a phase's items, the oldest first; `after` is the cursor of an earlier page."""
        owner, _, name = self._full_name.partition("/")
        try:
            answer = await self._ask(PAGES[phase], owner=owner, name=name, after=after)
        except GitHubRefusedError as refusal:
            if after is None or _BAD_CURSOR not in str(refusal):
                raise
            # The cursor has expired. Reading from the beginning is slower, but adds nothing twice.
            return await self.page(phase, None)
        repository = answer["repository"]
        if repository is None:
            raise BackfillError(f"GitHub does not show us {self._full_name}")
        self._size = min(self._size + _GROWTH, _MOST_A_PAGE)
        items, info = repository["items"], repository["items"]["pageInfo"]
        return PastPage(
            repository["id"],
            list_nodes(items),
            info["endCursor"] if info["hasNextPage"] else None,
            repository["issues"]["totalCount"] + repository["pullRequests"]["totalCount"],
        )

    async def load_whole(self, node: _Json) -> _Json:
        """Complete an item with the rest of its timeline."""
        timeline = node["timelineItems"]
        while timeline["pageInfo"]["hasNextPage"]:
            after = timeline["pageInfo"]["endCursor"]
            answer = await self._ask(MORE, _EVENTS_FOR_AN_ITEM, id=node["id"], after=after)
            if not answer["node"]:  # The item was deleted meanwhile.
                break
            more = answer["node"]["timelineItems"]
            timeline = {"pageInfo": more["pageInfo"], "nodes": [*list_nodes(timeline), *list_nodes(more)]}
        return node | {"timelineItems": timeline}

    async def milestones(self) -> list[_Json]:
        """Read all milestones, by REST: GraphQL does not have their database ids."""
        path = f"/repos/{self._full_name}/milestones?state=all&per_page=100"

        async def listed() -> list[_Json]:
            return [milestone async for milestone in self._github.pages(path)]

        return await self._with_retries(listed)

    def require_points(self) -> None:
        """Raise GitHubUnavailableError if only the reserved points are left."""
        limit = self._limit
        if limit is not None and limit["remaining"] < _POINTS_LEFT_ALONE:
            raise GitHubUnavailableError(
                "the hour's points of GraphQL are nearly used up", datetime.fromisoformat(limit["resetAt"])
            )

    async def _ask(self, query: str, times: int = 1, **variables: object) -> _Json:
        answer = await self._with_retries(
            lambda: self._github.graphql(query, first=self._size * times, **variables)
        )
        self._limit = answer["rateLimit"]
        return answer

    async def _with_retries(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Retry a failed request, with smaller pages: GitHub aborts queries that take too long.

        A rate limit is raised immediately: smaller pages would not help.
        """
        for pause in _PAUSE_SECONDS:
            try:
                return await ask()
            except (GitHubUnavailableError, GitHubRefusedError) as problem:
                if not _is_outage(problem):
                    raise
            self._size = max(self._size // 2, _LEAST_A_PAGE)
            await self._sleep(pause)
        try:
            return await ask()
        except (GitHubUnavailableError, GitHubRefusedError) as problem:
            if not _is_outage(problem):
                raise
            raise GitHubUnavailableError(str(problem), self._clock() + _PAUSE_AFTER_OUTAGE) from None


def _is_outage(problem: GitHubUnavailableError | GitHubRefusedError) -> bool:
    """Whether GitHub or the network failed, as opposed to a refusal or a rate limit."""
    if isinstance(problem, GitHubRefusedError):
        return _GAVE_UP in str(problem).lower()
    return isinstance(problem.__context__, _NETWORK_ERRORS)
