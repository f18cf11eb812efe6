"""The message that carries a forecast, and when it was shown; the former logins of people."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # Executed unchanged: neither SQLAlchemy nor psycopg looks for placeholders.
    op.get_bind().connection.cursor().execute(sql)
