"""Tables of daily measurements and recorded forecasts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)

from storage.tables.base import moment_column, project_key, sprint_key, tenant_table

# The state of a sprint at the end of each local day.
daily_metrics = tenant_table(
    "daily_metrics",
    *project_key(),
    *sprint_key(),
    Column("date", Date, nullable=False),
    Column("total_points", Numeric(12, 2), nullable=False),
    Column("completed_points", Numeric(12, 2), nullable=False),
    Column("remaining_points", Numeric(12, 2), nullable=False),
    Column("total_issues", Integer, nullable=False),
    Column("completed_issues", Integer, nullable=False),
    Column("team_velocity", Numeric(12, 2)),
    UniqueConstraint("organization_id", "project_id", "sprint_id", "date"),
    Index("daily_metrics_by_date", "organization_id", "project_id", text("date desc")),
)

# The work of each person on each local day. The row without a user sums that of unknown people.
team_metrics = tenant_table(
    "team_metrics",
    *project_key(),
    Column("user_id", BigInteger, ForeignKey("users.id")),
    Column("date", Date, nullable=False),
    Column("commits_count", Integer, nullable=False, server_default="0"),
    Column("issues_closed", Integer, nullable=False, server_default="0"),
    Column("points_completed", Numeric(12, 2), nullable=False, server_default="0"),
    Column("pull_requests", Integer, nullable=False, server_default="0"),
    UniqueConstraint("organization_id", "project_id", "user_id", "date", postgresql_nulls_not_distinct=True),
    Index("team_metrics_by_date", "organization_id", "project_id", "user_id", text("date desc")),
)

# The recorded forecasts and their outcomes. `low` to `high` is the 80 % band of what is delivered. `carrier`
# names the message that carries the forecast, `shown_at` is when GitHub accepted that message.
forecasts = tenant_table(
    "forecasts",
    *sprint_key(),
    moment_column("made_at", nullable=False),
    Column("shown_in", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("share_elapsed", Numeric(5, 4), nullable=False),
    Column("scope", Numeric(12, 2), nullable=False),
    Column("chance", Numeric(6, 5), nullable=False),
    Column("low", Numeric(12, 2), nullable=False),
    Column("expected", Numeric(12, 2), nullable=False),
    Column("high", Numeric(12, 2), nullable=False),
    Column("likely_date", Date),
    Column("basis", Text, nullable=False),
    Column("is_finished", Boolean),
    Column("delivered", Numeric(12, 2)),
    Column("finished_on", Date),
    moment_column("graded_at"),
    Column("carrier", Text),
    moment_column("shown_at"),
    Index("forecasts_by_sprint", "organization_id", "sprint_id", "made_at"),
    Index("forecasts_to_grade", "organization_id", "sprint_id", postgresql_where=text("graded_at is null")),
    Index("forecasts_to_show", "organization_id", "carrier", postgresql_where=text("shown_at is null")),
)
