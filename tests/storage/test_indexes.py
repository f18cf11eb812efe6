"""Reads that must not grow with a tenant's history use their index."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from bot.services import Services
from storage.database import Tenant
from storage.deliveries import ReceivedDelivery, receive_deliveries
from storage.measures import Measures
from storage.pull_requests import PullRequests
from storage.timeline import Timeline
from tests.support.running import query_as_administrator
from tests.support.statements import recorded_statements

_DELIVERY = ReceivedDelivery("first", "issues", "opened", 1001, 1, "acme", "Organization", 1, b"sealed")
_LATELY = datetime(2026, 11, 30, tzinfo=UTC)
# Issues, each changed once, and pull requests, each with one head. Few of them were changed, or recorded, lately.
_HISTORY = """
    insert into projects (organization_id, repository_node_id, named_at, name) values (1, 'R_1', now(), 'shop');
    insert into timeline
        (organization_id, project_id, item, kind, event, at, subject, after, created_at)
    select 1, projects.id, kind || ':' || number, kind, event, moment, '',
        jsonb_build_object(
            'number', number,
            'item', jsonb_build_object('number', number, 'title', 'Issue', 'created_at', moment)
        ), moment
    from projects, generate_series(1, 4000) as number,
        (values ('issue', 'labeled'), ('head', 'seen')) as kinds (kind, event),
        lateral (select timestamptz '2026-12-01' - number * interval '1 hour' as moment) as moments;
    analyze timeline;
"""


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda tenant: PullRequests(tenant, 1).history(7), "timeline_by_number"),
        (lambda tenant: Timeline(tenant).item(1, 7), "timeline_by_number"),
        (lambda tenant: PullRequests(tenant, 1).items([7, 8]), "timeline_by_number"),
        (lambda tenant: Measures(tenant, 1).first_event(_LATELY), "timeline_by_recording"),
    ],
    ids=["heads of a pull request", "item", "items", "what was recorded since"],
)
async def test_a_read_uses_its_index(
    base: Services,
    monkeypatch: pytest.MonkeyPatch,
    read: Callable[[Tenant], Awaitable[object]],
    index: str,
) -> None:
    async with base.database.autocommit() as connection:
        await receive_deliveries(connection, [_DELIVERY], [b"1"])
    for statement in _HISTORY.strip().removesuffix(";").split(";"):
        query_as_administrator(base, statement)
    async with base.database.tenant(1) as tenant:
        with recorded_statements(monkeypatch) as sent:
            await read(tenant)
        driver = (await tenant.connection.get_raw_connection()).driver_connection
        assert driver is not None
        plans = ""
        for read_statement in sent.with_words("timeline"):
            cursor = await driver.execute(f"explain {read_statement.query}", read_statement.parameters)
            plans += "\n".join(row[0] for row in await cursor.fetchall())
    assert index in plans
