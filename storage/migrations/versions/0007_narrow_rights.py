"""Pictures belong to repositories, and the application's role may do no more than it has to."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _run(Path(__file__).with_name("picture_links.sql").read_text(encoding="utf-8"))
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def _run(sql: str) -> None:
    """Execute several statements unchanged: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)
