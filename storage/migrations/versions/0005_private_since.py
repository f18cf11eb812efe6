"""When a public repository became private: until then its account had the features free for public ones."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table projects add column private_since timestamptz")
