"""What is read at each scrape: the queue, the pools, the event loop and GitHub's limits."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from bot.cli.metrics import metrics_page
from bot.metrics.instruments import Instruments
from bot.metrics.loop_lag import LoopLag
from bot.metrics.page import open_metrics_page
from bot.metrics.queue_gauges import QueueGauges
from bot.metrics.rate_limits import RateLimits
from bot.services import Services
from storage.database import Database
from storage.fair_jobs import FairJobManager
from storage.job_priority import Priority
from storage.job_types import AnswerJob, ReadSettingsJob
from storage.jobs import Jobs
from storage.queue_depth import read_queue_depths
from tests.support.clock import Clock
from tests.support.running import WebhookClient
from tests.support.scraping import Scrape, scrape
from tests.support.webhooks import ISSUE_OPENED, only_tenant_id

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


async def test_the_queue_is_counted_by_priority(
    base: Services, webhook_client: WebhookClient, clock: Clock
) -> None:
    """Jobs that are scheduled for later do not count, and scheduled ones age from their time on."""
    clock.now = NOW
    await webhook_client.deliver("issues", ISSUE_OPENED)
    tenant_id, jobs = await only_tenant_id(base), Jobs()
    async with base.database.tenant(tenant_id) as tenant:
        for minutes in (-7, -3, 5):
            at = NOW + timedelta(minutes=minutes)
            job = ReadSettingsJob(organization_id=tenant_id, project_id=100 + minutes)
            await jobs.defer(tenant.connection, job, at)
        for event in range(3):
            answer = AnswerJob(organization_id=tenant_id, event_id=event, thread=f"thread:1:{event}")
            await jobs.defer(tenant.connection, answer)

    async with base.database.unscoped() as connection:
        depths = {depth.priority: depth for depth in await read_queue_depths(connection)}
    metrics = await scrape(webhook_client.session, webhook_client.url)

    assert metrics.get("agile_database_up") == 1
    ready = metrics.by("agile_queue_ready_jobs", "priority")
    assert sum(ready.values()) == 6
    assert ready == {
        (Priority(priority).name.lower(),): depth.ready_jobs for priority, depth in depths.items()
    }
    assert ready == {("answers",): 3, ("recording",): 1, ("checks",): 2}
    ages = metrics.by("agile_queue_oldest_ready_seconds", "priority")
    assert ages["checks",] == pytest.approx(7 * 60)


async def test_a_priority_without_jobs_falls_to_zero(base: Services) -> None:
    registry = CollectorRegistry()
    gauges = QueueGauges(base.database, registry, read_every_seconds=0)
    async with base.database.unscoped() as connection:
        await Jobs().defer(connection, AnswerJob(organization_id=1, event_id=1, thread="t"))
        await gauges.refresh()
        labels = {"priority": "answers"}
        assert registry.get_sample_value("agile_queue_ready_jobs", labels) == 0  # Not committed yet.
    await gauges.refresh()
    assert registry.get_sample_value("agile_queue_ready_jobs", labels) == 1
    manager = FairJobManager(base.queue.connector, 8, base.clock)
    assert await manager.fetch_job(None, await manager.register_worker()) is not None
    await gauges.refresh()
    assert registry.get_sample_value("agile_queue_ready_jobs", labels) == 0


async def test_many_scrapes_ask_the_database_once(base: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = 0

    async def count(connection: object) -> list[object]:
        nonlocal readings
        readings += 1
        return []

    monkeypatch.setattr("bot.metrics.queue_gauges.read_queue_depths", count)
    async with metrics_page(base) as page:
        await asyncio.gather(*(page.render() for _ in range(50)))
    assert readings == 1


async def test_without_the_database_all_else_is_still_served(clock: Clock) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/none", clock, pool_size=1)
    async with open_metrics_page(Instruments(clock), away) as page:
        metrics = Scrape((await page.render()).decode())
    assert metrics.get("agile_database_up") == 0
    assert metrics.by("agile_queue_ready_jobs", "priority") == {}
    assert metrics.get("agile_event_loop_lag_seconds") is not None
    assert metrics.get("process_resident_memory_bytes")


async def test_who_waits_for_a_connection_is_counted(base: Services) -> None:
    database = Database(base.database_url, pool_size=1)

    async def use() -> None:
        async with database.unscoped():
            pass

    async with database.unscoped():
        waiting = asyncio.create_task(use())
        await asyncio.sleep(0)
        state = database.pool_states()["transactions"]
        assert (state.size, state.checked_out, state.waits) == (1, 1, 1)
    await waiting
    state = database.pool_states()["transactions"]
    assert (state.size, state.checked_out, state.waits) == (1, 0, 1)
    await database.close()


async def test_every_pool_is_shown(base: Services, webhook_client: WebhookClient) -> None:
    async with base.database.unscoped():
        metrics = await scrape(webhook_client.session, webhook_client.url)
    sizes = metrics.by("agile_database_pool_size", "pool")
    assert sizes == {("transactions",): 10, ("single_statements",): 2, ("queue",): 4}
    assert metrics.get("agile_database_pool_checked_out", pool="transactions") == 1
    assert metrics.get("agile_database_pool_waits_total", pool="queue") == 0


async def test_a_callback_that_holds_the_loop_is_seen_once() -> None:
    registry = CollectorRegistry()
    lag = LoopLag(registry)
    async with lag.sampling():
        await asyncio.sleep(0.01)
        time.sleep(0.3)  # noqa: ASYNC251 - this is what is measured
        await asyncio.sleep(0.1)
    lag.publish()
    held = registry.get_sample_value("agile_event_loop_lag_seconds")
    assert held is not None
    assert held > 0.2
    lag.publish()
    assert registry.get_sample_value("agile_event_loop_lag_seconds") == 0


def test_only_the_lowest_limit_and_the_number_of_low_ones_are_shown(clock: Clock) -> None:
    """However many installations there are; and a limit whose hour is over is full again."""
    clock.now = NOW
    registry, limits = CollectorRegistry(), RateLimits(clock)
    registry.register(limits)
    for installation in range(1, 101):
        limits.note(installation, make_headers("core", 5000, installation * 50, NOW + timedelta(minutes=9)))
    limits.note(None, make_headers("graphql", 5000, 4999, NOW + timedelta(minutes=9)))
    for odd in ({}, {"X-RateLimit-Resource": "core"}, make_headers("search", 30, 0, NOW)):
        limits.note(7, odd)
    limits.note(7, make_headers("core", 5000, 0, NOW) | {"X-RateLimit-Limit": "many"})

    lowest, low = "agile_github_rate_limit_lowest_remaining", "agile_github_rate_limit_low_installations"
    assert registry.get_sample_value(lowest, {"resource": "core"}) == 50
    assert registry.get_sample_value(low, {"resource": "core"}) == 9
    assert registry.get_sample_value(lowest, {"resource": "graphql"}) == 4999
    assert sum(len(family.samples) for family in registry.collect()) == 4

    clock.now = NOW + timedelta(minutes=10)
    assert registry.get_sample_value(lowest, {"resource": "core"}) is None
    assert registry.get_sample_value(low, {"resource": "core"}) == 0


def make_headers(resource: str, limit: int, remaining: int, reset: datetime) -> dict[str, str]:
    """The headers in which GitHub tells a rate limit."""
    values = {"Limit": limit, "Remaining": remaining, "Reset": int(reset.timestamp()), "Resource": resource}
    return {f"X-RateLimit-{name}": str(value) for name, value in values.items()}


async def test_a_queue_that_is_not_open_has_no_pool(base: Services, webhook_client: WebhookClient) -> None:
    await base.queue.close_async()
    metrics = await scrape(webhook_client.session, webhook_client.url)
    assert metrics.by("agile_database_pool_size", "pool").keys() == {
        ("transactions",),
        ("single_statements",),
    }
