"""GitHub's API as one installation sees it: tokens, ETags, rate limits and timeouts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import gidgethub
from cachetools import LRUCache, TLRUCache, TTLCache
from gidgethub.aiohttp import GitHubAPI
from gidgethub.apps import get_installation_access_token

from bot.settings import GitHubSettings

API_VERSION = "2022-11-28"
NAME = "agile-github-suite"

TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_SAFE_RETRIES = 2
_RETRY_PAUSE_SECONDS = 0.5
# A token lives an hour. It is not used in its last minutes, lest it expires on the way.
_TOKEN_MARGIN = timedelta(minutes=5)
# GitHub's advice where it limits us without saying for how long.
_SECONDARY_PAUSE = timedelta(seconds=60)
# A blip is over soon; for longer outages the caller waits longer each time.
_OUTAGE_PAUSE = timedelta(seconds=1)

Clock = Callable[[], datetime]


class GitHubUnavailableError(Exception):
    """GitHub cannot or will not answer now; asking again from `retry_at` on makes sense."""

    def __init__(self, message: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class GitHubRefusedError(Exception):
    """GitHub understood and said no; asking again would not help."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"GitHub answered {status}: {message}")
        self.status = status


class GitHub:
    """The App on GitHub. Each installation has its own token, ETags and limits."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: GitHubSettings, api_url: str, clock: Clock
    ) -> None:
        self._session = session
        self._settings = settings
        self._api_url = api_url
        self._clock = clock
        self._installations: LRUCache[int, Installation] = LRUCache(maxsize=1000)

    def installation(self, installation_id: int) -> "Installation":
        """The API with this installation's rights."""
        found = self._installations.get(installation_id)
        if found is None:
            api = GitHubAPI(
                self._session, NAME, base_url=self._api_url, cache=TTLCache(maxsize=256, ttl=30 * 60)
            )
            found = Installation(installation_id, api, self._settings, self._clock)
            self._installations[installation_id] = found
        return found


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    expires_at: datetime


class Installation:
    """Requests in the name of one installation."""

    def __init__(self, installation_id: int, api: GitHubAPI, app: GitHubSettings, clock: Clock) -> None:
        self._id = installation_id
        self._api = api
        self._app = app
        self._clock = clock
        self._minting = asyncio.Lock()
        self._blocked_until: datetime | None = None
        self._tokens: TLRUCache[int, _Token] = TLRUCache(
            maxsize=1,
            ttu=lambda _, token, __: (token.expires_at - _TOKEN_MARGIN).timestamp(),
            timer=lambda: clock().timestamp(),
        )
        self.levels: TTLCache[tuple[str, str], int] = TTLCache(
            maxsize=1000, ttl=60, timer=lambda: clock().timestamp()
        )

    async def get(self, path: str) -> Any:
        """Raises GitHubUnavailableError or GitHubRefusedError, as all of these do."""
        for _ in range(_SAFE_RETRIES):
            try:
                return await self._call(self._api.getitem, path)
            except GitHubUnavailableError:
                if self._blocked_until is not None:
                    raise
                await asyncio.sleep(_RETRY_PAUSE_SECONDS)
        return await self._call(self._api.getitem, path)

    async def post(self, path: str, data: object) -> Any:
        """Not repeated by itself: whether the first try had an effect is the caller's to find out."""
        return await self._call(self._api.post, path, data=data)

    async def patch(self, path: str, data: object) -> Any:
        return await self._call(self._api.patch, path, data=data)

    async def pages(self, path: str) -> AsyncIterator[Any]:
        """All items of a list, page by page."""
        token = await self._token()
        with self._translated():
            async for item in self._api.getiter(path, oauth_token=token, extra_headers=_HEADERS):
                yield item

    async def _call(self, method: Callable[..., Any], path: str, **arguments: object) -> Any:
        self._refuse_while_blocked()
        try:
            with self._translated():
                token = await self._token()
                return await method(path, oauth_token=token, extra_headers=_HEADERS, **arguments)
        except GitHubRefusedError as refusal:
            if refusal.status != 401:
                raise
        # The token was taken back early: once, a fresh one is worth a try.
        self._tokens.clear()
        with self._translated():
            token = await self._token()
            return await method(path, oauth_token=token, extra_headers=_HEADERS, **arguments)

    async def _token(self) -> str:
        async with self._minting:
            token = self._tokens.get(self._id)
            if token is None:
                minted = await get_installation_access_token(
                    self._api,
                    installation_id=str(self._id),
                    app_id=self._app.app_id,
                    private_key=self._app.private_key.reveal(),
                )
                token = _Token(minted["token"], datetime.fromisoformat(minted["expires_at"]))
                self._tokens[self._id] = token
            return token.value

    def _refuse_while_blocked(self) -> None:
        """Ignoring a limit can get the App banned, so nothing is sent before it ends."""
        now = self._clock()
        limit = self._api.rate_limit
        if limit is not None and limit.remaining <= 0 and limit.reset_datetime > now:
            raise GitHubUnavailableError("the hourly limit is used up", limit.reset_datetime)
        if self._blocked_until is not None:
            if self._blocked_until > now:
                raise GitHubUnavailableError("GitHub asked us to wait", self._blocked_until)
            self._blocked_until = None

    @contextlib.contextmanager
    def _translated(self) -> Any:
        """Turns the library's exceptions, and the network's, into our two."""
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, gidgethub.GitHubBroken) as problem:
            retry_at = self._clock() + _OUTAGE_PAUSE
            raise GitHubUnavailableError(
                f"GitHub cannot be reached: {type(problem).__name__}", retry_at
            ) from None
        except gidgethub.HTTPException as problem:
            if (wait_until := self._limited_until(problem)) is not None:
                self._blocked_until = wait_until
                raise GitHubUnavailableError("GitHub limits our requests", wait_until) from None
            raise GitHubRefusedError(int(problem.status_code), str(problem)) from None

    def _limited_until(self, problem: gidgethub.HTTPException) -> datetime | None:
        """When to ask again, if this is a rate limit, primary or secondary."""
        now, headers = self._clock(), problem.headers
        if isinstance(problem, gidgethub.RateLimitExceeded):
            reset_at: datetime = problem.rate_limit.reset_datetime
            return max(reset_at, now + timedelta(seconds=1))
        retry_after = headers.get("retry-after", "")
        if problem.status_code == 429 or (problem.status_code == 403 and retry_after):
            if retry_after.isdecimal():
                return now + timedelta(seconds=int(retry_after))
            reset = headers.get("x-ratelimit-reset", "")
            if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
                return datetime.fromtimestamp(int(reset), UTC)
            return now + _SECONDARY_PAUSE
        if problem.status_code == 403 and "secondary rate limit" in str(problem).lower():
            return now + _SECONDARY_PAUSE
        return None


_HEADERS = {"X-GitHub-Api-Version": API_VERSION}
