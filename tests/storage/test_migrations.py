"""A database of an earlier version keeps what it holds when it is brought up to this one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from storage import schema
from storage.embedded import APPLICATION, EmbeddedServer
from storage.migration_sql import protect_tenant_table, run_sql_file

_NAME = "earlier"
_LINKED, _POSTED, _TWICE, _NOWHERE, _ALONE = ("a" * 32, "b-_" + "b" * 29, "c" * 32, "d" * 32, "e" * 32)

_BEFORE_0007 = f"""
insert into organizations (id, github_account_id, name, slug, github_installation_id)
    values (1, 11, 'acme', 'acme', 100), (2, 22, 'other', 'other', 200);
update organizations set file = '{{"sprints": {{"repositories": ["Shop", "api", "gone"]}}}}' where id = 1;
insert into projects (organization_id, id, repository_node_id, github_repo, name, named_at) values
    (1, 1, 'R_1', 'acme/shop', 'shop', now()), (1, 2, 'R_2', 'Acme/API', 'API', now()),
    (1, 4, 'R_4', 'acme/alone', 'alone', now()), (1, 5, 'R_5', null, 'nameless', now()),
    (2, 3, 'R_3', 'other/theirs', 'theirs', now()), (2, 6, 'R_6', 'other/shop', 'shop', now());
insert into github_events (organization_id, id, delivery_id, event_type, payload)
    values (1, 1, 'guid', 'issues', ''), (2, 2, 'guid', 'issues', '');
insert into chart_files (organization_id, token, content_key, png)
    select 1, token, token, 'png' from unnest(array['{_LINKED}', '{_POSTED}', '{_TWICE}', '{_NOWHERE}', '{_ALONE}']) as token;
insert into outbox (organization_id, project_id, event_id, position, kind, thread, body) values
    (1, 1, 1, 0, 'reply', 1, 'See ![Burndown](https://agile.example/charts/{_LINKED}.png) and more'),
    (1, 2, 1, 1, 'reply', 1, '![x](https://agile.example/charts/{_TWICE}.png)'),
    (1, 4, 1, 2, 'reply', 1, '![x](https://agile.example/charts/{_ALONE}.png)'),
    -- Somebody else's text that names a token of ours binds nothing.
    (2, 3, 2, 0, 'reply', 1, '![x](https://agile.example/charts/{_NOWHERE}.png)');
insert into posts (organization_id, project_id, key, kind, body, data, wanted_at) values
    (1, 2, 'living', 'living', '![x](https://agile.example/charts/{_POSTED}.png)', '{{}}', now()),
    (1, 1, 'check', 'check', '', '{{"image": "https://agile.example/charts/{_TWICE}.png"}}', now());
insert into missed_deliveries (organization_id, delivery_id, event_type, delivered_at, recovered_at) values
    (1, 'old', 'push', now() - interval '4 days', null), (1, 'new', 'push', now() - interval '1 day', null),
    (2, 'came', 'push', now() - interval '4 days', now());
insert into users (id, github_id, github_username) values (1, 7, 'octocat');
insert into organization_members (organization_id, user_id) values (1, 1);
insert into deletion_deadlines (organization_id, cancelled_at, due_at, is_told, created_at)
    values (1, now() - interval '40 days', now() - interval '1 day', true, now() - interval '40 days');
"""

_LOCKED = """
select relation::regclass::text, mode from pg_locks join pg_class on pg_class.oid = relation
where pid = pg_backend_pid() and relname in ('chart_files', 'outbox', 'posts', 'organizations', 'projects')
    and mode <> 'AccessShareLock'
"""


def _upgrade(server: EmbeddedServer, revision: str) -> None:
    url = make_url(server.address("agile_owner", _NAME)).set(drivername="postgresql+psycopg")
    with create_engine(url, poolclass=NullPool).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema._MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.fixture
def earlier_database(server: EmbeddedServer) -> Iterator[str]:
    """The name of a database that was filled before 0006."""
    server.create_database(_NAME)
    try:
        _upgrade(server, "0005")
        with psycopg.connect(server.address("postgres", _NAME), autocommit=True) as connection:
            connection.execute(_BEFORE_0007)
        yield _NAME
    finally:
        with psycopg.connect(server.address("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(f"drop database {_NAME} with (force)")


@pytest.fixture
def upgraded_database(
    server: EmbeddedServer, earlier_database: str
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The same after the upgrade, as its administrator sees it."""
    schema.migrate(server.address("agile_owner", earlier_database), APPLICATION)
    with psycopg.connect(server.address("postgres", earlier_database), autocommit=True) as connection:
        yield connection


def test_rows_of_earlier_versions_are_taken_over(
    upgraded_database: psycopg.Connection[tuple[object, ...]],
) -> None:
    pictures = upgraded_database.execute(
        "select token, project_id, shared_with from chart_files order by token"
    ).fetchall()
    # Where sprints are shared, whose work is in a picture was not noted: it may be anybody's who shares them.
    assert pictures == [(_LINKED, 1, [2]), (_POSTED, 2, [1]), (_TWICE, 1, [2]), (_ALONE, 4, [])]
    assert upgraded_database.execute("select login from organization_members").fetchall() == [("octocat",)]
    # Who was told of a deletion long ago need not be told again.
    assert upgraded_database.execute("select * from tenants_to_delete()").fetchall() == [(1,)]
    # Everybody's turn comes within the hour, and not all at once.
    turns = upgraded_database.execute(
        "select next_visibility_check_at - now() < interval '40 minutes' from organizations"
    ).fetchall()
    assert turns == [(True,), (True,)]
    # The policy by which the migration looked at them once is gone.
    policies = upgraded_database.execute(
        "select 1 from pg_policies where tablename in ('outbox', 'posts') "
        "and policyname not in ('tenant', 'look_up')"
    ).fetchall()
    assert policies == []


def test_what_was_not_heard_before_is_known(server: EmbeddedServer, earlier_database: str) -> None:
    _upgrade(server, "0011")
    with psycopg.connect(server.address("postgres", earlier_database), autocommit=True) as connection:
        connection.execute("update organizations set suspended_at = '2026-11-20T09:00Z' where id = 2")
    schema.migrate(server.address("agile_owner", earlier_database), APPLICATION)
    with psycopg.connect(server.address("postgres", earlier_database), autocommit=True) as connection:
        gaps = connection.execute(
            "select organization_id, project_id, cause, began_at = '2026-11-20T09:00Z', ended_at from event_gaps"
        ).fetchall()
        lost = connection.execute(
            "select delivery_id from missed_deliveries where lost_at is not null"
        ).fetchall()
    assert gaps == [(2, None, "suspended", True, None)]
    assert lost == [("old",)]


def test_since_when_repositories_are_private_is_taken_over(
    server: EmbeddedServer, earlier_database: str
) -> None:
    _upgrade(server, "0013")
    with psycopg.connect(server.address("postgres", earlier_database), autocommit=True) as connection:
        connection.execute("update projects set private_since = '2026-11-20T09:00Z' where id = 1")
        projects = connection.execute("select count(*) from projects").fetchone()
    schema.migrate(server.address("agile_owner", earlier_database), APPLICATION)
    with psycopg.connect(server.address("postgres", earlier_database), autocommit=True) as connection:
        changes = connection.execute(
            "select project_id, is_private, at = '2026-11-20T09:00Z' from visibility_changes where is_change"
        ).fetchall()
        row = connection.execute("select count(distinct project_id) from visibility_changes").fetchone()
    assert changes == [(1, True, True)]
    assert row == projects


def test_what_was_said_is_read_before_any_table_is_locked(
    server: EmbeddedServer, earlier_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever works meanwhile may read and write while all that was ever said is gone through."""
    locks = list[list[tuple[object, ...]]]()
    execute = psycopg.Cursor.execute

    def watch(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        """What the upgrade's transaction has locked, for more than reading, when all that was said was read."""
        result = execute(cursor, query, *arguments, **options)
        if "'/charts/" in str(query) and not locks:
            locks.append(execute(cursor.connection.cursor(), _LOCKED).fetchall())
        return result

    monkeypatch.setattr(psycopg.Cursor, "execute", watch)
    schema.migrate(server.address("agile_owner", earlier_database), APPLICATION)
    assert locks == [[]]


def test_a_file_of_statements_is_executed_unchanged_and_a_table_shows_one_tenant(
    server: EmbeddedServer, earlier_database: str, tmp_path: Path
) -> None:
    (tmp_path / "0024_notes.sql").write_text(
        "create table notes (organization_id bigint, text text);"
        "insert into notes values (1, '100 % :name %s'), (2, 'theirs');"
    )
    url = make_url(server.address("agile_owner", earlier_database)).set(drivername="postgresql+psycopg")
    with create_engine(url, poolclass=NullPool).begin() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            run_sql_file(str(tmp_path / "0024_notes.py"))
            assert connection.scalar(text("select count(*) from notes")) == 2
            protect_tenant_table("notes")
        connection.execute(text("set local app.tenant = '1'"))
        assert connection.scalars(text("select text from notes")).all() == ["100 % :name %s"]
