"""Deployments, with all that the five DORA keys are counted from."""

from typing import Any

import msgspec
import pytest

from bot.services import Services
from handlers.delivery import Delivery, FactRecorded
from handlers.deployment_status import record_deployment_status
from sprints.model import ActivityEvent
from storage.timeline import Timeline
from tests.support.builders import at
from tests.support.running import WebhookClient, rows
from tests.support.webhooks import ISSUE_OPENED, only_tenant_id, record_deliveries

STATUS: dict[str, Any] = {
    "id": 5,
    "state": "success",
    "created_at": "2026-11-02T10:05:00Z",
    "updated_at": "2026-11-02T10:05:00Z",
    "environment": "production-eu",
    "creator": {"id": 41898282, "login": "github-actions[bot]", "type": "Bot"},
}
DEPLOYMENT: dict[str, Any] = {
    "id": 3,
    "sha": "a1",
    "ref": "main",
    "task": "deploy:rollback",
    "environment": "production-eu",
    "original_environment": "production",
    "production_environment": True,
    "transient_environment": False,
    "created_at": "2026-11-02T10:00:00Z",
    "creator": {"id": 1, "login": "alice", "type": "User"},
}
REPOSITORY = ISSUE_OPENED["repository"]


def payload(status: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any]:
    frame = {name: ISSUE_OPENED[name] for name in ("repository", "installation", "sender")}
    return {"action": "created", "deployment_status": status, "deployment": deployment} | frame


def fact_of(status: dict[str, Any], deployment: dict[str, Any]) -> ActivityEvent:
    body = msgspec.json.encode(payload(status, deployment))
    (recorded,) = record_deployment_status(Delivery("d", "deployment_status", "created", body, at("11-03")))
    assert isinstance(recorded, FactRecorded)
    assert isinstance(recorded.fact, ActivityEvent)
    return recorded.fact


async def test_a_deployment_is_kept_with_where_what_and_by_whom(
    base: Services, webhook_client: WebhookClient
) -> None:
    await record_deliveries(base, webhook_client, [("deployment_status", payload(STATUS, DEPLOYMENT))])
    (fact,) = await rows(base, "select * from timeline where kind = 'deployment'", await only_tenant_id(base))
    assert (fact.event, fact.at.isoformat()) == ("success", "2026-11-02T10:05:00+00:00")
    assert fact.after == {
        "deployment": 3,
        "environment": "production-eu",
        "original_environment": "production",
        "is_production": True,
        "is_transient": False,
        "sha": "a1",
        "ref": "main",
        "task": "deploy:rollback",
        "created_at": "2026-11-02T10:00:00+00:00",
        "creator": {"id": 1, "login": "alice", "type": "User"},
        "status_creator": {"id": 41898282, "login": "github-actions[bot]", "type": "Bot"},
    }


async def test_what_was_recorded_before_is_read_as_ever(
    base: Services, webhook_client: WebhookClient
) -> None:
    await record_deliveries(base, webhook_client, [("deployment_status", payload(STATUS, DEPLOYMENT))])
    entry = await only_tenant_id(base)
    async with base.database.tenant(entry) as within:
        await within.connection.exec_driver_sql(
            "insert into timeline (organization_id, project_id, item, kind, event, at, subject, after) "
            "select organization_id, project_id, 'deployment:1/1', kind, 'failure', '2026-10-01', '1/1', "
            """'{"deployment": 1, "environment": "production", "sha": "b2", "ref": "main"}' from timeline"""
        )
        (project,) = await rows(base, "select id from projects", entry)
        kept = await Timeline(within).activity(project.id, "deployment", at("09-01"), at("12-01"))
    assert {event.details["environment"] for event in kept} == {"production", "production-eu"}


@pytest.mark.parametrize("odd", [None, 7, {"login": "alice"}, {"id": 1, "login": None, "type": None}])
def test_an_odd_creator_costs_the_creator(odd: object) -> None:
    details = fact_of(STATUS | {"creator": odd}, DEPLOYMENT | {"creator": odd}).details
    creator = {"id": 1, "login": "", "type": "User"} if isinstance(odd, dict) and "id" in odd else None
    assert details.get("creator") == details.get("status_creator") == creator
    assert details["environment"] == "production-eu"


def test_a_payload_that_tells_little_is_a_deployment_nevertheless() -> None:
    status = {"id": 5, "state": "error", "created_at": "2026-11-02T10:05:00Z", "environment": None}
    fact = fact_of(status, {"id": 3, "environment": "staging"})
    assert (fact.event, fact.details) == ("error", {"deployment": 3, "environment": "staging"})
