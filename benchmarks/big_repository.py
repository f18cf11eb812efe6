"""A repository with very many items, made in the database: a sprint a week, and the last one is running."""

from datetime import UTC, datetime

from benchmarks import common
from storage.embedded import APPLICATION, EmbeddedServer
from storage.schema import migrate

A_SPRINT = 100
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_ORGANIZATION = """
insert into organizations (github_account_id, name, slug) values (1, 'large', 'large') returning id
"""
_PROJECT = """
insert into projects (organization_id, github_repo, repository_node_id, name, named_at)
    values (%(tenant)s, 'large/one', 'R_1', 'one', now()) returning id
"""
# Sprint n counts back from the running one. An item is opened, milestoned and estimated before its sprint.
# Nine in ten are started and closed in it, spread over the five days; the tenth is closed a week after its
# sprint, so that a long history leaves no more open work than a short one. Every twentieth item is a pull
# request that closes the item before it.
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
    select %(tenant)s, %(project)s, 'I_' || i, case when i %% 20 = 19 then 'pull_request' else 'issue' end,
        event, at, subject, 900000 + n,
        named || jsonb_build_object('item', jsonb_build_object(
            'number', i + 1, 'title', 'Something that somebody wants', 'created_at', opened,
            'state', case event when 'closed' then 'done' else 'open' end, 'milestone', 900000 + n,
            'closed_at', case event when 'closed' then at end, 'labels', array['points: 3'],
            'assignees', case when event in ('assigned', 'closed') then array[person] else '{}' end,
            'author', 'dave', 'is_pull_request', i %% 20 = 19,
            'closes', case when i %% 20 = 19 then array[i] end))
    from cards cross join lateral (
        select friday - interval '7 days' + i %% 60 * interval '1 minute',
            (array['alice', 'bob', 'carol', 'dave', 'erin'])[i %% 5 + 1]
    ) as own(opened, person)
    cross join lateral (values
        ('opened', opened, '', '{}'::jsonb),
        ('milestoned', opened + interval '1 hour', (900000 + n)::text,
            jsonb_build_object('milestone', 900000 + n)),
        ('labeled', opened + interval '2 hours', 'points: 3', '{"label": "points: 3"}'),
        ('assigned', friday - interval '4 days' + i %% 80 * interval '1 hour',
            person, jsonb_build_object('named', person)),
        ('closed', friday + case when i %% 10 = 0 then interval '7 days'
            else (i %% 95 + 5) * interval '1 hour' - interval '4 days' end, '', '{}')
    ) as told(event, at, subject, named)
    where at < %(now)s;
insert into item_projections (organization_id, project_id, item)
    select %(tenant)s, %(project)s, 'I_' || i from cards where friday - interval '7 days' < %(now)s;
"""


def fill(server: EmbeddedServer, name: str, items: int, now: datetime = NOW) -> str:
    """Make a database with a repository of so many items, whose running sprint ends at a moment.

    Returns its address for the application's role.
    """
    server.create_database(name)
    migrate(server.address("agile_owner", name), APPLICATION)
    with common.superuser(server, name) as connection:
        (tenant,) = connection.execute(_ORGANIZATION).fetchone() or (0,)
        (project,) = connection.execute(_PROJECT, {"tenant": tenant}).fetchone() or (0,)
        values = {"tenant": tenant, "project": project, "items": items, "now": now}
        for statement in _FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), values)
        connection.execute("analyze")
    return server.address(APPLICATION, name)
