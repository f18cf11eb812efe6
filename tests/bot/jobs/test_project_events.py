"""Fields of projects and issues from webhooks are stored, because GitHub keeps no history of them."""

import json
from typing import Any

import pytest

from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services
from storage.timeline import Timeline
from tests.support.running import WebhookClient, rows
from tests.support.webhooks import INSTALLATION_CREATED, ISSUE_OPENED, only_tenant_id, record_deliveries

ORGANIZATION = {"id": 3, "login": "acme", "node_id": "O_3"}
ITEM: dict[str, Any] = {
    "action": "edited",
    "projects_v2_item": {
        "id": 11,
        "node_id": "PVTI_11",
        "project_node_id": "PVT_1",
        "content_node_id": "I_7",
        "content_type": "Issue",
        "creator": {"id": 1, "login": "alice"},
        "created_at": "2026-11-01T08:00:00Z",
        "updated_at": "2026-11-02T10:00:00Z",
        "archived_at": None,
    },
    "organization": ORGANIZATION,
    "sender": {"id": 1, "login": "alice", "type": "User"},
    "installation": {"id": 100},
}
ITERATION = {
    "id": "i1",
    "title": "Sprint 7",
    "title_html": "Sprint 7",
    "duration": 14,
    "start_date": "2026-11-02",
}
PROJECT: dict[str, Any] = {
    "id": 1,
    "node_id": "PVT_1",
    "number": 4,
    "title": "Roadmap",
    "public": False,
    "closed_at": None,
    "created_at": "2026-11-01T07:00:00Z",
    "updated_at": "2026-11-02T11:00:00Z",
}
_MISSING: Any = object()


def edited(
    name: str, kind: str, before: Any = _MISSING, after: Any = _MISSING, **more: Any
) -> dict[str, Any]:
    """An edit of one field of a project's item."""
    field = {"field_node_id": f"F_{name}", "field_type": kind, "field_name": name, "project_number": 4}
    sides = {name: value for name, value in (("from", before), ("to", after)) if value is not _MISSING}
    return ITEM | {"changes": {"field_value": field | sides}} | more


async def facts(base: Services) -> list[Any]:
    query = (
        "select * from timeline where kind in ('project_item', 'project', 'issue_field') order by at, subject"
    )
    return await rows(base, query, await only_tenant_id(base))


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("number", None, 5),
        ("number", 5, 0.5),
        ("text", "a", "b"),
        ("date", None, "2026-11-30T00:00:00+00:00"),
        ("single_select", {"id": "1", "name": "Todo", "color": "GRAY"}, {"id": "2", "name": "Done"}),
        ("iteration", ITERATION, None),
        ("iteration", _MISSING, ITERATION | {"completed": False}),
        ("labels", [{"name": "bug"}], [{"name": "bug"}, None]),
        ("a kind of next year", {"deep": {"er": [1, "x", None]}}, [True, 2.5]),
        ("number", 2**70, -1),
    ],
)
async def test_a_field_is_kept_before_and_after(
    base: Services, webhook_client: WebhookClient, kind: str, before: Any, after: Any
) -> None:
    await record_deliveries(
        base, webhook_client, [("projects_v2_item", edited("Estimate", kind, before, after))]
    )
    (fact,) = await facts(base)
    assert (fact.project_id, fact.event, fact.actor) == (None, "edited", "alice")
    assert fact.at.isoformat() == "2026-11-02T10:00:00+00:00"
    assert fact.after == {
        "project": "PVT_1",
        "content": "I_7",
        "content_type": "Issue",
        "field": "F_Estimate",
        "field_name": "Estimate",
        "field_type": kind,
        "project_number": 4,
        "value": after,
    }
    assert fact.before == (None if before is _MISSING else {"value": before})


async def test_changes_of_one_second_are_all_kept_and_repetitions_are_not(
    base: Services, webhook_client: WebhookClient
) -> None:
    changes = [
        edited("Estimate", "number", None, 5),
        edited("Estimate", "number", 5, 8),
        edited("Status", "single_select", None, {"id": "1", "name": "Todo"}),
    ]
    data = [("projects_v2_item", change) for change in changes]
    await record_deliveries(base, webhook_client, data[::-1] + data)
    values = [fact.after["value"] for fact in await facts(base)]
    assert sorted(values, key=str) == [5, 8, {"id": "1", "name": "Todo"}]


@pytest.mark.parametrize(
    ("action", "shown", "changes", "at", "before"),
    [
        ("created", {}, None, "2026-11-01T08:00:00+00:00", None),
        ("archived", {"archived_at": "2026-11-03T08:00:00Z"}, {"archived_at": {"from": None}},
         "2026-11-03T08:00:00+00:00", None),
        ("restored", {}, {"archived_at": {"from": "2026-11-03T08:00:00Z", "to": None}},
         "2026-11-02T10:00:00+00:00", None),
        ("converted", {}, {"content_type": {"from": "DraftIssue", "to": "Issue"}},
         "2026-11-02T10:00:00+00:00", {"content_type": "DraftIssue"}),
        ("edited", {}, {"body": {"from": "a secret", "to": "another"}}, "2026-11-02T10:00:00+00:00", None),
        ("edited", {"node_id": None, "content_node_id": None}, {"field_value": None},
         "2026-11-02T10:00:00+00:00", None),
        ("edited", {}, {"field_value": {"field_name": 7, "from": 1}}, "2026-11-02T10:00:00+00:00", {"value": 1}),
        ("edited", {"updated_at": "2026-11-02T10:00:00Z"}, [], "2026-11-02T10:00:00+00:00", None),
    ],
)  # fmt: skip
async def test_what_happens_to_an_item_is_kept(
    base: Services, webhook_client: WebhookClient, action: str, shown: Any, changes: Any, at: str, before: Any
) -> None:
    payload = ITEM | {"action": action, "projects_v2_item": ITEM["projects_v2_item"] | shown}
    if changes is not None:
        payload |= {"changes": changes}
    await record_deliveries(base, webhook_client, [("projects_v2_item", payload)])
    (fact,) = await facts(base)
    assert (fact.event, fact.at.isoformat(), fact.before) == (action, at, before)
    assert "secret" not in json.dumps([fact.after, fact.before])


async def test_a_deletion_happened_when_we_heard_of_it(base: Services, webhook_client: WebhookClient) -> None:
    """What the item shows is the time of its last change, which may be months ago."""
    await record_deliveries(base, webhook_client, [("projects_v2_item", ITEM | {"action": "deleted"})])
    (fact,) = await facts(base)
    (event,) = await rows(base, "select created_at from github_events", await only_tenant_id(base))
    assert fact.at == event.created_at


async def test_what_people_write_has_bounds(base: Services, webhook_client: WebhookClient) -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    large = [("Notes", "x" * 5_000), ("Options", [{"id": str(n)} for n in range(2_000)]), ("Deep", deep)]
    await record_deliveries(
        base,
        webhook_client,
        [("projects_v2_item", edited(name, "text", None, value)) for name, value in large],
    )
    values = {fact.after["field_name"]: fact.after["value"] for fact in await facts(base)}
    assert values["Notes"] == "x" * 1_000 + "…"
    assert values["Options"] == {"omitted": len(json.dumps(large[1][1]))}
    assert values["Deep"] == {"omitted": 801}


@pytest.mark.parametrize(
    ("action", "shown", "changes", "before", "after"),
    [
        ("edited", {}, {"title": {"from": "Plan", "to": "Roadmap"}}, {"title": "Plan"}, {"title": "Roadmap"}),
        ("edited", {}, {"public": {"from": True, "to": False}, "next": 7}, {"public": True},
         {"public": False, "next": None}),
        ("created", {}, None, None, None),
        ("closed", {"closed_at": "2026-11-04T08:00:00Z"}, None, None, None),
        ("reopened", {"title": None, "number": None}, None, None, None),
        ("deleted", {"deleted_at": "2026-11-05T08:00:00Z"}, None, None, None),
    ],
)  # fmt: skip
async def test_what_happens_to_a_project_is_kept(
    base: Services,
    webhook_client: WebhookClient,
    action: str,
    shown: Any,
    changes: Any,
    before: Any,
    after: Any,
) -> None:
    payload = {name: ITEM[name] for name in ("organization", "sender", "installation")}
    payload |= {"action": action, "projects_v2": PROJECT | shown} | ({"changes": changes} if changes else {})
    await record_deliveries(base, webhook_client, [("projects_v2", payload)])
    (fact,) = await facts(base)
    assert (fact.kind, fact.event, fact.before, fact.after.get("changes")) == (
        "project",
        action,
        before,
        after,
    )
    assert fact.subject.partition("/")[0] == "PVT_1"


@pytest.mark.parametrize(
    ("action", "payload", "before", "after"),
    [
        ("field_added", {"issue_field_value": {"id": 1, "value": 3}}, None, {"id": 1, "value": 3}),
        ("field_added", {"issue_field_value": {"id": 1, "value": 5},
                         "changes": {"issue_field_value": {"from": {"id": 1, "value": 3}}}},
         {"id": 1, "value": 3}, {"id": 1, "value": 5}),
        ("field_removed", {"issue_field_value": {"id": 1, "value": 5}}, {"id": 1, "value": 5}, None),
        ("field_removed", {}, None, None),
        ("field_added", {"issue_field": None, "issue_field_value": ["odd"]}, None, ["odd"]),
    ],
)  # fmt: skip
async def test_a_field_of_an_issue_is_kept(
    base: Services, webhook_client: WebhookClient, action: str, payload: Any, before: Any, after: Any
) -> None:
    field = {"issue_field": {"id": 9, "name": "Effort", "field_type": "number"}}
    await record_deliveries(
        base, webhook_client, [("issues", ISSUE_OPENED | {"action": action} | field | payload)]
    )
    (fact,) = await facts(base)
    assert fact.project_id is not None
    assert (fact.event, fact.after["content"], fact.after["number"]) == (action, "I_7", 7)
    assert fact.after.get("field_name") == ("Effort" if "issue_field" not in payload else None)
    assert (fact.before, fact.after["value"]) == ({"value": before} if before else None, after)


async def test_no_number_follows_them(base: Services, webhook_client: WebhookClient) -> None:
    """Nor does an issue become known by its fields, or a repository by its organization's projects."""
    field = {"issue_field": {"id": 9, "name": "Effort"}, "issue_field_value": {"id": 1, "value": 3}}
    await record_deliveries(base, webhook_client, [("issues", ISSUE_OPENED)])
    entry = await only_tenant_id(base)
    async with base.database.tenant(entry) as within:
        before = await Timeline(within).items_by_id(["I_7"])
    data = [
        ("projects_v2_item", edited("Estimate", "number", None, 5)),
        ("issues", ISSUE_OPENED | {"action": "field_added"} | field),
    ]
    await record_deliveries(base, webhook_client, data)
    async with base.database.tenant(entry) as within:
        assert await Timeline(within).items_by_id(["I_7"]) == before
    assert len(await rows(base, "select 1 from projects", entry)) == 1
    assert len(await facts(base)) == 2


async def test_text_in_its_fields_goes_with_a_deleted_issue(
    base: Services, webhook_client: WebhookClient
) -> None:
    deleted = ISSUE_OPENED | {
        "action": "deleted",
        "issue": ISSUE_OPENED["issue"] | {"updated_at": "2026-11-09T09:00:00Z"},
    }
    data = [
        ("projects_v2_item", edited("Notes", "text", "a secret", "another")),
        ("projects_v2_item", edited("Estimate", "number", 3, 5)),
        ("projects_v2_item", edited("Due", "date", None, "2026-11-30")),
        ("issues", ISSUE_OPENED | {"action": "field_added", "issue_field_value": "a secret"}),
    ]
    other = edited("Notes", "text", None, "kept")
    other |= {"projects_v2_item": ITEM["projects_v2_item"] | {"content_node_id": "I_8", "node_id": "PVTI_12"}}
    await record_deliveries(base, webhook_client, [*data, ("projects_v2_item", other)])
    await record_deliveries(base, webhook_client, [("issues", deleted)])
    kept = [
        (fact.after.get("field_name"), fact.after.get("value"), fact.before) for fact in await facts(base)
    ]
    assert sorted(kept, key=str) == [
        ("Due", "2026-11-30", {"value": None}),
        ("Estimate", 5, {"value": 3}),
        ("Notes", "kept", {"value": None}),
        ("Notes", None, {}),
        (None, None, None),
    ]


async def test_another_account_sees_nothing_of_them(base: Services, webhook_client: WebhookClient) -> None:
    other = {"id": 4, "login": "other"}
    elsewhere = edited("Estimate", "number", None, 5, organization=other, installation={"id": 200})
    installed = INSTALLATION_CREATED | {
        "installation": {"id": 200, "account": other | {"type": "Organization"}}
    }
    await record_deliveries(
        base,
        webhook_client,
        [
            ("installation", INSTALLATION_CREATED),
            ("installation", installed),
            ("projects_v2_item", ITEM | {"action": "created"}),
            ("projects_v2_item", elsewhere),
        ],
    )
    tenants = [row[0] for row in await rows(base, "select * from all_tenants()")]
    seen = [
        [
            row.event
            for row in await rows(base, "select event from timeline where kind = 'project_item'", tenant)
        ]
        for tenant in tenants
    ]
    assert sorted(seen) == [["created"], ["edited"]]
    contradiction = ITEM | {"organization": other}
    assert (await webhook_client.deliver("projects_v2_item", contradiction))[0] == 409


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("projects_v2_item", "reordered"),
        ("projects_v2_item", "next"),
        ("projects_v2_status_update", "created"),
    ],
)
async def test_what_says_nothing_of_a_field_is_answered_and_not_stored(
    base: Services, webhook_client: WebhookClient, event: str, action: str
) -> None:
    assert await webhook_client.deliver(event, ITEM | {"action": action}) == (
        202,
        "ignored: this event is not used",
    )
    assert await rows(base, "select * from all_tenants()") == []


async def test_an_item_without_an_id_is_noted(base: Services, webhook_client: WebhookClient) -> None:
    async with worker(base, talks=False):
        for broken in ({}, None, {"node_id": "", "id": None}):
            assert (await webhook_client.deliver("projects_v2_item", ITEM | {"projects_v2_item": broken}))[
                0
            ] == 202
        await wait_until_processed(base)
    notes = [
        row.note for row in await rows(base, "select note from github_events", await only_tenant_id(base))
    ]
    assert len(notes) == 3
    assert all(note.startswith("nothing usable") for note in notes)


async def test_the_account_is_an_organization(base: Services, webhook_client: WebhookClient) -> None:
    """GitHub names no type where it names an organization."""
    await record_deliveries(base, webhook_client, [("projects_v2_item", ITEM | {"action": "created"})])
    (account,) = await rows(base, "select account_type from organizations", await only_tenant_id(base))
    assert account.account_type == "Organization"
