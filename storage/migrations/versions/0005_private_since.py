"""Since when a repository that was public is private: until then its account had what is free in public."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table projects add column private_since timestamptz")
