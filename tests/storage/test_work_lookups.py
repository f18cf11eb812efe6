"""Periodic tasks are told the tenants that have work, and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.services import Services
from storage.job_types import MeasureJob, ProcessEventsJob, SendPostsJob
from storage.jobs import Jobs
from storage.posts import Posts
from storage.work_lookups import (
    tenants_due,
    tenants_to_clean_up,
    tenants_with_billing,
    tenants_with_due_posts,
    tenants_with_missed_deliveries,
    tenants_with_usage,
    tenants_with_work,
    wake_waiting_tenants,
)
from tests.support.clock import Clock
from tests.support.running import query_as_administrator

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
_TENANTS = """
insert into organizations (id, github_account_id, name, slug, github_installation_id, created_at, next_measure_at)
select n, n, 'account ' || n, 'account-' || n, n, cast(:now as timestamptz) - interval '1 year',
    cast(:now as timestamptz) - n * interval '1 minute'
from generate_series(1, :count) as n
"""
_PROJECTS = """
insert into projects (organization_id, id, github_repo, repository_node_id, name, named_at, created_at)
select id, id, 'acme/' || id, 'R_' || id, 'repository', created_at, created_at from organizations
"""
_POST = """
insert into posts (organization_id, project_id, key, kind, body, wanted_at, sent_at, refused, refused_at,
    is_gone, is_withdrawn)
values (:tenant, :tenant, :key, 'comment', '', :wanted_at, :sent_at, :refused, :refused_at, :gone, :withdrawn)
"""
_DELIVERY = """
insert into github_events (organization_id, delivery_id, event_type, payload, created_at, due_at, processed_at,
    parked_at)
values (:tenant, gen_random_uuid(), 'issues', :payload, :created_at, :due_at, :processed_at, :parked_at)
"""


@pytest.fixture
def tenants(base: Services, clock: Clock) -> Services:
    """A database with five tenants, which have a repository each and nothing else."""
    clock.now = NOW
    make_tenants(base, 5)
    query_as_administrator(base, _PROJECTS)
    return base


def make_tenants(base: Services, count: int) -> None:
    """Tenants with the ids from 1; the higher the id, the longer their turn is overdue."""
    query_as_administrator(base, _TENANTS, now=NOW, count=count)


def make_post(base: Services, tenant: int, key: str = "living:1", **values: Any) -> None:
    row = {"wanted_at": NOW, "sent_at": None, "refused": None, "refused_at": None}
    row |= {"gone": False, "withdrawn": False} | values
    query_as_administrator(base, _POST, tenant=tenant, key=key, **row)


def make_delivery(base: Services, tenant: int, **values: Any) -> None:
    row = {"payload": b"x", "created_at": NOW, "due_at": NOW, "processed_at": None, "parked_at": None}
    query_as_administrator(base, _DELIVERY, tenant=tenant, **row | values)


# Turns


async def test_at_most_a_hundred_turns_are_queued_and_the_most_overdue_come_first(base: Services) -> None:
    make_tenants(base, 250)

    async def due() -> list[int]:
        async with base.database.unscoped() as connection:
            return list(await tenants_due(connection, "measure", NOW, 100))

    first = await due()
    assert first == list(range(250, 150, -1))
    async with base.database.unscoped() as connection:
        for tenant in first:
            await Jobs().defer(connection, MeasureJob(organization_id=tenant))
    assert await due() == []
    # One runs, and two have had their turn.
    query_as_administrator(
        base, "update procrastinate_jobs set status = 'doing' where queueing_lock = 'measure:250'"
    )
    query_as_administrator(
        base, "delete from procrastinate_jobs where queueing_lock in ('measure:249', 'measure:248')"
    )
    query_as_administrator(
        base,
        "update organizations set next_measure_at = :later where id in (249, 248)",
        later=NOW + timedelta(days=1),
    )
    assert await due() == [150, 149]


async def test_a_new_tenant_has_its_first_turn_an_hour_later(base: Services) -> None:
    make_tenants(base, 2)
    query_as_administrator(
        base,
        "update organizations set next_measure_at = null, created_at = :now - id * interval '40 minutes'",
        now=NOW,
    )
    async with base.database.unscoped() as connection:
        assert await tenants_due(connection, "measure", NOW, 100) == [2]


# Deliveries


async def test_tenants_are_woken_for_deliveries_without_a_job(tenants: Services) -> None:
    for tenant in (1, 2, 3):
        make_delivery(tenants, tenant)
    make_delivery(tenants, 4, due_at=NOW + timedelta(minutes=1))
    make_delivery(tenants, 5, processed_at=NOW)
    async with tenants.database.unscoped() as connection:
        await Jobs().defer(connection, ProcessEventsJob(organization_id=99))
    query_as_administrator(tenants, "update procrastinate_jobs set queueing_lock = 'events:2'")

    async def wake(most: int) -> int:
        async with tenants.database.unscoped() as connection:
            return await wake_waiting_tenants(connection, NOW, most)

    assert await wake(1) == 1
    assert await wake(100) == 1
    assert await wake(100) == 0
    jobs = query_as_administrator(tenants, "select queueing_lock from procrastinate_jobs order by 1")
    assert [row.queueing_lock for row in jobs] == ["events:1", "events:2", "events:3"]


# Posts

_LONG_AGO, _YESTERDAY = NOW - timedelta(days=40), NOW - timedelta(days=2)
_POSTS: dict[str, dict[str, Any]] = {
    "new": {},
    "changed": {"sent_at": NOW - timedelta(hours=1)},
    "shown": {"sent_at": NOW},
    "deleted by a person": {"gone": True},
    "withdrawn": {"withdrawn": True},
    "just refused": {"refused": "no", "refused_at": NOW},
    "refused long enough ago": {"refused": "no", "wanted_at": _YESTERDAY, "refused_at": _YESTERDAY},
    "refused without a date": {"refused": "no", "wanted_at": _YESTERDAY},
    "refused, and wanted too long ago": {"refused": "no", "wanted_at": _LONG_AGO, "refused_at": _YESTERDAY},
    "refused and shown": {"refused": "no", "sent_at": NOW, "refused_at": _YESTERDAY},
}


@pytest.mark.parametrize("values", _POSTS.values(), ids=_POSTS.keys())
async def test_posts_are_due_as_the_tenant_s_own_transaction_says(
    tenants: Services, values: dict[str, Any]
) -> None:
    make_post(tenants, 3, **values)
    async with tenants.database.tenant(3) as tenant:
        is_due = bool(await Posts(tenant).projects_with_due())
    assert await tenants_with_posts(tenants) == ([3] if is_due else [])


@pytest.mark.parametrize(
    "change",
    [
        "update organizations set suspended_at = now()",
        "update organizations set github_installation_id = null",
        "update projects set is_active = false",
        "update projects set github_repo = null",
    ],
)
async def test_nobody_is_woken_for_posts_that_cannot_be_written(tenants: Services, change: str) -> None:
    make_post(tenants, 3)
    query_as_administrator(tenants, change)
    assert await tenants_with_posts(tenants) == []


async def test_nobody_is_woken_twice_for_posts(tenants: Services) -> None:
    for tenant in (2, 3, 4):
        make_post(tenants, tenant)
    async with tenants.database.unscoped() as connection:
        await Jobs().defer(connection, SendPostsJob(organization_id=3))
    assert await tenants_with_posts(tenants) == [2, 4]


async def tenants_with_posts(base: Services) -> list[int]:
    async with base.database.unscoped() as connection:
        return list(await tenants_with_due_posts(connection, 0, 100, moment=NOW))


# Other work


async def test_usage(tenants: Services) -> None:
    query_as_administrator(tenants, "update projects set created_at = :at where id = 2", at=NOW)
    for tenant, source in ((3, "stripe"), (4, "marketplace")):
        query_as_administrator(
            tenants,
            "insert into subscriptions (organization_id, source, status, plan, read_at) "
            "values (:tenant, :source, 'active', 'team', now())",
            tenant=tenant,
            source=source,
        )
        query_as_administrator(
            tenants,
            "insert into usage_ledger (organization_id, metric, period, quantity) "
            "values (:tenant, 'commands_answered', '2026-10-01', 3)",
            tenant=tenant,
        )

    async def with_usage(*, until: datetime, reported: bool) -> list[int]:
        async with tenants.database.unscoped() as connection:
            since = until - timedelta(days=3)
            return list(
                await tenants_with_usage(connection, 0, 100, since=since, until=until, reported=reported)
            )

    assert await with_usage(until=NOW, reported=False) == []
    assert await with_usage(until=NOW + timedelta(days=1), reported=False) == [2]
    assert await with_usage(until=NOW + timedelta(days=1), reported=True) == [2, 3]


async def test_data_to_clean_up(tenants: Services) -> None:
    old = NOW - timedelta(days=60)
    make_delivery(tenants, 1, created_at=old, processed_at=old)
    make_delivery(tenants, 2, created_at=old)  # It is still to be processed.
    make_delivery(tenants, 3, created_at=NOW, processed_at=NOW)
    make_delivery(tenants, 3, created_at=old, processed_at=old, payload=b"")
    query_as_administrator(
        tenants,
        "insert into chart_files (organization_id, project_id, token, content_key, png, inputs, used_at) "
        "values (4, 4, 'token', 'key', 'png', 'inputs', :old)",
        old=old,
    )
    query_as_administrator(
        tenants,
        "insert into installation_claims "
        "(organization_id, installation, account, login, delivery_id, claimed_at) "
        "values (5, 1, 1, 'acme', 'guid', :old)",
        old=old,
    )
    before = NOW - timedelta(days=30)
    async with tenants.database.unscoped() as connection:
        due_tenants = await tenants_to_clean_up(
            connection, 0, 100, payloads_before=before, pictures_before=before, claims_before=before
        )
    assert due_tenants == [1, 4, 5]


async def test_billing_and_missed_deliveries(tenants: Services) -> None:
    query_as_administrator(tenants, "update organizations set plan = 'team' where id = 2")
    make_post(tenants, 3, "billing:issue:1", sent_at=NOW)
    make_post(tenants, 4, "living:1", sent_at=NOW)
    for tenant, recovered_at in ((1, None), (2, NOW)):
        query_as_administrator(
            tenants,
            "insert into missed_deliveries "
            "(organization_id, delivery_id, event_type, delivered_at, recovered_at) "
            "values (:tenant, 'guid', 'issues', :now, :recovered_at)",
            tenant=tenant,
            now=NOW,
            recovered_at=recovered_at,
        )
    async with tenants.database.unscoped() as connection:
        assert await tenants_with_billing(connection, 0, 100) == [2, 3]
        assert await tenants_with_missed_deliveries(connection, 0, 100) == [1]


async def test_pages_follow_each_other_until_all_are_visited(base: Services) -> None:
    make_tenants(base, 450)
    query_as_administrator(base, "update organizations set plan = 'team' where id % 2 = 0 or id > 40")
    visited = [tenant async for tenant in tenants_with_work(base.database, tenants_with_billing)]
    assert visited == [tenant for tenant in range(1, 451) if tenant % 2 == 0 or tenant > 40]
