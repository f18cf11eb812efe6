"""Priorities, deletion of done jobs, and look-ups of tenants with work."""

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
