"""Where answers appear: when a reply's comment was posted, and what it shows."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table outbox add column is_new boolean not null default false, "
        "add column comment_at timestamptz, add column reposted_at timestamptz, "
        "add column change_id bigint, add column failures jsonb"
    )
