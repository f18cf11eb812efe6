"""Fair selection of jobs between tenants; a waiting job does not begin before those that rely on it."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Executed unchanged: neither SQLAlchemy nor psycopg looks for placeholders.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
