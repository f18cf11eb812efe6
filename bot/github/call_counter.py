"""Counts the calls of GitHub's API for each installation, and saves the counts once a minute.

Source of the metric `api_calls`: every answered request, with redirects, retries and requests for tokens.
"""

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

from bot.metrics.instruments import Instruments
from marketplace.plans import Metric
from storage.database import Database
from storage.installations import tenant_of_installation
from storage.usage import Usage

_REDIRECTS = {301, 302, 307, 308}
_IN_REPOSITORY = re.compile(r"/repos/[^/]+/[^/?]+(.*)$")
_BY_ID = re.compile(r"/repositories/\d+(.*)$")
# If the process dies, the counts since the last save are lost: those of a minute at most.
_EVERY_SECONDS = 60


class CallCounts:
    """Counts of the requests that GitHub answered, by installation and UTC day, since the last `take`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._counted = Counter[tuple[int, date]]()

    def count(self, installation: int, number: int = 1, day: date | None = None) -> None:
        """Add calls, of today unless a day is given."""
        self._counted[installation, day or self._clock().date()] += number

    def take(self) -> Mapping[tuple[int, date], int]:
        """Return all counts by installation and day, and begin anew."""
        taken, self._counted = self._counted, Counter()
        return taken


class CountingAPI(GitHubAPI):
    """gidgethub's API client that counts each answered request of an installation, or of the App itself.

    What an account uses is counted in `calls`, and what the operator watches with the instruments.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *arguments: Any,
        installation: int | None,
        calls: CallCounts,
        instruments: Instruments,
        **options: Any,
    ) -> None:
        super().__init__(session, *arguments, **options)
        self._installation = installation
        self._calls = calls
        self._instruments = instruments

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        response = await self._send(method, url, headers, body)
        location = response[1].get("location", "")
        if response[0] in _REDIRECTS and _is_renamed(url, location):
            response = await self._send(method, location, headers, body)
        return response

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request and count it. Redirects are followed only for reads, except reads of issues.

        An issue may have been transferred to a repository that the App has nothing to do with.
        """
        follows = method == "GET" and "/issues/" not in url
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=follows
            ) as response:
                answer = response.status, response.headers, await response.read()
        except (aiohttp.ClientError, TimeoutError):
            self._instruments.count_github_call(url, None)
            raise
        self._instruments.count_github_call(url, response.status)
        self._instruments.rate_limits.note(self._installation, response.headers)
        if self._installation is not None:
            self._calls.count(self._installation)
        return answer


def _is_renamed(url: str, location: str) -> bool:
    """Whether a redirect leads to the same path in a repository that was renamed.

    Its location names the repository by id. A transferred issue has another number there.
    """
    before, after = _IN_REPOSITORY.search(url), _BY_ID.search(location)
    is_same_host = urlsplit(url).netloc == urlsplit(location).netloc
    return bool(before and after and is_same_host and before[1] == after[1])


async def save_calls(database: Database, calls: CallCounts) -> None:
    """Add the counts to each tenant's usage. Counts that cannot be saved are kept for the next time."""
    for (installation, day), number in calls.take().items():
        try:
            await _add(database, installation, day, number)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the other counts must be saved
            calls.count(installation, number, day)
            structlog.get_logger(__name__).warning("API calls not saved yet", reason=type(problem).__name__)


async def _add(database: Database, installation: int, day: date, number: int) -> None:
    async with database.unscoped() as connection:
        organization_id = await tenant_of_installation(connection, installation)
    if organization_id is None:  # The account was deleted, and its usage with it.
        return
    async with database.tenant(organization_id) as tenant:
        await Usage(tenant).add(Metric.API_CALLS, day, number)


@asynccontextmanager
async def saving_calls(database: Database, calls: CallCounts) -> AsyncIterator[None]:
    """Save the counts each minute, and at the end."""
    ending = asyncio.Event()
    writing = asyncio.create_task(_save_until(ending, database, calls))
    try:
        yield
    finally:
        # Not cancelled: counts that are being saved would be lost.
        ending.set()
        await writing
        await save_calls(database, calls)


async def _save_until(ending: asyncio.Event, database: Database, calls: CallCounts) -> None:
    while not ending.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), _EVERY_SECONDS)
        await save_calls(database, calls)
