"""The Stripe customer of an account, by which it buys once and again."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table organizations add column stripe_customer_id text")
