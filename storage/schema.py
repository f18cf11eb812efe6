"""Bringing a database up to the schema of this version, and refusing to work with any other."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

_MIGRATIONS = Path(__file__).parent / "migrations"
_OLDEST_SERVER = 15

# What the application's role may do; the owner of the tables is another role.
GRANTS = {
    "organizations": "select, update",
    "projects": "select, insert, update",
    "sprints": "select, insert, update",
    "github_events": "select, update",
    "timeline": "select, insert",
    "closed_sprints": "select, insert",
    "daily_metrics": "select, insert, update, delete",
    "team_metrics": "select, insert, update, delete",
    "users": "select",
    "organization_members": "select, update",
    "missed_deliveries": "select, insert, update",
    "clockwork": "select, insert, update",
    "changes": "select, insert, update",
    "audit_log": "select, insert",
    "forecasts": "select, insert, update",
    "calibration": "select",
    "subscriptions": "select, insert, update",
    "usage_ledger": "select, insert, update",
    "stripe_events": "select, insert",
    "deletion_deadlines": "select, insert, update",
    "posts": "select, insert, update",
    "outbox": "select, insert, update",
    "chart_files": "select, insert, update",
    "installation_claims": "select, update, delete",
    "alembic_version": "select",
    **dict.fromkeys(
        (
            "procrastinate_jobs",
            "procrastinate_events",
            "procrastinate_workers",
            "procrastinate_periodic_defers",
        ),
        "select, insert, update, delete",
    ),
}
_LOOK_UPS = (
    "tenant_of_chart(text)",
    "tenants_of_repository(text)",
    "all_tenants()",
    "tenants_with_waiting_events(timestamptz)",
    "tenant_of_installation(bigint)",
    "tenants_due(text, timestamptz)",
    "meet_people(text)",
    "forget_text(text)",
    "grade_for_all(smallint, boolean)",
    "tenant_of_account(bigint)",
    "tenants_named(text)",
    "tenant_of_buyer(bigint, text, text)",
    "tenants_of_stripe(text, text)",
    "tenants_to_delete()",
    "delete_tenant()",
    "wake_tenant(bigint)",
    "receive_deliveries(text, bytea[], timestamptz)",
    "app_now()",
)
_NEVER_FOR_THE_APPLICATION = (
    "tenant_of_account_or_new(bigint, text, text)",
    "assign_tenant(received_delivery)",
)


class SchemaError(Exception):
    """The database cannot be worked with; the text says why and how to mend it."""


def migrate(owner_url: str, application_role: str) -> None:
    """Applies all migrations as the tables' owner, then grants the application's role what it needs."""
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.begin() as connection:
        _check_server(connection, application_role)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as problem:
            raise SchemaError(
                f"the database was made by a newer version of this program: {problem}"
            ) from None
        _grant(connection, application_role)
    engine.dispose()


def newest_revision() -> str | None:
    """The schema that this version of the program works with."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


async def check(connection: AsyncConnection) -> None:
    """Raises SchemaError unless the schema is this version's and the role cannot bypass row security."""
    if found := await connection.run_sync(_problem):
        raise SchemaError(found)


def _problem(connection: Connection) -> str | None:
    role = connection.execute(
        text("select current_user, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
    ).one()
    if role.rolsuper or role.rolbypassrls:
        what = "a superuser" if role.rolsuper else "a role with BYPASSRLS"
        return (
            f"DATABASE_URL connects as “{role[0]}”, {what}, for whom PostgreSQL does not keep tenants apart. "
            "Create a plain role (create role agile_app login password '…'), run "
            "`python -m bot migrate` with DATABASE_OWNER_URL set to the owner, and use the plain role here."
        )
    if not connection.execute(text("select to_regclass('public.alembic_version')")).scalar():
        return "the database is empty: run `python -m bot migrate` first"
    owner = connection.execute(text("select tableowner from pg_tables where tablename = 'timeline'")).scalar()
    if owner == role[0]:
        return (
            f"DATABASE_URL connects as “{role[0]}”, the owner of the tables. Use a role that owns nothing, "
            "and keep the owner in DATABASE_OWNER_URL for `python -m bot migrate`."
        )
    current, newest = MigrationContext.configure(connection).get_current_revision(), newest_revision()
    if current != newest:
        return (
            f"the database is at schema {current}, this version needs {newest}: run `python -m bot migrate`"
        )
    return None


def _check_server(connection: Connection, application_role: str) -> None:
    version = connection.dialect.server_version_info or (0,)
    if int(version[0]) < _OLDEST_SERVER:
        raise SchemaError(f"PostgreSQL {_OLDEST_SERVER} or newer is needed; this server is {version[0]}")
    me = connection.execute(text("select current_user")).scalar()
    if me == application_role:
        raise SchemaError(
            f"DATABASE_OWNER_URL and DATABASE_URL both connect as “{me}”; the application must own nothing"
        )
    known = connection.execute(text("select from pg_roles where rolname = :r"), {"r": application_role})
    if known.first() is None:
        raise SchemaError(
            f"the role “{application_role}” of DATABASE_URL does not exist; "
            f"create it with: create role {application_role} login password '…'"
        )


def _grant(connection: Connection, application_role: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    role = quote(application_role)
    connection.execute(text(f"grant usage on schema public to {role}"))
    for table, rights in GRANTS.items():
        connection.execute(text(f"revoke all on {table} from {role}"))
        connection.execute(text(f"grant {rights} on {table} to {role}"))
    connection.execute(text(f"grant usage on all sequences in schema public to {role}"))
    for function in (*_LOOK_UPS, *_NEVER_FOR_THE_APPLICATION):
        connection.execute(text(f"revoke all on function {function} from public"))
    for function in _LOOK_UPS:
        connection.execute(text(f"grant execute on function {function} to {role}"))
