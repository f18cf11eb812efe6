"""The start of a subscription: earlier usage is not charged."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table subscriptions add column started_at timestamptz")
