"""Rows are dated by the application's clock, and an installation is bound to its account by GitHub alone."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TENANT_TABLES = ("installation_claims",)
# What the new SECURITY DEFINER functions may touch; see 0001.
OWNER_POLICIES = ("installation_claims",)


def upgrade() -> None:
    # For 0007, which is mostly part of the same transaction: from here on tables are locked.
    _run(Path(__file__).with_name("picture_links.sql").read_text(encoding="utf-8"))
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    for table in TENANT_TABLES:
        _run(
            f"alter table {table} enable row level security, force row level security;"
            f"create policy tenant on {table} using "
            "(organization_id = nullif(current_setting('app.tenant', true), '')::bigint);"
        )
    for table in OWNER_POLICIES:
        _run(f"create policy look_up on {table} to current_user using (true);")


def _run(sql: str) -> None:
    """Execute several statements unchanged: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)
