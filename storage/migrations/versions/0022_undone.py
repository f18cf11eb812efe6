"""Changes that were undone: when a change ended, and by what its events are recognized."""

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TENANT_TABLES = ("undone_steps",)


def upgrade() -> None:
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    for table in TENANT_TABLES:
        _run(
            f"alter table {table} enable row level security, force row level security;"
            f"create policy tenant on {table} using "
            "(organization_id = nullif(current_setting('app.tenant', true), '')::bigint);"
        )


def _run(sql: str) -> None:
    """Execute several statements unchanged: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)
