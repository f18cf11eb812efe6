"""A delivery that arrives while its installation is bound to its account is not refused."""

from storage.migration_sql import run_sql_file

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_file(__file__)
