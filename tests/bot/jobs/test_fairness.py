"""Fairness: a flood of one user's comments does not delay others."""

import uuid
from collections.abc import AsyncIterator, Callable
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
from storage.fair_jobs import FairJobManager
from storage.job_types import BackfillJob, CheckJob, MeasureJob, ProcessEventsJob, RedrawJob, SendPostsJob
from storage.jobs import Jobs, TenantJob
from tests.support.clock import Clock
from tests.support.running import Bot, WebhookClient, query_as_administrator, rows, wait_until
from tests.support.started_jobs import StartedJob, started_jobs
from tests.support.webhooks import ISSUE_OPENED

FLOOD = 300
_BATCH = 100
# A worker that looks for jobs so rarely finds them by notifications alone.
_NEVER = 100_000.0


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
    recording = EventProcessor(base.database, base.cipher, Jobs(), base.clock)
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

        begun = [job for job in await jobs_until_answered(bot, drawing, comment) if job.task == "answer"]
    ours = begun.index(StartedJob("answer", "1"))
    # The flood fills the other places while our delivery is recorded, twice at most.
    assert ours <= 16
    assert len(begun) < FLOOD


@pytest.mark.parametrize(
    "make_job",
    [
        pytest.param(lambda number: MeasureJob(organization_id=number), id="turns"),
        pytest.param(lambda number: BackfillJob(organization_id=number, project_id=1), id="backfills"),
        pytest.param(lambda number: CheckJob(organization_id=number, project_id=1), id="checks"),
        pytest.param(lambda number: SendPostsJob(organization_id=number), id="posts"),
        pytest.param(
            lambda number: CheckJob(organization_id=2, project_id=number), id="checks of one tenant"
        ),
        pytest.param(
            lambda number: RedrawJob(organization_id=2, project_id=number), id="redraws of one tenant"
        ),
    ],
)
async def test_what_nobody_waits_for_does_not_delay_an_answer(
    github: StandInGitHub,
    settings: Settings,
    clock: Clock,
    drawing: ChartRenderer,
    make_job: Callable[[int], TenantJob],
) -> None:
    """Neither work of 300 tenants, nor of one, and half of it has just become due."""
    async with bot_without_worker(github, settings, clock) as bot:
        milestone = await github.create_milestone(bot.repo, "Sprint 1")
        issue = await github.create_issue(bot.repo, "Pay by card", milestone=milestone["number"])
        await github.wait_for_webhooks()
        await record(bot.base)
        query_as_administrator(bot.base, "delete from procrastinate_jobs")
        async with bot.base.database.unscoped() as connection:
            for number in range(2, 302):
                at = clock() if number % 2 else None
                await Jobs().defer(connection, make_job(number), at)
        comment = await github.comment(bot.repo, issue["number"], "/sprint status")
        await github.wait_for_webhooks()

        begun = await jobs_until_answered(bot, drawing, comment)
    assert begun[0] == StartedJob("process_events", "1")
    # The others have some places while our delivery is recorded.
    assert begun.index(StartedJob("answer", "1")) < 150


async def test_a_tenant_s_own_checks_do_not_delay_its_answer(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer
) -> None:
    """Other tenants have nothing running, and yet their less urgent jobs come later."""
    async with bot_without_worker(github, settings, clock) as bot:
        issue = await github.create_issue(bot.repo, "Pay by card")
        await github.comment(bot.repo, issue["number"], "/help")
        await github.wait_for_webhooks()
        await record(bot.base)
        manager = FairJobManager(bot.base.queue.connector, 8, clock)
        (worker_row,) = query_as_administrator(
            bot.base, "insert into procrastinate_workers default values returning id"
        )
        query_as_administrator(
            bot.base,
            "update procrastinate_jobs set status = 'doing', worker_id = :worker "
            "where task_name <> 'answer' and args ->> 'organization_id' = '1'",
            worker=worker_row.id,
        )
        async with bot.base.database.unscoped() as connection:
            await Jobs().defer(connection, ProcessEventsJob(organization_id=2))
        first = await manager.fetch_job(None, worker_row.id)
        second = await manager.fetch_job(None, worker_row.id)
    assert first is not None
    assert second is not None
    assert (first.task_name, second.task_name) == ("answer", "process_events")


async def test_jobs_of_one_lock_follow_each_other_at_once(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer
) -> None:
    """Also though jobs that are done are deleted: the next one is not found by looking from time to time."""
    async with bot_without_worker(github, settings, clock) as bot:
        issue = await github.create_issue(bot.repo, "Pay by card")
        comments = [await github.comment(bot.repo, issue["number"], "/help new:yes") for _ in range(6)]
        await github.wait_for_webhooks()
        await record(bot.base)

        async with worker(bot.base, renderer=drawing, has_periodic_jobs=False, poll_seconds=_NEVER):

            async def are_answered() -> bool:
                return all("+1" in bot.reactions(comment) for comment in comments)

            await wait_until(are_answered)


async def test_background_jobs_follow_each_other_at_once(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer
) -> None:
    """They share half of the places: the first ones that end let the next ones begin, without any lock."""
    async with bot_without_worker(github, settings, clock) as bot:
        async with bot.base.database.unscoped() as connection:
            for tenant in range(1, 21):
                await Jobs().defer(connection, MeasureJob(organization_id=tenant))
        async with worker(bot.base, renderer=drawing, has_periodic_jobs=False, poll_seconds=_NEVER):

            async def are_done() -> bool:
                return not await rows(
                    bot.base,
                    "select from procrastinate_jobs where task_name = 'measure' and status <> 'failed'",
                )

            await wait_until(are_done)


async def jobs_until_answered(bot: Bot, drawing: ChartRenderer, comment: dict[str, Any]) -> list[StartedJob]:
    """Start a worker, wait until it has answered a comment, and return the jobs that have begun until then."""
    with started_jobs(bot.base) as started:
        async with worker(bot.base, renderer=drawing, has_periodic_jobs=False):

            async def is_answered() -> bool:
                return "+1" in bot.reactions(comment)

            await wait_until(is_answered)
            return started()


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
    with started_jobs(base) as started:
        async with worker(base, talks=False):

            async def is_done() -> bool:
                return not await rows(base, "select from github_events where processed_at is null", 1)

            await wait_until(is_done)
        jobs = started()
    assert jobs.count(StartedJob("process_events", "1")) >= 2
