"""Fairness: a flood of one user's comments does not delay others."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.cli.serve import web_server
from bot.jobs.event_processor import EventProcessor
from bot.jobs.worker import worker
from bot.publishing.pictures import ChartRenderer
from bot.services import Services, open_services
from bot.settings import GitHubSettings, Secret, Settings
from github_standin.github import StandInGitHub
from storage.jobs import Jobs
from tests.support.clock import Clock
from tests.support.running import Bot, WebhookClient, query_as_administrator, rows, wait_until
from tests.support.webhooks import ISSUE_OPENED

FLOOD = 300
_BATCH = 100


def comment_of_another_tenant(number: int, thread: int) -> dict[str, Any]:
    """A command in a thread of an account that GitHub's stand-in does not know."""
    return ISSUE_OPENED | {
        "action": "created",
        "installation": {"id": 900},
        "repository": ISSUE_OPENED["repository"]
        | {"id": 77, "node_id": "R_77", "full_name": "flood/shop", "owner": {"id": 99, "login": "flood"}},
        "issue": ISSUE_OPENED["issue"] | {"number": thread, "id": thread, "node_id": f"I_{thread}"},
        "comment": {"id": number, "body": "/sprint status", "user": {"id": 1, "login": "alice"}},
    }


@asynccontextmanager
async def bot_without_worker(github: StandInGitHub, settings: Settings, clock: Clock) -> AsyncIterator[Bot]:
    app = GitHubSettings(str(github.app_id), Secret(github.private_key))
    async with AsyncExitStack() as stack:
        with_github = replace(settings, github=app, github_api_url=github.url)
        base = await stack.enter_async_context(open_services(with_github, clock))
        port = await stack.enter_async_context(web_server(base, "127.0.0.1", 0))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        repository = await github.create_repository(name=f"fair-{uuid.uuid4().hex[:8]}")
        running = Bot(base, github, session, f"http://127.0.0.1:{port}", repository)
        github.target = f"{running.url}/webhooks/github"
        try:
            yield running
        finally:
            await github.wait_for_webhooks()
            github.target = None


async def record(base: Services) -> None:
    """What a worker does before it answers."""
    recording = EventProcessor(base.database, base.cipher, Jobs(base.queue), base.clock)
    for (tenant,) in await rows(base, "select * from all_tenants()"):
        await recording.process_pending(tenant)


@pytest.mark.parametrize("threads", [1, FLOOD], ids=["one thread", "many threads"])
async def test_flood_of_commands_does_not_delay_others(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer, threads: int
) -> None:
    async with bot_without_worker(github, settings, clock) as bot:
        milestone = await github.create_milestone(bot.repo, "Sprint 1")
        issue = await github.create_issue(bot.repo, "Pay by card", milestone=milestone["number"])
        await github.wait_for_webhooks()
        flood = WebhookClient(bot.session, bot.url)
        for number in range(FLOOD):
            payload = comment_of_another_tenant(number, 1 + number % threads)
            assert await flood.deliver("issue_comment", payload) == (202, "stored")
        await record(bot.base)
        comment = await github.comment(bot.repo, issue["number"], "/sprint status")
        await github.wait_for_webhooks()

        async with worker(bot.base, renderer=drawing):

            async def is_answered() -> bool:
                return "+1" in bot.reactions(comment)

            await wait_until(is_answered)
            begun = query_as_administrator(
                bot.base,
                "select args ->> 'organization_id' as tenant from procrastinate_jobs "
                "join procrastinate_events as event on job_id = procrastinate_jobs.id and type = 'started' "
                "where task_name = 'answer' order by event.id",
            )
    (ours,) = [place for place, row in enumerate(begun) if row.tenant == "1"]
    # The flood fills the other places while our delivery is recorded, twice at most.
    assert ours <= 16
    assert len(begun) < FLOOD


async def test_a_tenant_s_many_deliveries_are_worked_off_in_several_jobs(base: Services) -> None:
    """Each of them goes behind what others wait for, and none is left."""
    async with (
        web_server(base, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        entrance = WebhookClient(session, f"http://127.0.0.1:{port}")
        for number in range(7 * _BATCH + 5):
            await entrance.deliver("issue_comment", comment_of_another_tenant(number, 1))
    recording = EventProcessor(base.database, base.cipher, None, base.clock)
    assert (await recording.process_pending(1, most=3 * _BATCH)).deliveries == 3 * _BATCH
    async with worker(base, talks=False):

        async def is_done() -> bool:
            return not await rows(base, "select from github_events where processed_at is null", 1)

        await wait_until(is_done)
    jobs = await rows(base, "select from procrastinate_jobs where task_name = 'process_events'")
    assert len(jobs) >= 2
