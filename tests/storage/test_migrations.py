"""A database of an earlier version keeps what it holds when it is brought up to this one."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from storage import schema
from storage.embedded import APPLICATION, EmbeddedServer

_NAME = "earlier"
_LINKED, _POSTED, _TWICE, _NOWHERE = ("a" * 32, "b-_" + "b" * 29, "c" * 32, "d" * 32)

_BEFORE_0007 = f"""
insert into organizations (id, github_account_id, name, slug, github_installation_id)
    values (1, 11, 'acme', 'acme', 100), (2, 22, 'other', 'other', 200);
insert into projects (organization_id, id, repository_node_id, name, named_at)
    values (1, 1, 'R_1', 'shop', now()), (1, 2, 'R_2', 'api', now()), (2, 3, 'R_3', 'theirs', now());
insert into github_events (organization_id, id, delivery_id, event_type, payload)
    values (1, 1, 'guid', 'issues', ''), (2, 2, 'guid', 'issues', '');
insert into chart_files (organization_id, token, content_key, png)
    select 1, token, token, 'png' from unnest(array['{_LINKED}', '{_POSTED}', '{_TWICE}', '{_NOWHERE}']) as token;
insert into outbox (organization_id, project_id, event_id, position, kind, thread, body) values
    (1, 1, 1, 0, 'reply', 1, 'See ![Burndown](https://agile.example/charts/{_LINKED}.png) and more'),
    (1, 2, 1, 1, 'reply', 1, '![x](https://agile.example/charts/{_TWICE}.png)'),
    -- Somebody else's text that names a token of ours binds nothing.
    (2, 3, 2, 0, 'reply', 1, '![x](https://agile.example/charts/{_NOWHERE}.png)');
insert into posts (organization_id, project_id, key, kind, body, data, wanted_at) values
    (1, 2, 'living', 'living', '![x](https://agile.example/charts/{_POSTED}.png)', '{{}}', now()),
    (1, 1, 'check', 'check', '', '{{"image": "https://agile.example/charts/{_TWICE}.png"}}', now());
insert into users (id, github_id, github_username) values (1, 7, 'octocat');
insert into organization_members (organization_id, user_id) values (1, 1);
insert into deletion_deadlines (organization_id, cancelled_at, due_at, is_told, created_at)
    values (1, now() - interval '40 days', now() - interval '1 day', true, now() - interval '40 days');
"""


def _upgrade(server: EmbeddedServer, revision: str) -> None:
    url = make_url(server.address("agile_owner", _NAME)).set(drivername="postgresql+psycopg")
    with create_engine(url, poolclass=NullPool).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema._MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.fixture
def upgraded(server: EmbeddedServer) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A database that was filled before 0007, as its administrator sees it afterwards."""
    server.create_database(_NAME)
    try:
        _upgrade(server, "0005")
        with psycopg.connect(server.address("postgres", _NAME), autocommit=True) as connection:
            connection.execute(_BEFORE_0007)
            schema.migrate(server.address("agile_owner", _NAME), APPLICATION)
            yield connection
    finally:
        with psycopg.connect(server.address("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(f"drop database {_NAME} with (force)")


def test_rows_of_earlier_versions_are_taken_over(upgraded: psycopg.Connection[tuple[object, ...]]) -> None:
    pictures = upgraded.execute("select token, project_id from chart_files order by token").fetchall()
    assert pictures == [(_LINKED, 1), (_POSTED, 2), (_TWICE, 1)]
    assert upgraded.execute("select login from organization_members").fetchall() == [("octocat",)]
    # Who was told of a deletion long ago need not be told again.
    assert upgraded.execute("select * from tenants_to_delete()").fetchall() == [(1,)]
    # Everybody's turn comes within the hour, and not all at once.
    turns = upgraded.execute(
        "select next_visibility_check_at - now() < interval '40 minutes' from organizations"
    ).fetchall()
    assert turns == [(True,), (True,)]
    # What the migration looked at once, the owner sees no more.
    policies = upgraded.execute("select 1 from pg_policies where policyname = 'migration'").fetchall()
    assert policies == []
