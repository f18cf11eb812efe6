"""Posts: when GitHub refused one, whether it was withdrawn, and what GitHub accepted or may have accepted."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table posts "
        "add column refused_at timestamptz, "
        "add column is_withdrawn boolean not null default false, "
        "add column sent_as jsonb, "
        "add column attempted jsonb"
    )
