"""Fairness: a flood of one user's comments does not delay others."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from procrastinate.jobs import Job, Status

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
_PLACES = 8
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


class Places:
    """The places of a worker, by hand: jobs begin in the order of the queue, and end when the test says so.

    So what is tested is the order, which does not depend on how fast anything runs.
    """

    def __init__(self, bot: Bot, clock: Clock) -> None:
        self._manager = FairJobManager(bot.base.queue.connector, _PLACES, clock)
        insert = "insert into procrastinate_workers default values returning id"
        ((self._worker,),) = query_as_administrator(bot.base, insert)
        self._running = list[Job]()

    async def fill(self) -> None:
        """Begin jobs until there is no place, or no job that may have one."""
        while len(self._running) < _PLACES and await self._begin():
            pass
        assert self._running

    async def replace(self, count: int) -> None:
        """Let jobs of others end and the next ones begin."""
        for _ in range(count):
            await self._end_oldest()
            await self._begin()

    async def begin_until(self, wanted: StartedJob) -> list[StartedJob]:
        """End jobs one by one until a job begins. Returns the others that have begun before it."""
        others = list[StartedJob]()
        for _ in range(FLOOD):
            if len(self._running) == _PLACES:
                await self._end_oldest()
            if job := await self._begin():
                if job == wanted:
                    return others
                others.append(job)
            else:
                await self._end_oldest()
        raise AssertionError(f"{wanted} has not begun after {others}")

    async def _begin(self) -> StartedJob | None:
        job = await self._manager.fetch_job(None, self._worker)
        if job is None:
            return None
        self._running.append(job)
        return StartedJob(job.task_name, str(job.task_kwargs["organization_id"]))

    async def _end_oldest(self) -> None:
        """End the job that has run longest, except those of our own tenant."""
        job = next(job for job in self._running if job.task_kwargs["organization_id"] != 1)
        self._running.remove(job)
        assert job.id is not None
        await self._manager.finish_job_by_id_async(job.id, Status.SUCCEEDED, delete_job=True)


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
        places = Places(bot, clock)
        await places.fill()
        await github.comment(bot.repo, issue["number"], "/sprint status")
        await github.wait_for_webhooks()

        assert await places.begin_until(StartedJob("process_events", "1")) == []
        # However long recording takes, and whatever begins meanwhile, the answer then begins next.
        await places.replace(2 * _PLACES)
        await record(bot.base)
        assert await places.begin_until(StartedJob("answer", "1")) == []


@pytest.mark.parametrize(
    "make_job",
    [
        pytest.param(lambda number: MeasureJob(organization_id=number), id="turns"),
        pytest.param(lambda number: BackfillJob(organization_id=number, project_id=number), id="backfills"),
        pytest.param(lambda number: CheckJob(organization_id=number, project_id=number), id="checks"),
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
        places = Places(bot, clock)
        await places.fill()
        await github.comment(bot.repo, issue["number"], "/sprint status")
        await github.wait_for_webhooks()

        assert await places.begin_until(StartedJob("process_events", "1")) == []
        await places.replace(2 * _PLACES)
        await record(bot.base)
        assert await places.begin_until(StartedJob("answer", "1")) == []


async def test_a_tenant_s_own_checks_do_not_delay_its_answer(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer
) -> None:
    """Other tenants have nothing running, and yet their less urgent jobs come later."""
    async with bot_without_worker(github, settings, clock) as bot:
        issue = await github.create_issue(bot.repo, "Pay by card")
        await github.comment(bot.repo, issue["number"], "/help")
        await github.wait_for_webhooks()
        await record(bot.base)
        manager = FairJobManager(bot.base.queue.connector, _PLACES, clock)
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
