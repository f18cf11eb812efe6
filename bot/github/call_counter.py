"""Counts the calls of GitHub's API: at the one place that all of them pass, into the ledger once a minute."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from gidgethub.aiohttp import GitHubAPI

from marketplace.plans import Metric
from storage.database import Database
from storage.installations import tenant_of_installation
from storage.usage import Usage

_REDIRECTS = {301, 302, 307, 308}
_IN_REPOSITORY = re.compile(r"/repos/[^/]+/[^/?]+(.*)$")
_BY_ID = re.compile(r"/repositories/\d+(.*)$")
# What a process that dies has not written yet is lost: the last minute's calls at most.
_EVERY_SECONDS = 60


class Calls:
    """How many requests GitHub has answered for each installation, by UTC day, since they were last taken."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._counted = Counter[tuple[int, date]]()

    def count(self, installation: int, number: int = 1, day: date | None = None) -> None:
        """Adds calls, of today unless a day is given."""
        self._counted[installation, day or self._clock().date()] += number

    def take(self) -> Mapping[tuple[int, date], int]:
        """All that is counted by installation and day; the count begins anew."""
        taken, self._counted = self._counted, Counter()
        return taken


class CountingAPI(GitHubAPI):
    """GitHub's API, which tells of each request that was answered: pages, repetitions and tokens too."""

    def __init__(
        self, session: aiohttp.ClientSession, *told: Any, on_call: Callable[[], None], **more: Any
    ) -> None:
        super().__init__(session, *told, **more)
        self._on_call = on_call

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        answered = await self._ask(method, url, headers, body)
        location = answered[1].get("location", "")
        if answered[0] in _REDIRECTS and _is_renamed(url, location):
            self._on_call()
            answered = await self._ask(method, location, headers, body)
        self._on_call()
        return answered

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request. Neither what changes something nor what asks for an issue follows wherever an answer
        points to: an issue may have been transferred to a repository that is none of ours.
        """
        follows = method == "GET" and "/issues/" not in url
        async with self._session.request(
            method, url, headers=headers, data=body, allow_redirects=follows
        ) as response:
            return response.status, response.headers, await response.read()


def _is_renamed(url: str, location: str) -> bool:
    """Whether an address leads to the same place in a repository that was renamed.

    GitHub names it by its id. A transferred issue has another number there.
    """
    before, after = _IN_REPOSITORY.search(url), _BY_ID.search(location)
    is_same_host = urlsplit(url).netloc == urlsplit(location).netloc
    return bool(before and after and is_same_host and before[1] == after[1])


async def write_down(database: Database, calls: Calls) -> None:
    """Adds what was counted to each tenant's ledger. What cannot be written now is counted on."""
    for (installation, day), number in calls.take().items():
        try:
            await _add(database, installation, day, number)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the rest must be written, now and later
            calls.count(installation, number, day)
            structlog.get_logger(__name__).warning(
                "calls not written down yet", reason=type(problem).__name__
            )


async def _add(database: Database, installation: int, day: date, number: int) -> None:
    async with database.unscoped() as connection:
        organization_id = await tenant_of_installation(connection, installation)
    if organization_id is None:  # It is gone, and so is its ledger.
        return
    async with database.tenant(organization_id) as tenant:
        await Usage(tenant).add(Metric.API_CALLS, day, number)


@asynccontextmanager
async def written_down(database: Database, calls: Calls) -> AsyncIterator[None]:
    """Writes the calls down each minute, and at the end."""
    ending = asyncio.Event()
    writing = asyncio.create_task(_write_until(ending, database, calls))
    try:
        yield
    finally:
        # Not cancelled: what is being written would be neither written nor counted any more.
        ending.set()
        await writing
        await write_down(database, calls)


async def _write_until(ending: asyncio.Event, database: Database, calls: Calls) -> None:
    while not ending.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), _EVERY_SECONDS)
        await write_down(database, calls)
