"""Background tasks, flags and wake-ups: none is lost, in whatever order callbacks run."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from random import Random
from typing import Any, cast

import aiohttp
import aiohttp.web
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError

from bot.cli.serve import web_server
from bot.github import call_counter as github_calls
from bot.github.call_counter import CallCounts, saving_calls
from bot.jobs.event_processor import EventProcessor
from bot.processes import Processes
from bot.publishing.pictures import ChartRenderer
from bot.services import Services
from bot.services import wall_clock as now
from bot.webhooks.request_bodies import RequestBodies
from github_standin.webhooks.sender import IncomingWebhook, WebhookSender
from storage.database import Database
from storage.deliveries import Deliveries
from storage.jobs import Jobs
from tests.support.running import WebhookClient, query_as_administrator, rows
from tests.support.stepping import dawdle, run_in_any_order
from tests.support.webhooks import ISSUE_OPENED


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    async with web_server(base, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        yield WebhookClient(session, f"http://127.0.0.1:{port}")


class BrokenOnce(Executor):
    """A pool of processes that were all killed, or one that is well."""

    def __init__(self, *, is_broken: bool) -> None:
        self.is_broken = is_broken
        self.was_shut_down = False

    def submit(self, *_: Any, **__: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        if self.is_broken:
            future.set_exception(BrokenProcessPool("killed"))
        else:
            future.set_result(b"png")
        return future

    def shutdown(self, *_: Any, **__: Any) -> None:
        self.was_shut_down = True


async def test_pictures_that_break_together_share_the_new_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    pools = list[BrokenOnce]()

    def new_pool(_: Processes) -> BrokenOnce:
        pools.append(BrokenOnce(is_broken=not pools))
        return pools[-1]

    monkeypatch.setattr(Processes, "_new_pool", new_pool)
    drawing = ChartRenderer()
    assert await asyncio.gather(*(drawing.draw(cast(Any, None)) for _ in range(5))) == [b"png"] * 5
    drawing.close()
    assert [pool.was_shut_down for pool in pools] == [True, True]


@given(st.integers(0, 2**32).map(Random), st.integers(0, 30))
def test_each_call_is_recorded_once(random: Random, number: int) -> None:
    """Also those that are counted while others are being written, or when it all ends."""
    written = list[int]()

    async def add(_: object, installation: int, __: object, calls: int) -> None:
        await dawdle(random)
        if random.random() < 0.2:
            raise RuntimeError("a bug")
        written.append(calls * installation)

    async def work() -> None:
        calls = CallCounts(now)
        async with saving_calls(cast(Database, None), calls):
            for _ in range(number):
                calls.count(1)
                await dawdle(random)
        for _ in range(50):  # What failed at the end is tried again by the next process.
            await github_calls.save_calls(cast(Database, None), calls)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(github_calls, "_add", add)
        patch.setattr(github_calls, "_EVERY_SECONDS", 0)
        run_in_any_order(work(), random)
    assert sum(written) == number


async def test_a_webhook_that_cannot_be_repaired_stops_no_other() -> None:
    observed = list[str]()

    async def repair(event: str, payload: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        if event == "bad":
            raise KeyError("issue")
        return [(event, payload)]

    hooks = WebhookSender("secret", repair, lambda event, _: observed.append(event))
    await hooks.start()
    for event in ("good", "bad", "good"):
        hooks.receive(IncomingWebhook(event, b"{}", ""))
    async with asyncio.timeout(20):
        await hooks.wait_until_delivered()
    await hooks.stop()
    assert observed == ["good", "good"]


class Request:
    """A request whose body comes in pieces, and may stop or end early."""

    def __init__(self, random: Random, pieces: list[int], end: str) -> None:
        self.content_length = None
        self.content_type = "application/json"
        self.headers: dict[str, str] = {}
        self.content = self
        self._random = random
        self._pieces = pieces
        self._end = end

    def is_eof(self) -> bool:
        return False

    async def iter_any(self) -> AsyncIterator[bytes]:
        for size in self._pieces:
            await dawdle(self._random)
            yield b"x" * size
        if self._end == "aborted":
            raise ConnectionResetError


@given(
    st.integers(0, 2**32).map(Random),
    st.lists(
        st.tuples(st.lists(st.integers(0, 60), max_size=5), st.sampled_from(["whole", "aborted"])),
        max_size=12,
    ),
)
def test_room_for_bodies_is_never_exceeded_nor_lost(
    random: Random, requests: list[tuple[list[int], str]]
) -> None:
    bodies, most, refusals = RequestBodies(100, 60), 0, list[int]()

    async def handle(pieces: list[int], end: str) -> None:
        nonlocal most
        try:
            async with bodies.read(cast(Any, Request(random, pieces, end))) as body:
                assert len(body) == sum(pieces)
                most = max(most, bodies._received_bytes)
                await dawdle(random)
        except aiohttp.web.HTTPException as problem:
            refusals.append(problem.status)

    async def all_of_them() -> None:
        await asyncio.gather(*(handle(*request) for request in requests))

    run_in_any_order(all_of_them(), random)
    assert set(refusals) <= {400, 503}
    assert most <= 100
    assert bodies._received_bytes == 0


async def test_failed_batch_is_stored_by_the_next_one(
    base: Services, webhook_client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs and people go with the transaction, so nothing may be remembered of them."""
    await webhook_client.deliver("issues", ISSUE_OPENED)
    (tenant,) = await rows(base, "select * from all_tenants()")
    recording = EventProcessor(base.database, base.cipher, Jobs(), base.clock)

    async def fail_to_mark(*_: object) -> None:
        raise OSError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr("storage.deliveries.Deliveries.mark_processed", fail_to_mark)
        with pytest.raises(OSError, match="went away"):
            await recording.process_pending(tenant[0])
    assert await rows(base, "select from users", tenant[0]) == []

    assert (await recording.process_pending(tenant[0])).deliveries == 1

    people = await rows(base, "select github_username from users", tenant[0])
    assert [row.github_username for row in people] == ["alice"]
    jobs = query_as_administrator(base, "select args ->> 'task' as task from procrastinate_jobs")
    assert {"redraw", "check"} <= {row.task for row in jobs}


async def test_a_dead_lock_does_not_leave_deliveries_waiting(
    base: Services, webhook_client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await webhook_client.deliver("issues", ISSUE_OPENED)
    await webhook_client.deliver("issues", ISSUE_OPENED | {"action": "reopened"})
    (tenant,) = await rows(base, "select * from all_tenants()")
    recording = EventProcessor(base.database, base.cipher, Jobs(), base.clock)
    original, tries = Deliveries.mark_processed, list[int]()

    async def mark_processed(deliveries: Deliveries, notes: dict[int, str | None], at: datetime) -> None:
        tries.append(len(notes))
        if len(tries) == 1:
            raise OperationalError("update", {}, DeadlockDetected("two waited for each other"))
        await original(deliveries, notes, at)

    monkeypatch.setattr(Deliveries, "mark_processed", mark_processed)
    await recording.process_pending(tenant[0])

    assert tries == [2, 1, 1]
    assert await rows(base, "select from github_events where processed_at is null", tenant[0]) == []


async def test_an_event_that_comes_while_a_redraw_begins_has_one_of_its_own(
    base: Services, webhook_client: WebhookClient
) -> None:
    recording = EventProcessor(base.database, base.cipher, Jobs(), base.clock)
    for action, again in (("opened", False), ("reopened", True)):
        await webhook_client.deliver("issues", ISSUE_OPENED | {"action": action})
        (tenant,) = await rows(base, "select * from all_tenants()")
        await recording.process_pending(tenant[0])
        jobs = await rows(
            base,
            "select status from procrastinate_jobs where task_name = 'run_later' order by 1",
        )
        assert [row.status for row in jobs] == (["todo"] * 2 + ["doing"] * 2 if again else ["todo"] * 2)
        query_as_administrator(base, "update procrastinate_jobs set status = 'doing' where status = 'todo'")


async def test_a_refused_body_is_given_back_although_its_answer_lives_on() -> None:
    bodies = RequestBodies(100, 60)
    with pytest.raises(aiohttp.web.HTTPServiceUnavailable) as refused:
        async with bodies.read(cast(Any, Request(Random(1), [60, 60], "whole"))):
            pass
    held = [
        value
        for frame, _ in traceback.walk_tb(refused.value.__traceback__)
        for value in frame.f_locals.values()
        if isinstance(value, bytearray)
    ]
    assert held
    assert not any(held)
