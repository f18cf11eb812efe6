"""One repository with very many items: a sprint's facts, and the nightly figures of all of it.

Run `python -m benchmarks.large [items] [rounds]`. A hundred items with five events each are in each sprint.
The sprints follow each other week by week, and the last one is running. Its facts are compared with those of
the same sprint in a repository of a hundredth of the size; at least 10,000 items make sense.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import common
from bot.jobs.daily_figures import DailyFigures
from bot.services import open_services
from bot.settings import load
from storage.embedded import APPLICATION, EmbeddedServer, running_server
from storage.projects import Projects
from storage.schema import migrate
from storage.sprints import Sprints

_ITEMS = 50_000
_A_SPRINT = 100
_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_ORGANIZATION = """
insert into organizations (github_account_id, name, slug) values (1, 'large', 'large') returning id
"""
_PROJECT = """
insert into projects (organization_id, github_repo, repository_node_id, name, named_at)
    values (%(tenant)s, 'large/one', 'R_1', 'one', now()) returning id
"""
# Sprint n counts back from the running one. An item is opened, milestoned and estimated before its sprint;
# nine in ten are started and closed in it, spread over the five days.
_FILL = """
create temporary table cards as
    select i, i / 100 as n, %(now)s::timestamptz - (i / 100) * interval '7 days' as friday
    from generate_series(0, %(items)s - 1) as i;
insert into sprints (organization_id, project_id, github_milestone_id, github_milestone_number)
    select %(tenant)s, %(project)s, 900000 + n, 1 + n from (select distinct n from cards) as told;
insert into timeline (organization_id, project_id, item, kind, event, at, milestone_id, after)
    select %(tenant)s, %(project)s, 'milestone:' || 900000 + n, 'milestone', 'created',
        friday - interval '8 days', 900000 + n, jsonb_build_object(
            'milestone', 900000 + n, 'number', 1 + n, 'title', 'Week ' || n,
            'created_at', friday - interval '8 days',
            'description', 'Start: ' || to_char(friday - interval '4 days', 'YYYY-MM-DD'),
            'due_on', to_char(friday, 'YYYY-MM-DD') || 'T08:00:00Z', 'closed_at', null)
    from (select distinct n, friday from cards) as told;
insert into timeline (organization_id, project_id, item, kind, event, at, subject, milestone_id, after)
    select %(tenant)s, %(project)s, 'I_' || i, 'issue', event, at, subject, 900000 + n,
        named || jsonb_build_object('item', jsonb_build_object(
            'number', i + 1, 'title', 'Something that somebody wants', 'created_at', opened,
            'state', case event when 'closed' then 'done' else 'open' end, 'milestone', 900000 + n,
            'closed_at', case event when 'closed' then at end, 'labels', array['points: 3']))
    from cards cross join lateral (
        select friday - interval '7 days' + i %% 60 * interval '1 minute'
    ) as own(opened)
    cross join lateral (values
        ('opened', opened, '', '{}'::jsonb),
        ('milestoned', opened + interval '1 hour', (900000 + n)::text,
            jsonb_build_object('milestone', 900000 + n)),
        ('labeled', opened + interval '2 hours', 'points: 3', '{"label": "points: 3"}'),
        ('assigned', friday - interval '4 days' + i %% 80 * interval '1 hour', 'alice', '{"named": "alice"}'),
        ('closed', friday - interval '4 days' + (i %% 95 + 5) * interval '1 hour', '', '{}')
    ) as told(event, at, subject, named)
    where at < %(now)s and (event <> 'closed' or i %% 10 <> 0);
"""


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else _ITEMS
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with common.scratch() as folder, running_server(folder) as server:
        large = _filled(server, "large", items)
        small = _filled(server, "small", items // 100)
        found = asyncio.run(_measure(folder, {"large": large, "small": small}, rounds))
    ratio = found["large"]["facts_ms"] / found["small"]["facts_ms"]
    common.report(
        {"benchmark": "large", "items": items, **found, "ratio": round(ratio, 2)},
        f"With {items:,} items a sprint's facts take {found['large']['facts_ms']} ms, {ratio:.2f} × as long "
        f"as with a hundredth of them; the first night's figures {found['large']['first_night_s']} s, "
        f"the next night's {found['large']['next_night_s']} s.",
    )


def _filled(server: EmbeddedServer, name: str, items: int) -> str:
    server.create_database(name)
    migrate(server.address("agile_owner", name), APPLICATION)
    with common.superuser(server, name) as connection:
        (tenant,) = connection.execute(_ORGANIZATION).fetchone() or (0,)
        (project,) = connection.execute(_PROJECT, {"tenant": tenant}).fetchone() or (0,)
        values = {"tenant": tenant, "project": project, "items": items, "now": _NOW}
        for statement in _FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), values)
        connection.execute("analyze")
    return server.address(APPLICATION, name)


async def _measure(folder: Path, databases: dict[str, str], rounds: int) -> dict[str, dict[str, Any]]:
    found = dict[str, dict[str, Any]]()
    for name, address in databases.items():
        environment = common.bot_environment(folder, common.free_port()) | {"DATABASE_URL": address}
        async with open_services(load(environment, needs_github=True)) as base:
            async with base.database.tenant(1) as tenant:
                (project,) = await Projects(tenant).active()
            took = list[float]()
            for _ in range(rounds + 3):
                began = time.perf_counter()
                async with base.database.tenant(1) as tenant:
                    sprints = Sprints(tenant, project)
                    facts = await sprints.facts(await sprints.milestone_id(1) or 0, _NOW)
                took.append(time.perf_counter() - began)
            if facts is None or facts.scope.count != _A_SPRINT:
                raise RuntimeError(f"the sprint is not as it was made: {facts and facts.scope}")
            nights = list[float]()
            for days in range(2):
                began = time.perf_counter()
                await DailyFigures(base.database, lambda days=days: _NOW + timedelta(days=days)).run(1)  # type: ignore[misc]
                nights.append(round(time.perf_counter() - began, 2))
            found[name] = {
                "facts_ms": round(median(took[3:]) * 1000, 1),
                "first_night_s": nights[0],
                "next_night_s": nights[1],
            }
    return found


if __name__ == "__main__":
    main()
