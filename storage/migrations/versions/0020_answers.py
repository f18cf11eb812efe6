"""Functions and indexes for answers and recording: fewer statements for a delivery and an answer."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def _run(sql: str) -> None:
    """Execute several statements unchanged: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)
