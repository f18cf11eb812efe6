"""The running bot as a test uses it: what people do, what GitHub delivers, and what comes of it."""

import asyncio
import hashlib
import hmac
import itertools
import json
import os
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
from bot.publishing.pictures import Drawing
from bot.services import Services, services
from bot.settings import GitHubSettings, Secret, Settings
from github_standin.github import StandInGitHub
from tests.support.clock import Clock

SECRET = "stand-in-secret"
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
    """X-Hub-Signature-256, as GitHub makes it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Door:
    """Deliveries to a door, as GitHub sends them."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def deliver(
        self, event: str, payload: dict[str, Any], delivery: str | None = None, secret: str = SECRET
    ) -> tuple[int, str]:
        """Sends a payload and returns the door's status and message."""
        body = json.dumps(payload).encode()
        headers = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": signature(body, secret),
        }
        return await self.post(body, headers)

    async def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        async with self.session.post(f"{self.url}/webhooks/github", data=body, headers=headers) as response:
            return response.status, (await response.json(content_type=None))["message"]


class Bot(Door):
    """Door, worker and GitHub together."""

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
        return str(self.repository["full_name"])

    async def say(self, number: int, body: str, as_user: str = "alice") -> dict[str, Any]:
        """Somebody comments; returns the comment once it was handled to the end."""
        comment = await self.github.comment(self.repo, number, body, as_user=as_user)
        await self.rest()
        return comment

    async def answers(self, number: int) -> list[str]:
        """What the bot said in a thread."""
        comments = await self.github.comments(self.repo, number)
        return [comment["body"] for comment in comments if comment["user"]["type"] == "Bot"]

    def reactions(self, comment: dict[str, Any]) -> list[str]:
        """The bot's reactions to a comment, oldest first."""
        return [reaction["content"] for reaction in self.github.reactions(self.repo, comment["id"])]

    async def rest(self) -> None:
        """Waits until every webhook was delivered and every job that is due has ended."""
        await self.github.settle()
        try:
            await until(self.is_idle)
        except TimeoutError:
            busy = as_administrator(self.base, _BUSY)
            raise AssertionError(f"jobs that did not end: {[tuple(job) for job in busy]}") from None

    async def is_idle(self) -> bool:
        # Asked so often that a transaction around it would be felt.
        async with self.base.database.autocommit() as connection:
            busy = await connection.exec_driver_sql(_IS_BUSY, {"now": self.base.clock()})
            return not busy.scalar()


async def rows(base: Services, query: str, organization_id: int | None = None, **values: object) -> list[Any]:
    """Raw SQL through the application's own connection."""
    if organization_id is None:
        async with base.database.unscoped() as connection:
            return list(await connection.execute(text(query), values))
    async with base.database.tenant(organization_id) as tenant:
        return list(await tenant.connection.execute(text(query), values))


def as_administrator(base: Services, query: str, **values: object) -> list[Any]:
    """Raw SQL that the application's role may not run, such as a look at what jobs are about."""
    address = make_url(base.database_url).set(username="postgres", drivername="postgresql+psycopg")
    engine = create_engine(address, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(query), values)
        return list(result) if result.returns_rows else []


def let_deadlines_be_read(base: Services) -> None:
    """As if all deadlines had been noted more than a week ago: the time that an owner has to read of them."""
    as_administrator(base, "update deletion_deadlines set noted_at = now() - interval '8 days'")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for something to become true. Raises TimeoutError if it does not."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 - the condition lies in another process
            await asyncio.sleep(0.03)


_NUMBERS = itertools.count(1)


@asynccontextmanager
async def running_bot(
    github: StandInGitHub,
    settings: Settings,
    clock: Clock,
    drawing: Drawing,
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
        base = await stack.enter_async_context(services(settings, clock))
        await stack.enter_async_context(worker(base, drawing=drawing, has_periodic_jobs=has_periodic_jobs))
        port = await stack.enter_async_context(web_server(base, "127.0.0.1", 0))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        repository = await github.create_repository(name=f"repo-{next(_NUMBERS)}")
        running = Bot(base, github, session, f"http://127.0.0.1:{port}", repository)
        github.target = f"{running.url}/webhooks/github"
        stack.push_async_callback(_untarget, github)
        yield running


async def _untarget(github: StandInGitHub) -> None:
    await github.settle()
    github.target = None
    await asyncio.sleep(0)
