"""Pictures belong to repositories, and the application's role may do no more than it has to."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Read once, to find out which repository a picture was linked in; the owner sees their rows for that only.
LINKING_TABLES = ("outbox", "posts")


def upgrade() -> None:
    for table in LINKING_TABLES:
        _run(f"create policy migration on {table} for select to current_user using (true);")
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    for table in LINKING_TABLES:
        _run(f"drop policy migration on {table};")


def _run(sql: str) -> None:
    """Several statements at once, as they are: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)
