"""Priorities, deletion of done jobs, and look-ups of tenants with work."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# What the new SECURITY DEFINER functions may touch; see 0001.
OWNER_POLICIES = (
    "posts",
    "outbox",
    "usage_ledger",
    "subscription_problems",
    "seat_increases",
    "missed_deliveries",
)


def upgrade() -> None:
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    for table in OWNER_POLICIES:
        _run(f"create policy look_up on {table} to current_user using (true);")


def _run(sql: str) -> None:
    """Execute several statements unchanged: neither SQLAlchemy nor psycopg looks for placeholders."""
    op.get_bind().connection.cursor().execute(sql)
