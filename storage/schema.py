"""Migration of a database to the schema of this version, and the check that it has this schema."""

from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from storage.database import hide_values

_MIGRATIONS = Path(__file__).parent / "migrations"
# Names of migrations begin with the revision, in this many digits.
_DIGITS = 4
_OLDEST_SERVER = 15

# The rights of the application's role; another role owns the tables. docs/security.md says why.
GRANTS = {
    "organizations": "select",
    "projects": "select, insert, update",
    "sprints": "select, insert, update",
    "github_events": "select, update",
    "timeline": "select, insert",
    "closed_sprints": "select, insert",
    "planned_sprints": "select, insert, update",
    "item_projections": "select, insert, update",
    "item_links": "select, insert",
    "daily_metrics": "select, insert, update, delete",
    "team_metrics": "select, insert, update, delete",
    "users": "select",
    "organization_members": "select",
    "missed_deliveries": "select, insert, update",
    "event_gaps": "select, insert, update",
    "visibility_changes": "select, insert",
    "clockwork": "select, insert, update",
    "changes": "select, insert, update",
    "undone_steps": "select, insert",
    "audit_log": "select, insert",
    "forecasts": "select, insert, update",
    "calibration": "select",
    "subscriptions": "select, insert, update",
    "subscription_problems": "select, insert, update, delete",
    "usage_ledger": "select, insert, update",
    "seat_increases": "select, insert, update",
    "stripe_events": "select, insert",
    "deletion_deadlines": "select",
    "posts": "select, insert, update",
    "outbox": "select, insert, update",
    "chart_files": "select, insert",
    "installation_claims": "select, delete",
    "alembic_version": "select",
}
# Rights on single columns: by the others, rows could move to another account, a deletion could come early, or
# other tenants' work could show.
COLUMN_GRANTS = {
    "organizations": {
        "update": "plan, settings, github_installation_id, former_installations, suspended_at, "
        "file, file_sha, next_measure_at, next_reconcile_at, next_visibility_check_at, updated_at, "
        "stripe_customer_id",
    },
    "deletion_deadlines": {
        "insert": "organization_id, cancelled_at, due_at, is_told",
        "update": "is_told, shown_at, withdrawn_at, withdrawn_because",
    },
    "visibility_changes": {"update": "is_change"},
    # The repositories that a chart belongs to, and whose work it shows, are fixed when it is drawn.
    "chart_files": {"update": "png, used_at"},
    # The claims themselves are written by the database, when it receives deliveries.
    "installation_claims": {"update": "checked_at"},
    # The other columns tell the tenant and the arguments of jobs. `scheduled_at` shows whether anything is
    # due (`is_busy` of storage/jobs.py); priorities and times show how deep the queue is (queue_depth.py).
    "procrastinate_jobs": {
        "select": "id, queue_name, task_name, priority, status, scheduled_at, attempts, abort_requested",
    },
    "procrastinate_events": {"select": "job_id, type, at"},
}
_LOOK_UPS = (
    "tenant_of_chart(text)",
    "tenants_of_repository(text)",
    "tenants_of_node(text)",
    "all_tenants()",
    "wake_waiting_tenants(timestamptz, integer)",
    "tenant_of_installation(bigint)",
    "account_of_installation(bigint)",
    "tenants_due(text, timestamptz, integer)",
    "tenants_with_due_posts(timestamptz, bigint, integer)",
    "tenants_with_usage(timestamptz, timestamptz, boolean, bigint, integer)",
    "tenants_to_clean_up(timestamptz, timestamptz, timestamptz, bigint, integer)",
    "tenants_with_billing(bigint, integer)",
    "tenants_with_missed_deliveries(bigint, integer)",
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
    "fetch_fair_job(text[], bigint, integer, integer, timestamptz)",
    "hold_waiting_job(text)",
    "receive_deliveries(text, bytea[], timestamptz)",
    "app_now()",
    "projects_with_projections_due(integer)",
    "former_installations_after(bigint[], bigint, bigint)",
)
# The functions of a worker: procrastinate's own and ours, run as the owner (migration 0007).
_QUEUE = (
    "procrastinate_defer_jobs_v1(procrastinate_job_to_defer_v1[])",
    f"procrastinate_defer_periodic_job_v2({', '.join(['varchar'] * 4)}, integer, varchar, bigint, jsonb)",
    "defer_jobs(jsonb)",
    "start_job(bigint, bigint)",
    "running_jobs(bigint)",
    "put_back_jobs(bigint, bigint[], timestamptz)",
    "finish_running_job(bigint, procrastinate_job_status, boolean)",
    "retry_running_job(bigint, timestamptz)",
    "procrastinate_register_worker_v1()",
    "procrastinate_unregister_worker_v1(bigint)",
    "procrastinate_update_heartbeat_v1(bigint)",
    "procrastinate_prune_stalled_workers_v1(double precision)",
    "stalled_jobs(interval)",
    "delete_ended_jobs(interval, integer)",
    "running_tasks(text[])",
)
_NEVER_FOR_THE_APPLICATION = (
    "first_ready_job(integer, text[], text[], boolean, text[])",
    "is_first_on_lock(bigint, text)",
    "tenant_of_account_or_new(bigint, text, text)",
    "assign_tenant(received_delivery)",
    "is_to_be_deleted(bigint)",
)


class SchemaError(Exception):
    """The database cannot be used; the text gives the reason and the remedy."""


class MissingSettingError(SchemaError):
    """A setting that the command needs is missing or incomplete."""


def migrate(owner_url: str, application_role: str) -> None:
    """Apply all migrations as the tables' owner, then grant the application's role its rights.

    Raises SchemaError for a server that is too old, a missing or wrong role, or a newer schema.
    """
    engine = create_engine(
        make_url(owner_url).set(drivername="postgresql+psycopg"), poolclass=NullPool, hide_parameters=True
    )
    hide_values(engine)
    with engine.begin() as connection:
        _check_server(connection, application_role)
        if _revision(connection) != newest_revision():
            _upgrade(connection)
        _grant(connection, application_role)
    engine.dispose()


def _upgrade(connection: Connection) -> None:
    # Imported only here: it takes 10 MB and as long as everything else about a start that migrates nothing.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as problem:
        raise SchemaError(f"the database was made by a newer version of this program: {problem}") from None


def newest_revision() -> str:
    """The schema revision that this version of the program needs: the highest number of its migrations."""
    return max(path.name[:_DIGITS] for path in (_MIGRATIONS / "versions").glob(f"{'[0-9]' * _DIGITS}_*.py"))


def _revision(connection: Connection) -> str | None:
    """The database's schema revision. None: it was never migrated."""
    if not connection.execute(text("select to_regclass('public.alembic_version')")).scalar():
        return None
    revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    return revision


async def check(connection: AsyncConnection, setting: str = "DATABASE_URL") -> None:
    """Raise SchemaError unless the schema is this version's and row security binds the role.

    `setting` names the connection's address in the text of the error.
    """
    if problem := await connection.run_sync(_problem, setting):
        raise SchemaError(problem)


async def identify(connection: AsyncConnection) -> tuple[object, ...]:
    """What is the same for all connections to one database of one server with one role."""
    query = (
        "select oid, pg_postmaster_start_time(), current_user from pg_database "
        "where datname = current_database()"
    )
    return tuple((await connection.execute(text(query))).one())


def _problem(connection: Connection, setting: str) -> str | None:
    role = connection.execute(
        text("select current_user, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
    ).one()
    if role.rolsuper or role.rolbypassrls:
        kind = "a superuser" if role.rolsuper else "a role with BYPASSRLS"
        return (
            f"{setting} connects as “{role[0]}”, {kind}, for whom PostgreSQL does not keep tenants apart. "
            "Create a plain role (create role agile_app login password '…'), run "
            "`python -m bot migrate` with DATABASE_OWNER_URL set to the owner, and use the plain role here."
        )
    current, newest = _revision(connection), newest_revision()
    if current is None:
        return f"the database of {setting} is empty: run `python -m bot migrate` first"
    owner = connection.execute(text("select tableowner from pg_tables where tablename = 'timeline'")).scalar()
    if owner == role[0]:
        return (
            f"{setting} connects as “{role[0]}”, the owner of the tables. Use a role that owns nothing, "
            "and keep the owner in DATABASE_OWNER_URL for `python -m bot migrate`."
        )
    if current != newest:
        return (
            f"the database of {setting} is at schema {current}, this version needs {newest}: "
            "run `python -m bot migrate`"
        )
    return None


def _check_server(connection: Connection, application_role: str) -> None:
    version = connection.dialect.server_version_info or (0,)
    if int(version[0]) < _OLDEST_SERVER:
        raise SchemaError(f"PostgreSQL {_OLDEST_SERVER} or newer is needed; this server is {version[0]}")
    owner = connection.execute(text("select current_user")).scalar()
    if owner == application_role:
        raise SchemaError(
            f"DATABASE_OWNER_URL and DATABASE_URL both connect as “{owner}”; the application must own nothing"
        )
    roles = connection.execute(text("select from pg_roles where rolname = :r"), {"r": application_role})
    if roles.first() is None:
        raise SchemaError(
            f"the role “{application_role}” of DATABASE_URL does not exist; "
            f"create it with: create role {application_role} login password '…'"
        )


def _grant(connection: Connection, application_role: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    role = quote(application_role)
    connection.execute(text(f"grant usage on schema public to {role}"))
    # Rights that an older version granted and this one does not need are revoked as well.
    owned = text("select tablename from pg_tables where schemaname = 'public' and tableowner = current_user")
    for table in connection.scalars(owned).all():
        connection.execute(text(f"revoke all on {quote(table)} from {role}"))
    connection.execute(text(f"revoke all on all sequences in schema public from {role}"))
    for table, rights in GRANTS.items():
        connection.execute(text(f"grant {rights} on {table} to {role}"))
    for table, rights_on_columns in COLUMN_GRANTS.items():
        for right, columns in rights_on_columns.items():
            connection.execute(text(f"grant {right} ({columns}) on {table} to {role}"))
    for function in (*_LOOK_UPS, *_QUEUE, *_NEVER_FOR_THE_APPLICATION):
        connection.execute(text(f"revoke all on function {function} from public"))
    for function in (*_LOOK_UPS, *_QUEUE):
        connection.execute(text(f"grant execute on function {function} to {role}"))
