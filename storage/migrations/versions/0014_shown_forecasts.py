"""Which message carries a forecast, and when GitHub took it: only what was shown is graded.

Rows from before have no `carrier`: they count as shown when they were made, because nobody noted more.
"""

from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table forecasts add column carrier text, add column shown_at timestamptz")
    op.execute(
        "create index forecasts_to_show on forecasts (organization_id, carrier) where shown_at is null"
    )
