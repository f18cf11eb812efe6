"""Subscriptions: since when one is missing at Stripe, and whether its customer was deleted there."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table subscriptions "
        "add column missing_since timestamptz, "
        "add column is_customer_deleted boolean not null default false"
    )
