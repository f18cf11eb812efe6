"""Behind PgBouncer in transaction mode: everything works, and nothing of a tenant stays on a connection."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import psycopg
import pytest
from sqlalchemy import text

from bot.cli.serve import web_server
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.publishing.pictures import ChartRenderer
from bot.services import Services, open_services
from bot.settings import Secret, Settings
from bot.webhooks.readiness import ReadinessProbe
from github_standin.github import StandInGitHub
from github_standin.seed import new_private_key
from storage.database import Database
from storage.embedded import EmbeddedServer
from tests.support.cli import run_cli
from tests.support.clock import Clock
from tests.support.pgbouncer import running_pooler
from tests.support.running import WebhookClient, rows, running_bot
from tests.support.webhooks import ISSUE_OPENED

_ITEMS = 20


@pytest.fixture
async def pooled(settings: Settings) -> AsyncIterator[Settings]:
    """Settings with a pooler that has two connections to the server."""
    assert settings.database_url
    direct = settings.database_url
    async with running_pooler(direct.reveal(), server_connections=2) as url:
        yield replace(
            settings, database_url=Secret(url), database_direct_url=direct, has_transaction_pooler=True
        )


async def test_a_comment_is_answered(
    github: StandInGitHub, pooled: Settings, clock: Clock, drawing: ChartRenderer
) -> None:
    async with running_bot(github, pooled, clock, drawing) as bot:
        issue = await github.create_issue(bot.repo, title="Pay by card")
        # More often than psycopg executes a statement before it prepares it.
        for number in range(7):
            await bot.say(issue["number"], f"/estimate {number + 1}")
        await bot.say(issue["number"], "/agile health")
        answers = await bot.answers(issue["number"])
        # With more comments between them, an answer is posted anew.
        assert [
            any(text in answer for answer in answers) for text in ("**7 points**", "Every event arrived")
        ] == [True, True]
    assert not github.violations


async def test_two_tenants_share_connections_and_see_only_their_rows(pooled: Settings) -> None:
    async with (
        open_services(pooled) as base,
        worker(base, talks=False),
        web_server(base, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        client = WebhookClient(session, f"http://127.0.0.1:{port}")
        deliveries = [
            client.deliver("issues", issue_of(account, number))
            for number in range(1, _ITEMS + 1)
            for account in (3, 4)
        ]
        assert {status for status, _ in await asyncio.gather(*deliveries)} == {202}
        await wait_until_processed(base)
        tenants = [tenant for (tenant,) in await rows(base, "select * from all_tenants()")]
        assert len(tenants) == 2
        seen = await asyncio.gather(*(look(base, tenant) for tenant in tenants * 10))
        assert len({connection for _, _, connection in seen}) == 2
        items = {tenant: item_id for tenant, item_id, _ in seen}
        assert all(items[tenant] == item_id for tenant, item_id, _ in seen)
        expected = [{f"I_{account}_{number}" for number in range(1, _ITEMS + 1)} for account in (3, 4)]
        assert sorted(items.values(), key=sorted) == expected


def issue_of(account: int, number: int) -> dict[str, Any]:
    """Make the webhook of an issue that is opened in the only repository of an account."""
    owner = {"id": account, "login": f"account-{account}", "type": "Organization"}
    repository = ISSUE_OPENED["repository"] | {
        "id": account,
        "node_id": f"R_{account}",
        "full_name": f"account-{account}/shop",
        "owner": owner,
    }
    issue = ISSUE_OPENED["issue"] | {
        "id": account * 1_000 + number,
        "node_id": f"I_{account}_{number}",
        "number": number,
    }
    return ISSUE_OPENED | {"issue": issue, "repository": repository, "installation": {"id": 100 + account}}


async def look(base: Services, tenant: int) -> tuple[int, set[str], int]:
    """Read the items of all facts that a tenant sees. Returns them with the tenant and the server's process."""
    async with base.database.tenant(tenant) as opened:
        process = await opened.connection.scalar(text("select pg_backend_pid()"))
        await asyncio.sleep(
            0.01
        )  # Others begin meanwhile, and would use another connection if there were one.
        items = await opened.connection.scalars(text("select item from timeline"))
        return tenant, set(items), process


async def test_the_readiness_probe_sees_the_database_each_time(pooled: Settings) -> None:
    assert pooled.database_url
    probes = [ReadinessProbe(pooled.database_url.reveal(), check_every_seconds=0) for _ in range(4)]
    for _ in range(8):
        assert await asyncio.gather(*(probe.find_problem() for probe in probes)) == [None] * 4
    for probe in probes:
        await probe.close()


async def test_nothing_of_a_transaction_is_left_for_the_next(settings: Settings) -> None:
    """Also of one that failed; with one connection to the server, each next transaction has the same."""
    assert settings.database_url
    names = ("app.tenant", "app.now", "synchronous_commit")
    query = text("select current_setting(name, true) from unnest(cast(:names as text[])) as name")
    async with running_pooler(settings.database_url.reveal(), server_connections=1) as url:
        database = Database(url, is_pooled=True)
        try:
            async with database.autocommit() as connection:
                before = (await connection.scalars(query, {"names": list(names)})).all()
            for statement in ("select 1", "select 1 / 0"):
                try:
                    async with database.tenant(1, durable=False) as tenant:
                        await tenant.connection.execute(text(statement))
                except Exception:  # noqa: BLE001 - the division is to fail
                    pass
                async with database.autocommit() as connection:
                    left = (await connection.scalars(query, {"names": list(names)})).all()
                assert [value or None for value in left] == [value or None for value in before]
        finally:
            await database.close()


async def test_a_pooler_in_session_mode_serves_the_queue_as_well(settings: Settings) -> None:
    assert settings.database_url
    async with (
        running_pooler(settings.database_url.reveal(), mode="session", server_connections=20) as url,
        open_services(replace(settings, database_url=Secret(url))) as base,
        worker(base, talks=False),
        web_server(base, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        client = WebhookClient(session, f"http://127.0.0.1:{port}")
        assert await client.deliver("issues", issue_of(3, 1)) == (202, "stored")
        await wait_until_processed(base)
        (tenant,) = (await rows(base, "select * from all_tenants()"))[0]
        assert len(await rows(base, "select from timeline", tenant)) == 1


@pytest.mark.parametrize(
    ("role", "database", "sentence"),
    [
        ("postgres", "tests", "DATABASE_DIRECT_URL connects as “postgres”, a superuser"),
        ("agile_app", "agile", "the database of DATABASE_DIRECT_URL is empty"),
        ("another", "tests", "DATABASE_DIRECT_URL and DATABASE_URL lead to different databases or roles"),
    ],
)
def test_a_direct_address_that_leads_elsewhere_is_refused(
    server: EmbeddedServer, settings: Settings, role: str, database: str, sentence: str
) -> None:
    assert settings.database_url
    with psycopg.connect(server.address("postgres", "tests"), autocommit=True) as connection:
        connection.execute("create role another login in role agile_app")
        try:
            done = run_cli(
                settings.data_dir,
                "work",
                DATABASE_URL=settings.database_url.reveal(),
                DATABASE_DIRECT_URL=server.address(role, database),
                GITHUB_APP_ID="12345",
                GITHUB_APP_PRIVATE_KEY=new_private_key(),
                GITHUB_WEBHOOK_SECRET="a secret of this test",
            )
        finally:
            connection.execute("drop role another")
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
