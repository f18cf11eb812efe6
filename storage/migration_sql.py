"""Statements that migrations share. Released migrations never change; nor do these functions."""

from pathlib import Path

from alembic import op


def run_sql(sql: str) -> None:
    """Execute several statements unchanged: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)


def run_sql_file(migration: str) -> None:
    """Execute the file of statements beside a migration: `run_sql_file(__file__)` in `0024_name.py`."""
    run_sql(Path(migration).with_suffix(".sql").read_text(encoding="utf-8"))


def protect_tenant_table(name: str) -> None:
    """Force row-level security on a table: a transaction sees only the rows of its tenant."""
    run_sql(
        f"alter table {name} enable row level security, force row level security;"
        f"create policy tenant on {name} using "
        "(organization_id = nullif(current_setting('app.tenant', true), '')::bigint);"
    )
