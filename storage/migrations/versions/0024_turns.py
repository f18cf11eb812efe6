"""Indexes for the changes that another change has to wait for: those in progress, and the last ones."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create index changes_in_progress on changes (organization_id, project_id) where state = 'begun'"
    )
    op.execute("create index changes_by_end on changes (organization_id, project_id, finished_at)")
