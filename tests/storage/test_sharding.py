"""The rules that keep the schema ready to be distributed by tenant over several servers.

docs/scaling.md says what they are for. A table is one of three kinds: it is distributed by
`organization_id`; or a reference table, with a copy on every server; or local, on the coordinator alone.
Whoever adds a table that breaks a rule changes the table, or adds it to the exceptions below with a reason.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from storage.embedded import EmbeddedServer

REFERENCE = {
    "organizations": "the accounts themselves: every tenant's rows refer to one, and all are few and small",
    "users": "a person is one row for all tenants",
}
LOCAL = {
    "procrastinate_jobs": "the queue: a worker takes jobs of all tenants, with locks over them",
    "procrastinate_events": "belongs to the queue",
    "procrastinate_periodic_defers": "belongs to the queue",
    "procrastinate_workers": "belongs to the queue",
    "clockwork": "the progress of periodic jobs, of no tenant",
    "calibration": "counts over all tenants",
    "alembic_version": "the version of the schema",
}
# Unique indexes of distributed tables without `organization_id`. Each needs a look-up table on the
# coordinator (key, organization_id) before its table can be distributed.
UNIQUE_OVER_ALL_TENANTS = {
    "chart_files_token_key": "a picture is asked for by its token alone, which is random: it cannot clash",
    "subscriptions_stripe_subscription_id_key": "no two tenants may claim one subscription of Stripe",
}
# Triggers of tables that are not local, which Citus refuses without `citus.enable_unsafe_triggers`.
TRIGGERS = {
    "deletion_deadlines.restart_notice": "looks at its own row alone, so it may run where the row is",
    "projects.note_changed_settings": "changes rows of its own tenant alone, which lie on one server",
    "organization_members.note_taken_login": "changes rows of its own tenant alone, which lie on one server",
    "organization_members.note_renamed_person": "changes rows of its own tenant alone, which lie on one server",
    "organizations.note_changed_settings": "changes rows of a tenant from a reference table, of which every "
    "server has a copy: must become a statement of the application first",
}

_TABLES = """
select relname, coalesce((
    select attnotnull and atttypid = 'bigint'::regtype from pg_attribute
    where attrelid = tables.oid and attname = 'organization_id' and not attisdropped
), false)
from pg_class as tables where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 1
"""
_UNIQUE_INDEXES = """
select tables.relname, indexes.relname, array(
    select attname::text from pg_attribute where attrelid = tables.oid and attnum = any (indkey)
)
from pg_index join pg_class as tables on tables.oid = indrelid join pg_class as indexes on indexes.oid = indexrelid
where indisunique and tables.relnamespace = 'public'::regnamespace order by 1, 2
"""
_FOREIGN_KEYS = """
select conrelid::regclass::text, confrelid::regclass::text, conname, confdeltype in ('n', 'd'), coalesce((
    select bool_or(mine.attname = 'organization_id' and theirs.attname = 'organization_id')
    from unnest(conkey, confkey) as pairs (mine, theirs)
    join pg_attribute as mine on mine.attrelid = conrelid and mine.attnum = pairs.mine
    join pg_attribute as theirs on theirs.attrelid = confrelid and theirs.attnum = pairs.theirs
), false)
from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace order by 1, 3
"""
_TRIGGERS = """
select tgrelid::regclass::text, tgname from pg_trigger join pg_class on pg_class.oid = tgrelid
where not tgisinternal and relnamespace = 'public'::regnamespace order by 1, 2
"""
# Materialized, so that the function is not called for tables of other schemas, which the owner may not see.
_SMALL_IDENTITIES = """
with columns as materialized (
    select attrelid, attname, attidentity, atttypid from pg_attribute join pg_class on pg_class.oid = attrelid
    where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not attisdropped
)
select attrelid::regclass::text, attname from columns
where (attidentity <> '' or pg_get_serial_sequence(attrelid::regclass::text, attname) is not null)
    and atttypid <> 'bigint'::regtype
order by 1, 2
"""


class Schema:
    """The migrated schema, and what would keep it from being distributed."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._tables: dict[str, bool] = dict(self._read(_TABLES))

    def find_problems(self) -> list[str]:
        """Return a sentence for each broken rule."""
        return [
            *self._check_tables(),
            *self._check_unique_indexes(),
            *self._check_foreign_keys(),
            *self._check_triggers(),
            *(
                f"{table}.{column} counts up and is no bigint"
                for table, column in self._read(_SMALL_IDENTITIES)
            ),
        ]

    def unused_exceptions(self) -> set[str]:
        """Return the exceptions for which there is nothing in the schema any more."""
        tables = REFERENCE.keys() | LOCAL.keys()
        named = {index for _, index, _ in self._read(_UNIQUE_INDEXES)}
        named |= {f"{table}.{trigger}" for table, trigger in self._read(_TRIGGERS)}
        return (tables - self._tables.keys()) | ((UNIQUE_OVER_ALL_TENANTS.keys() | TRIGGERS.keys()) - named)

    def _check_tables(self) -> Iterator[str]:
        for table, has_tenant in self._tables.items():
            if not has_tenant and table not in REFERENCE.keys() | LOCAL.keys():
                yield f"{table} has no column organization_id of type bigint, not null"
            elif has_tenant and table in REFERENCE.keys() | LOCAL.keys():
                yield f"{table} has a column organization_id, so it is neither a reference table nor local"

    def _check_unique_indexes(self) -> Iterator[str]:
        for table, index, columns in self._read(_UNIQUE_INDEXES):
            is_exception = index in UNIQUE_OVER_ALL_TENANTS
            if self._is_distributed(table) and "organization_id" not in columns and not is_exception:
                yield f"{index} of {table} is unique over all tenants: it lacks organization_id"

    def _check_foreign_keys(self) -> Iterator[str]:
        for table, target, key, sets_null, has_tenant in self._read(_FOREIGN_KEYS):
            if self._is_distributed(table) and self._is_distributed(target) and not has_tenant:
                yield f"{key} of {table} refers to a row of {target} without its organization_id"
            elif self._is_distributed(table) and target in LOCAL:
                yield f"{key} of {table} refers to {target}, which is on the coordinator alone"
            elif not self._is_distributed(table) and self._is_distributed(target):
                yield f"{key} of {table}, which is not distributed, refers to {target}, which is"
            elif table in REFERENCE and target in LOCAL:
                yield f"{key} of {table} refers to {target}, which is on the coordinator alone"
            if self._is_distributed(table) and sets_null:
                yield f"{key} of {table} empties columns when a row is deleted, organization_id among them"

    def _check_triggers(self) -> Iterator[str]:
        for table, trigger in self._read(_TRIGGERS):
            if table not in LOCAL and f"{table}.{trigger}" not in TRIGGERS:
                yield f"{trigger} of {table} is a trigger of a table that is not local"

    def _is_distributed(self, table: str) -> bool:
        return self._tables[table] and table not in REFERENCE.keys() | LOCAL.keys()

    def _read(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode()).fetchall()


@pytest.fixture
def connection(server: EmbeddedServer, database_name: str) -> Iterator[psycopg.Connection]:
    """A connection as the owner, whose changes are rolled back."""
    with psycopg.connect(server.address("agile_owner", database_name)) as connection:
        yield connection
        connection.rollback()


def test_the_schema_can_be_distributed_by_tenant(connection: psycopg.Connection) -> None:
    assert Schema(connection).find_problems() == []


def test_no_exception_outlives_its_cause(connection: psycopg.Connection) -> None:
    assert Schema(connection).unused_exceptions() == set()


_GOOD = (
    "organization_id bigint not null references organizations (id), id bigint generated always as identity"
)


_TRIGGER = (
    "create function touch() returns trigger language plpgsql as 'begin return new; end';"
    "create trigger touched before update on timeline for each row execute function touch()"
)
_SETS_NULL = (
    "foreign key (organization_id, project) references projects (organization_id, id) on delete set null"
)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("create table notes (id bigint primary key)", "notes has no column organization_id"),
        (
            "create table notes (organization_id bigint, id bigint)",
            "notes has no column organization_id of type bigint, not null",
        ),
        (f"create table notes ({_GOOD}, primary key (id))", "notes_pkey of notes is unique over all tenants"),
        (
            f"create table notes ({_GOOD}, slug text unique, primary key (organization_id, id))",
            "notes_slug_key of notes is unique over all tenants",
        ),
        (
            f"create table notes ({_GOOD}, key text); create unique index by_key on notes (lower(key))",
            "by_key of notes is unique over all tenants",
        ),
        (
            f"create table notes ({_GOOD}, token text references chart_files (token))",
            "notes_token_fkey of notes refers to a row of chart_files without its organization_id",
        ),
        (
            f"create table notes ({_GOOD}, job bigint references procrastinate_jobs (id))",
            "notes_job_fkey of notes refers to procrastinate_jobs, which is on the coordinator alone",
        ),
        (
            "alter table users add chart text references chart_files (token)",
            "users_chart_fkey of users, which is not distributed, refers to chart_files, which is",
        ),
        (
            _TRIGGER,
            "touched of timeline is a trigger of a table that is not local",
        ),
        (
            "create table notes (organization_id bigint not null, id integer generated always as identity)",
            "notes.id counts up and is no bigint",
        ),
        (
            f"create table notes ({_GOOD}, project bigint, {_SETS_NULL})",
            "notes_organization_id_project_fkey of notes empties columns when a row is deleted",
        ),
        (
            "alter table users add organization_id bigint not null default 1",
            "users has a column organization_id",
        ),
    ],
)
def test_a_table_that_breaks_a_rule_is_named(
    connection: psycopg.Connection, statement: str, problem: str
) -> None:
    before = Schema(connection).find_problems()
    connection.execute(statement.encode())
    (sentence,) = set(Schema(connection).find_problems()).difference(before)
    assert sentence.startswith(problem)
