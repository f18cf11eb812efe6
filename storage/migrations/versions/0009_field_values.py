"""Past values of fields of issues and projects: looked up by issue, and deleted with it."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Executed unchanged: neither SQLAlchemy nor psycopg looks for placeholders.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
