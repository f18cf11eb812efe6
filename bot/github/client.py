"""Client of GitHub's API for the App and its installations: tokens, ETags, rate limits and timeouts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import gidgethub
from cachetools import LRUCache, TLRUCache, TTLCache
from gidgethub.aiohttp import GitHubAPI

from bot.github.app_identity import AppIdentity
from bot.github.app_jwt import AppJwt
from bot.github.app_manifest import Grants, grants_of_app, grants_of_installation, web_address
from bot.github.call_counter import CallCounts, CountingAPI
from bot.github.markers import Markers
from bot.metrics.instruments import Instruments
from bot.settings import GitHubSettings
from bot.settings.secret import Secret
from commands.formatting.foreign_text import plain

API_VERSION = "2022-11-28"
NAME = "agile-github-suite"
# The statuses for what does not exist, or not any more.
GONE = frozenset({404, 410})

TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_SAFE_RETRIES = 2
_RETRY_PAUSE_SECONDS = 0.5
# A token is valid for an hour. It is not used in its last minutes, so that it cannot expire in flight.
_TOKEN_MARGIN = timedelta(minutes=5)
_TOKEN_LIFE = timedelta(hours=1)
# A token keeps the permissions of the moment when it was issued.
_TOKEN_FRESH = timedelta(minutes=1)
_NOT_PERMITTED = "not accessible by integration"
# GitHub's advice for a secondary limit without a stated duration.
_SECONDARY_PAUSE = timedelta(seconds=60)
# A renamed App has another bot login. Its id, which GitHub sends with most objects, stays the same.
_IDENTITY_SECONDS = 60 * 60
# Short outages are over soon; for longer ones the caller waits longer each time.
_OUTAGE_PAUSE = timedelta(seconds=1)

Clock = Callable[[], datetime]


class GitHubUnavailableError(Exception):
    """GitHub cannot or will not answer now; retry from `retry_at` on."""

    def __init__(self, message: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class GitHubRefusedError(Exception):
    """GitHub understood the request and refused it; a retry would not help.

    GitHub's message may quote a person's text; `words` replaces the message by Markdown of the App's own.
    """

    def __init__(self, status: int, message: str, *, words: str = "") -> None:
        super().__init__(f"GitHub answered {status}: {words or message}")
        self.status = status
        self._words = words or plain(message)

    @property
    def in_markdown(self) -> str:
        """GitHub's answer for people, in Markdown."""
        return f"GitHub answered {self.status}: {self._words}"


class GitHub:
    """The App on GitHub. Each installation has its own token, ETags and limits."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: GitHubSettings,
        api_url: str,
        clock: Clock,
        calls: CallCounts | None = None,
        markers: Markers | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        """`calls` counts the answered requests by installation. Writing needs `markers`.

        Without `instruments`, nobody watches the requests.
        """
        self._session = session
        self._calls = calls or CallCounts(clock)
        self._instruments = instruments or Instruments(clock)
        self._api_url = api_url
        self._clock = clock
        self._installations: LRUCache[int, Installation] = LRUCache(maxsize=1000)
        self._jwt = AppJwt(settings, clock)
        self.app = App(self._api(), self._jwt, clock)
        self._markers = markers
        self._identity: TTLCache[None, AppIdentity] = TTLCache(
            maxsize=1, ttl=_IDENTITY_SECONDS, timer=lambda: clock().timestamp()
        )

    @property
    def markers(self) -> Markers:
        """The markers of what the App writes. Raises LookupError without keys."""
        if self._markers is None:
            raise LookupError("writing to GitHub needs the keys of the markers")
        return self._markers

    @property
    def web_url(self) -> str:
        """The base address of GitHub's web pages."""
        return web_address("", self._api_url)

    async def identity(self) -> AppIdentity:
        """The App's identity, asked of GitHub once an hour at most."""
        identity = self._identity.get(None)
        if identity is None:
            identity = AppIdentity.from_github(await self.app.get("/app"))
            self._identity[None] = identity
        return identity

    async def grants(self, installation_id: int) -> Grants:
        """Get the current grants of an installation's owner."""
        answer = await self.app.get(f"/app/installations/{installation_id}")
        return grants_of_installation(answer, self._api_url)

    async def grants_of_app(self) -> Grants:
        """Get the App's current requests to every account."""
        return grants_of_app(await self.app.get("/app"), self._api_url)

    def installation(self, installation_id: int) -> "Installation":
        """The client with this installation's rights; always the same one for an installation."""
        installation = self._installations.get(installation_id)
        if installation is None:
            apis = self._api(installation_id, TTLCache(maxsize=256, ttl=30 * 60)), self._api(installation_id)
            url = _graphql_url(self._api_url)
            installation = Installation(installation_id, *apis, url, self._jwt, self._clock, self)
            self._installations[installation_id] = installation
        return installation

    def _api(self, installation: int | None = None, cache: TTLCache[Any, Any] | None = None) -> GitHubAPI:
        return CountingAPI(
            self._session,
            NAME,
            base_url=self._api_url,
            cache=cache,
            installation=installation,
            calls=self._calls,
            instruments=self._instruments,
        )


def _graphql_url(api_url: str) -> str:
    """The address of GraphQL. GitHub Enterprise Server has it beside the REST API, not below it."""
    return f"{api_url.rstrip('/').removesuffix('/v3')}/graphql"


class _Client:
    """Sends requests in the name of the App or of one of its installations."""

    def __init__(self, api: GitHubAPI, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._blocked_until: datetime | None = None

    async def get(self, path: str) -> Any:
        """Get a resource; retried twice.

        Raises GitHubUnavailableError or GitHubRefusedError, as all methods do.
        """
        for _ in range(_SAFE_RETRIES):
            try:
                return await self._call(self._api.getitem, path)
            except GitHubUnavailableError:
                if self._blocked_until is not None:
                    raise
                await asyncio.sleep(_RETRY_PAUSE_SECONDS)
        return await self._call(self._api.getitem, path)

    async def post(self, path: str, data: object) -> Any:
        """Post data; not retried, because only the caller can find out whether the first try worked."""
        return await self._call(self._api.post, path, data=data)

    async def patch(self, path: str, data: object) -> Any:
        return await self._call(self._api.patch, path, data=data)

    async def put(self, path: str, data: object) -> Any:
        return await self._call(self._api.put, path, data=data)

    async def delete(self, path: str, data: object = b"") -> None:
        await self._call(self._api.delete, path, data=data)

    async def pages(self, path: str, key: str | None = None) -> AsyncIterator[Any]:
        """Iterate over a list, page by page; `key` names the list if it is a field of an object."""
        with self._translate_errors():
            credentials: dict[str, Any] = await self._credentials()
            async for item in self._api.getiter(
                path, **credentials, extra_headers=_HEADERS, iterable_key=key
            ):
                yield item

    async def _credentials(self) -> dict[str, str]:
        """The keyword arguments with which gidgethub signs a request."""
        raise NotImplementedError

    def _may_be_outdated(self, refusal: GitHubRefusedError) -> bool:  # noqa: ARG002 - for subclasses
        """Whether a refusal may be due to old credentials; if so, the next request gets fresh ones."""
        return False

    async def _call(self, method: Callable[..., Any], path: str, **arguments: object) -> Any:
        self._refuse_while_blocked()
        try:
            with self._translate_errors():
                credentials = await self._credentials()
                return await method(path, **credentials, extra_headers=_HEADERS, **arguments)
        except GitHubRefusedError as refusal:
            if not self._may_be_outdated(refusal):
                raise
        with self._translate_errors():
            credentials = await self._credentials()
            return await method(path, **credentials, extra_headers=_HEADERS, **arguments)

    def _refuse_while_blocked(self) -> None:
        """Raise GitHubUnavailableError until a limit ends: ignoring limits can get the App banned."""
        now = self._clock()
        limit = self._api.rate_limit
        if limit is not None and limit.remaining <= 0 and limit.reset_datetime > now:
            raise GitHubUnavailableError("the hourly limit is used up", limit.reset_datetime)
        if self._blocked_until is not None:
            if self._blocked_until > now:
                raise GitHubUnavailableError("GitHub asked us to wait", self._blocked_until)
            self._blocked_until = None

    @contextlib.contextmanager
    def _translate_errors(self) -> Any:
        """Translate exceptions of gidgethub and of the network into the two of this module."""
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
        """Return when to retry after a primary or secondary rate limit; None for any other problem."""
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


class App(_Client):
    """Sends requests in the name of the App itself, such as about its webhook deliveries."""

    def __init__(self, api: GitHubAPI, jwt: AppJwt, clock: Clock) -> None:
        super().__init__(api, clock)
        self._jwt = jwt

    async def _credentials(self) -> dict[str, str]:
        return {"jwt": self._jwt()}


@dataclass(frozen=True, slots=True)
class _Token:
    value: Secret
    expires_at: datetime


class Installation(_Client):
    """Sends requests in the name of one installation."""

    def __init__(
        self,
        installation_id: int,
        api: GitHubAPI,
        graphql_api: GitHubAPI,
        graphql_url: str,
        jwt: AppJwt,
        clock: Clock,
        github: GitHub,
    ) -> None:
        super().__init__(api, clock)
        self._github = github
        self._id = installation_id
        self._jwt = jwt
        self._graphql = _GraphQL(graphql_api, clock, self._credentials, graphql_url)
        self._minting = asyncio.Lock()
        self._tokens: TLRUCache[int, _Token] = TLRUCache(
            maxsize=1,
            ttu=lambda _, token, __: (token.expires_at - _TOKEN_MARGIN).timestamp(),
            timer=lambda: clock().timestamp(),
        )
        self.levels: TTLCache[tuple[str, str], int] = TTLCache(
            maxsize=1000, ttl=60, timer=lambda: clock().timestamp()
        )

    @property
    def markers(self) -> Markers:
        """The markers of what the App writes. Raises LookupError without keys."""
        return self._github.markers

    async def identity(self) -> AppIdentity:
        """The App's identity, by which its own texts are recognised."""
        return await self._github.identity()

    async def grants(self) -> tuple[Grants, Grants]:
        """Get the owner's current grants and the App's current requests."""
        return await self._github.grants(self._id), await self._github.grants_of_app()

    async def graphql(self, query: str, **variables: object) -> dict[str, Any]:
        """Run a GraphQL query and return its `data`, in which null stands for objects that do not exist."""
        return await self._graphql.ask(query, variables)

    def _may_be_outdated(self, refusal: GitHubRefusedError) -> bool:
        """Whether the token was revoked, or permissions were accepted since it was issued."""
        token = self._tokens.get(self._id)
        is_old = token is not None and token.expires_at - _TOKEN_LIFE < self._clock() - _TOKEN_FRESH
        lacks_permission = refusal.status == 403 and _NOT_PERMITTED in str(refusal).lower()
        if refusal.status == 401 or (lacks_permission and is_old):
            self._tokens.clear()
            return True
        return False

    async def _credentials(self) -> dict[str, str]:
        async with self._minting:
            token = self._tokens.get(self._id)
            if token is None:
                path = f"/app/installations/{self._id}/access_tokens"
                minted = await self._api.post(path, data=b"", jwt=self._jwt())
                token = _Token(Secret(minted["token"]), datetime.fromisoformat(minted["expires_at"]))
                self._tokens[self._id] = token
            return {"oauth_token": token.value.reveal()}


class _GraphQL(_Client):
    """GraphQL, with its own rate limit: REST requests must continue after that limit is used up."""

    def __init__(
        self, api: GitHubAPI, clock: Clock, credentials: Callable[[], Awaitable[dict[str, str]]], url: str
    ) -> None:
        super().__init__(api, clock)
        self._credentials_of_installation = credentials
        self._url = url

    async def ask(self, query: str, variables: dict[str, object]) -> dict[str, Any]:
        answer = await self.post(self._url, {"query": query, "variables": variables})
        errors = [error for error in answer.get("errors", ()) if error.get("type") != "NOT_FOUND"]
        if any(error.get("type") == "RATE_LIMITED" for error in errors):
            limit = self._api.rate_limit
            wait_until = limit.reset_datetime if limit else self._clock() + _SECONDARY_PAUSE
            self._blocked_until = max(wait_until, self._clock() + timedelta(seconds=1))
            raise GitHubUnavailableError("the hourly limit of GraphQL is used up", self._blocked_until)
        if errors:
            raise GitHubRefusedError(200, "; ".join(str(error.get("message")) for error in errors))
        data: dict[str, Any] = answer["data"]
        return data

    async def _credentials(self) -> dict[str, str]:
        return await self._credentials_of_installation()


_HEADERS = {"X-GitHub-Api-Version": API_VERSION}
