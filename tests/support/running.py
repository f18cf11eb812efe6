"""The running bot as a test uses it: what people do, what GitHub delivers, and what comes of it."""

import asyncio
import hashlib
import hmac
import itertools
import json
import os
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from bot.cli.serve import web_server
from bot.jobs.worker import worker
from bot.publishing.pictures import ChartRenderer
from bot.services import Services, open_services
from bot.settings import GitHubSettings, Secret, Settings
from github_standin.github import StandInGitHub
from tests.support.clock import Clock

SECRET = "stand-in-secret"
_TITLED_ITEM = re.compile(r"\[((?:[\w.-]+/[\w.-]+)?#\d+) (?:\\.|[^\]\\])*\]\(http[^)]*/issues/\d+\)")
_PATIENCE_SECONDS = 60
_IS_BUSY = (
    "select exists (select from procrastinate_jobs "
    "where status in ('todo', 'doing') and coalesce(scheduled_at <= %(now)s, true))"
)
_BUSY = (
    "select id, task_name, status, attempts, lock, queueing_lock, scheduled_at, args "
    "from procrastinate_jobs where status in ('todo', 'doing')"
)


def signature(body: bytes, secret: str = SECRET) -> str:
    """Compute `X-Hub-Signature-256` of a body as GitHub does."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def without_titles(body: str) -> str:
    """Write the items in lists as bare numbers again."""
    return _TITLED_ITEM.sub(r"\1", body)


class WebhookClient:
    """A client that delivers webhooks to an endpoint, as GitHub does."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def deliver(
        self, event: str, payload: dict[str, Any], delivery: str | None = None, secret: str = SECRET
    ) -> tuple[int, str]:
        """Deliver a payload. Returns the HTTP status and the message of the response."""
        body = json.dumps(payload).encode()
        headers = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": signature(body, secret),
        }
        return await self.post(body, headers)

    async def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Post a raw body. Returns the HTTP status and the message of the response."""
        async with self.session.post(f"{self.url}/webhooks/github", data=body, headers=headers) as response:
            return response.status, (await response.json(content_type=None))["message"]


class Bot(WebhookClient):
    """The endpoint, the worker and the stand-in GitHub together."""

    def __init__(
        self,
        base: Services,
        github: StandInGitHub,
        session: aiohttp.ClientSession,
        url: str,
        repository: dict[str, Any],
    ) -> None:
        super().__init__(session, url)
        self.base = base
        self.github = github
        self.repository = repository

    @property
    def repo(self) -> str:
        """The repository's full name."""
        return str(self.repository["full_name"])

    async def say(self, number: int, body: str, as_user: str = "alice") -> dict[str, Any]:
        """Write a comment and wait until the bot has handled it. Returns the comment."""
        comment = await self.github.comment(self.repo, number, body, as_user=as_user)
        await self.rest()
        return comment

    async def answers(self, number: int, *, has_titles: bool = False) -> list[str]:
        """List the bodies of the bot's comments in a thread, oldest first.

        Unless `has_titles`, items in lists are bare numbers again (`commands/formatting/listed_items.py`).
        """
        comments = await self.github.comments(self.repo, number)
        bodies = [str(comment["body"]) for comment in comments if comment["user"]["type"] == "Bot"]
        return bodies if has_titles else [without_titles(body) for body in bodies]

    def reactions(self, comment: dict[str, Any]) -> list[str]:
        """List the bot's reactions to a comment, oldest first."""
        return [reaction["content"] for reaction in self.github.reactions(self.repo, comment["id"])]

    async def rest(self) -> None:
        """Wait until every webhook is delivered and every due job has ended."""
        await self.github.wait_for_webhooks()
        try:
            await wait_until(self.is_idle)
        except TimeoutError:
            busy = query_as_administrator(self.base, _BUSY)
            raise AssertionError(f"jobs that did not end: {[tuple(job) for job in busy]}") from None

    async def is_idle(self) -> bool:
        # Asked so often that a transaction around it would be felt.
        """Return whether no job is due or running."""
        async with self.base.database.autocommit() as connection:
            busy = await connection.exec_driver_sql(_IS_BUSY, {"now": self.base.clock()})
            return not busy.scalar()


async def rows(base: Services, query: str, organization_id: int | None = None, **values: object) -> list[Any]:
    """Run raw SQL with the application's role."""
    if organization_id is None:
        async with base.database.unscoped() as connection:
            return list(await connection.execute(text(query), values))
    async with base.database.tenant(organization_id) as tenant:
        return list(await tenant.connection.execute(text(query), values))


def query_as_administrator(base: Services, query: str, **values: object) -> list[Any]:
    """Run raw SQL that the application's role may not run, such as a look at the arguments of jobs."""
    address = make_url(base.database_url).set(username="postgres", drivername="postgresql+psycopg")
    engine = create_engine(address, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(query), values)
        return list(result) if result.returns_rows else []


def age_deadlines(base: Services) -> None:
    """Set all deadlines to have been noted more than a week ago: the time an owner has to read of them."""
    query_as_administrator(base, "update deletion_deadlines set noted_at = now() - interval '8 days'")


async def wait_until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition is true. Raises TimeoutError if that takes too long."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 - the condition lies in another process
            await asyncio.sleep(0.03)


_NUMBERS = itertools.count(1)


@asynccontextmanager
async def running_bot(
    github: StandInGitHub,
    settings: Settings,
    clock: Clock,
    drawing: ChartRenderer | None,
    *,
    has_periodic_jobs: bool = False,
) -> AsyncIterator[Bot]:
    """Door and worker, as `serve` runs them; but by default nothing begins because a minute has passed.

    `make test-later` switches that on with PERIODIC_JOBS: a clock that is set on holds for the minutes, too.
    """
    has_periodic_jobs = has_periodic_jobs or os.environ.get("PERIODIC_JOBS") == "on"
    app = GitHubSettings(str(github.app_id), Secret(github.private_key))
    settings = replace(settings, github=app, github_api_url=github.url)
    github.violations.clear()
    github.clear_faults()
    # What failed in earlier tests is not to be redelivered in this one.
    github.age_deliveries(timedelta(days=4))
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(open_services(settings, clock))
        await stack.enter_async_context(worker(base, renderer=drawing, has_periodic_jobs=has_periodic_jobs))
        port = await stack.enter_async_context(web_server(base, "127.0.0.1", 0))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        repository = await github.create_repository(name=f"repo-{next(_NUMBERS)}")
        running = Bot(base, github, session, f"http://127.0.0.1:{port}", repository)
        github.target = f"{running.url}/webhooks/github"
        stack.push_async_callback(_untarget, github)
        yield running


async def _untarget(github: StandInGitHub) -> None:
    try:
        await github.wait_for_webhooks()
    finally:
        github.target = None  # another test's bot may be given the same port
    await asyncio.sleep(0)
