"""Payloads with every oddity that GitHub's description allows, through the webhook endpoint."""

import re
from collections import Counter
from typing import Any

import pytest

from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services
from handlers import ROUTES
from tests.support.running import WebhookClient, rows
from tests.support.webhook_descriptions import described
from tests.support.webhooks import ISSUE_OPENED, only_tenant_id, read_timeline, record_deliveries

# The description calls everything in these optional, even the issues that they are about.
_NOTHING_LEFT = re.compile(r"(?:sub_issues|issue_dependencies)-\w+-absent")


async def test_all_that_the_description_allows_is_recorded(
    base: Services, webhook_client: WebhookClient
) -> None:
    """GitHub's answer is 202, and nothing fails, is put off or is noted as unusable."""
    sent, handlers = set[str](), Counter[tuple[object, ...]]()
    async with worker(base, talks=False):
        for event, action in ROUTES:
            about = described(event, action)
            # Actions that are read alike share the extremes (tests/handlers/test_odd_payloads.py has them all).
            nth = handlers[event, ROUTES[event, action]]
            handlers[event, ROUTES[event, action]] += 1
            extremes = list(about.extremes()) if about else []
            for name, payload in extremes[nth % 7 :: 7] if nth else extremes:
                if (
                    payload.get("action") != action
                ):  # The description of a check run calls even that optional.
                    continue
                delivery = f"{event} {action} {name}".replace("[]", "empty").replace("[null]", "nulls")
                delivery = re.sub(r"\W+", "-", delivery)
                assert (await webhook_client.deliver(event, installed(payload), delivery))[0] == 202, delivery
                sent.add(delivery)
        await wait_until_processed(base)

    result = await rows(base, "select * from github_events", await only_tenant_id(base))
    assert {row.delivery_id for row in result} == sent
    failed = {row.delivery_id: row.note for row in result if row.attempts or not row.processed_at}
    assert failed == {}
    odd = {row.delivery_id for row in result if row.note}
    assert {name for name in odd if not _NOTHING_LEFT.fullmatch(name)} == set()


def installed(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as an installation of its account would receive it."""
    owner = (payload.get("repository") or {}).get("owner") or payload.get("organization") or {}
    account = (payload.get("installation") or {}).get("account") or owner
    return payload | {
        "installation": (payload.get("installation") or {}) | {"id": 7, "account": account | {"id": 7}}
    }


@pytest.mark.parametrize(
    ("odd", "labels", "assignees"),
    [
        ({"assignees": [None]}, ["points: 5"], []),
        ({"labels": [None, {"name": "points: 3"}]}, ["points: 3"], ["bob"]),
        ({"labels": [None]}, [], ["bob"]),
        ({"labels": ["points: 8", {"name": None}, 7]}, ["points: 8"], ["bob"]),
        ({"labels": None, "assignees": None}, [], []),
        ({"user": None, "milestone": None, "title": None}, ["points: 5"], ["bob"]),
        ({"user": {"login": "ghost"}, "status": 7, "id": 2**70}, ["points: 5"], ["bob"]),
        ({"assignees": [{"login": "bob"}, {"id": 2, "login": "bob", "type": None}]}, ["points: 5"], ["bob"]),
    ],
)
async def test_one_odd_part_costs_that_part_only(
    base: Services,
    webhook_client: WebhookClient,
    odd: dict[str, Any],
    labels: list[str],
    assignees: list[str],
) -> None:
    full = {"labels": [{"name": "points: 5"}], "assignees": [{"id": 2, "login": "bob"}]}
    await record_deliveries(
        base, webhook_client, [("issues", ISSUE_OPENED | {"issue": ISSUE_OPENED["issue"] | full | odd})]
    )
    ((*_, fact),) = await read_timeline(base)
    shown = fact["item"]
    assert (shown.get("labels", []), shown.get("assignees", []), shown["number"]) == (labels, assignees, 7)


@pytest.mark.parametrize(
    ("action", "named"),
    [("labeled", "label"), ("unlabeled", "label"), ("assigned", "assignee"), ("unassigned", "assignee"),
     ("milestoned", "milestone"), ("demilestoned", "milestone"), ("typed", "type")],
)  # fmt: skip
@pytest.mark.parametrize("value", [{}, {"of": None}, {"of": {"name": None, "id": None}}])
async def test_what_an_event_is_about_may_be_gone(
    base: Services, webhook_client: WebhookClient, action: str, named: str, value: dict[str, Any]
) -> None:
    """GitHub names no label, person or milestone that was deleted meanwhile."""
    about = {named: value["of"]} if value else {}
    await record_deliveries(base, webhook_client, [("issues", ISSUE_OPENED | {"action": action} | about)])
    ((_, event, *_),) = await read_timeline(base)
    assert event == action


async def test_an_event_of_no_repository_is_noted(base: Services, webhook_client: WebhookClient) -> None:
    """Also a milestone's, which the database would refuse again and again."""
    milestone = {"id": 1, "number": 1, "title": "Sprint 1", "created_at": "2026-11-01T08:00:00Z"}
    nowhere = {name: value for name, value in ISSUE_OPENED.items() if name != "repository"} | {
        "organization": ISSUE_OPENED["repository"]["owner"]
    }
    await record_deliveries(
        base,
        webhook_client,
        [("issues", nowhere), ("milestone", nowhere | {"action": "created", "milestone": milestone})],
    )
    result = await rows(base, "select * from github_events", await only_tenant_id(base))
    assert [row.note for row in result] == ["nothing usable: it names no repository"] * 2
    assert await read_timeline(base) == []
