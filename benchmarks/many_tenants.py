"""Many tenants, made in the database, and signed deliveries about their items.

Each tenant has one repository with a running sprint of ten items, and finished sprints before it if wanted.
Nothing periodic is due, and no backfill is missing: what a benchmark measures is what it asks for.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from benchmarks import common
from benchmarks.load import issue_payloads
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.item_projections import ItemProjections
from storage.projects import Projects
from storage.timeline import Timeline

Json = dict[str, Any]
# The ids of a tenant, its account, installation, repository and project are this one plus its number.
FIRST_ID = 7_000_000
ITEMS_OF_A_SPRINT = 10
# One event in ten is about an item of the sprint, so that the numbers change.
_SPRINTS_SHARE = 10
_BACKLOG = range(1001, 1101)
_SLICE = 500
_TENANTS = """
create temporary table tenants as
    select n, {first} + n as id, {now}::timestamptz as now from generate_series(0, {count} - 1) as n;
insert into organizations (id, github_account_id, name, slug, github_installation_id, created_at,
        next_measure_at, next_reconcile_at, next_visibility_check_at)
    select id, id, 'team-' || n, 'team-' || n, id, now - interval '1 year',
        now + interval '2 days', now + interval '2 days', now + interval '2 days' from tenants;
insert into projects (organization_id, id, github_repo, repository_node_id, name, named_at, created_at,
        synced_at, synced_from)
    select id, id, 'team-' || n || '/shop', 'R_team_' || n, 'shop', now - interval '1 year',
        now - interval '1 year', now, now from tenants;
"""
# Sprint k counts back from the running one; each takes ten days. All items of finished sprints are done.
_HISTORY = """
create temporary table boxes as
    select id, 800000 + k as milestone, k, now - interval '4 days' - k * interval '14 days' as start
    from tenants cross join generate_series(0, {sprints} - 1) as k;
insert into sprints (organization_id, project_id, github_milestone_id, github_milestone_number)
    select id, id, milestone, k + 1 from boxes;
insert into timeline (organization_id, project_id, item, kind, event, at, milestone_id, after)
    select id, id, 'milestone:' || milestone, 'milestone', 'created', start - interval '2 days', milestone,
        jsonb_build_object('milestone', milestone, 'number', k + 1, 'title', 'Sprint ' || k,
            'created_at', start - interval '2 days', 'closed_at', null,
            'description', 'Start: ' || to_char(start, 'YYYY-MM-DD'),
            'due_on', to_char(start + interval '10 days', 'YYYY-MM-DD') || 'T08:00:00Z')
    from boxes;
insert into timeline (organization_id, project_id, item, kind, event, at, subject, milestone_id, after)
    select id, id, 'I_' || number, 'issue', event, at, subject, milestone,
        named || jsonb_build_object('item', jsonb_build_object('number', number, 'title', 'Work',
            'created_at', start - interval '2 days', 'milestone', milestone, 'labels', array['points: 3'],
            'state', case event when 'closed' then 'done' else 'open' end,
            'closed_at', case event when 'closed' then at end, 'assignees', array['alice'],
            'author', 'dave', 'is_pull_request', false))
    from boxes cross join generate_series(1, 10) as j cross join lateral (select k * 10 + j) as own(number)
    cross join lateral (values
        ('opened', start - interval '2 days', '', '{{}}'::jsonb),
        ('milestoned', start - interval '1 day', milestone::text, jsonb_build_object('milestone', milestone)),
        ('labeled', start - interval '1 day', 'points: 3', '{{"label": "points: 3"}}'),
        ('closed', start + j * interval '15 hours', '', '{{}}')
    ) as told(event, at, subject, named)
    where event <> 'closed' or k > 0;
insert into item_projections (organization_id, project_id, item)
    select id, id, 'I_' || k * 10 + j from boxes cross join generate_series(1, 10) as j;
"""


def fill_tenants(server: EmbeddedServer, database: str, count: int, now: datetime, *, sprints: int) -> None:
    """Add so many tenants, numbered from 0, each with this many sprints, the last of which is running."""
    values = {"first": FIRST_ID, "count": count, "sprints": sprints, "now": f"'{now.isoformat()}'"}
    with common.superuser(server, database) as connection:
        for statement in (_TENANTS + _HISTORY).format(**values).split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())
        connection.execute("analyze")


async def project_items(database: Database, organization_id: int) -> None:
    """Compute the projections of a tenant's items, as the worker does in the background."""
    refreshed = _SLICE
    while refreshed == _SLICE:
        async with database.tenant(organization_id, durable=False) as tenant:
            projections = ItemProjections(tenant, Timeline(tenant))
            refreshed = 0
            for project in await Projects(tenant).active():
                refreshed = max(refreshed, await projections.refresh_stale(project.id, project.rules, _SLICE))


class Deliveries:
    """Makes payloads of labels that items of these tenants get: GitHub's own example, about 12 KB each."""

    def __init__(self, now: datetime) -> None:
        self._template: Json = json.loads(issue_payloads()[0])
        self._now = now
        self._random = Random(1)
        self._made = 0

    def make(self, tenant: int) -> bytes:
        """The body of the next delivery about a tenant; no two are the same event."""
        self._made += 1
        account, is_of_sprint = FIRST_ID + tenant, self._made % _SPRINTS_SHARE == 0
        number = self._random.randint(1, ITEMS_OF_A_SPRINT) if is_of_sprint else self._random.choice(_BACKLOG)
        label: Json = {"id": self._made, "node_id": f"L_{self._made}", "name": f"area: {self._made}"}
        labels: list[Json] = [label, {"name": f"points: {self._random.randint(1, 13)}"}]
        if is_of_sprint:
            label = labels[1]
        at = self._now + timedelta(milliseconds=self._made)
        issue = self._template["issue"] | {
            "id": account * 10_000 + number,
            "node_id": f"I_{number}",
            "number": number,
            "state": "open",
            "closed_at": None,
            "created_at": _stamp(self._now - timedelta(days=6)),
            "updated_at": _stamp(at),
            "labels": labels,
            "milestone": _milestone(self._now) if is_of_sprint else None,
        }
        payload = self._template | {"action": "labeled", "issue": issue, "label": label}
        payload |= {"installation": {"id": account}, "repository": self._repository(tenant)}
        return json.dumps(payload, separators=(",", ":")).encode()

    def spread(self, tenants: range, count: int) -> Iterator[bytes]:
        """So many deliveries, each of a tenant chosen by chance."""
        for _ in range(count):
            yield self.make(self._random.choice(tenants))

    def _repository(self, tenant: int) -> Json:
        account, login = FIRST_ID + tenant, f"team-{tenant}"
        repository: Json = self._template["repository"]
        owner = repository["owner"] | {"id": account, "login": login, "type": "Organization"}
        names = {"name": "shop", "full_name": f"{login}/shop", "node_id": f"R_team_{tenant}"}
        return repository | names | {"id": account, "owner": owner, "private": True, "archived": False}


def _milestone(now: datetime) -> Json:
    """The running sprint as it was made in the database."""
    start = now - timedelta(days=4)
    return {
        "id": 800_000,
        "node_id": "M_1",
        "number": 1,
        "title": "Sprint 0",
        "state": "open",
        "description": f"Start: {start:%Y-%m-%d}",
        "created_at": _stamp(start - timedelta(days=2)),
        "updated_at": _stamp(start - timedelta(days=2)),
        "closed_at": None,
        "due_on": f"{start + timedelta(days=10):%Y-%m-%d}T08:00:00Z",
    }


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
