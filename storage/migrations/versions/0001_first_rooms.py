"""The first tables, their policies, the look-ups of a tenant, and the job queue."""

from pathlib import Path

from alembic import op
from procrastinate import schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = ("projects", "sprints", "github_events", "timeline", "outbox", "chart_files")

# What the SECURITY DEFINER functions below may touch. They run as the tables' owner, who, because row
# security is forced, sees nothing either without a policy of its own.
OWNER_POLICIES = ("organizations", "projects", "github_events", "chart_files")


def upgrade() -> None:
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    _run(sql)
    for table in ("organizations", *TENANT_TABLES):
        key = "id" if table == "organizations" else "organization_id"
        _run(
            f"alter table {table} enable row level security, force row level security;"
            f"create policy tenant on {table} using "
            f"({key} = nullif(current_setting('app.tenant', true), '')::bigint);"
        )
    for table in OWNER_POLICIES:
        _run(f"create policy look_up on {table} to current_user using (true);")
    _run(schema.SchemaManager.get_schema())
    _run(_WAKE_LOCKED)


# Without it, a job that waited for its lock starts only at the next poll.
_WAKE_LOCKED = """
create function wake_locked() returns trigger language plpgsql as $$
declare
    message text := json_build_object('type', 'job_inserted', 'job_id', new.id)::text;
begin
    perform pg_notify('procrastinate_queue_v1#' || new.queue_name, message);
    perform pg_notify('procrastinate_any_queue_v1', message);
    return new;
end $$;
create trigger wake_locked after update of status on procrastinate_jobs for each row
when (old.status = 'doing' and new.status <> 'doing' and new.lock is not null)
execute function wake_locked();
"""


def _run(sql: str) -> None:
    """Execute several statements unchanged: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)
