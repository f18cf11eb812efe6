"""More of the history: its sources, closed sprints, daily figures, people, and periodic tasks."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "closed_sprints",
    "daily_metrics",
    "team_metrics",
    "organization_members",
    "missed_deliveries",
)
# What the new SECURITY DEFINER functions may touch; see 0001.
OWNER_POLICIES = ("timeline", "organization_members", "users")


def upgrade() -> None:
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    for table in TENANT_TABLES:
        _run(
            f"alter table {table} enable row level security, force row level security;"
            f"create policy tenant on {table} using "
            "(organization_id = nullif(current_setting('app.tenant', true), '')::bigint);"
        )
    # A person belongs to no tenant: each tenant sees the people that occur in its events.
    _run(
        "alter table users enable row level security, force row level security;"
        "create policy met on users for select using (exists ("
        "select from organization_members where organization_members.user_id = users.id"
        " and organization_id = nullif(current_setting('app.tenant', true), '')::bigint));"
    )
    for table in OWNER_POLICIES:
        _run(f"create policy look_up on {table} to current_user using (true);")


def _run(sql: str) -> None:
    """Execute several statements unchanged: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)
