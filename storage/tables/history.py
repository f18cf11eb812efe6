"""Tables of GitHub's events and the planning history that is recorded from them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Computed,
    Date,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import NOW, moment_column, project_key, sprint_key, tenant_table

# The inbox and log of deliveries. `github_id` is the repository's id; `payload` is encrypted, and empty once
# its retention is over. A delivery waits, from `due_at` on, while it is neither processed nor parked. `note`
# says why it was parked, retried, or unusable.
github_events = tenant_table(
    "github_events",
    Column("delivery_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("action", Text),
    Column("github_id", BigInteger),
    Column("payload", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("note", Text),
    moment_column("due_at", nullable=False, server_default=NOW),
    moment_column("processed_at"),
    moment_column("parked_at"),
    UniqueConstraint("organization_id", "delivery_id"),
    Index(
        "github_events_waiting",
        "organization_id",
        "id",
        postgresql_where=text("processed_at is null and parked_at is null"),
    ),
    Index(
        "github_events_with_payload",
        *("organization_id", text("created_at")),
        postgresql_where=text("payload <> ''"),
    ),
    Index("github_events_parked", "organization_id", postgresql_where=text("parked_at is not null")),
)

# Deliveries that GitHub could not hand over, and whether they came in the end.
missed_deliveries = tenant_table(
    "missed_deliveries",
    Column("delivery_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("action", Text),
    moment_column("delivered_at", nullable=False),
    Column("asked_again", Integer, nullable=False, server_default="0"),
    moment_column("recovered_at"),
    # GitHub's id of the repository of the event, if it has one; older rows have none.
    Column("repository_id", BigInteger),
    # Since when the delivery counts as lost.
    moment_column("lost_at"),
    UniqueConstraint("organization_id", "delivery_id"),
    Index(
        "missed_deliveries_expected",
        "organization_id",
        postgresql_where=text("recovered_at is null and lost_at is null"),
    ),
)

# Spans in which GitHub's events did not reach us: of one repository, or (null) of all that the tenant had by
# then. `ended_at` is null while the gap is open. `projects.synced_from` shows whether it was backfilled.
event_gaps = tenant_table(
    "event_gaps",
    *project_key(nullable=True),
    Column("cause", Text, nullable=False),
    moment_column("began_at", nullable=False),
    moment_column("ended_at"),
)

# The append-only planning history: the application may add rows and read them, nothing else. A fact is
# identified by (item, event, at, subject), where the subject is the label, the milestone, or what else the
# event names, so that a backfill and a webhook share one row. `source` says which of them came first.
# `number` is that of the item, pull request or milestone; the database computes it.
timeline = tenant_table(
    "timeline",
    *project_key(nullable=True),
    Column("item", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("event", Text, nullable=False),
    moment_column("at", nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("milestone_id", BigInteger),
    Column("delivery", Text),
    Column("actor", Text),
    Column("source", Text, nullable=False, server_default="webhook"),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB, nullable=False),
    Column(
        "number", Text, Computed("coalesce(after #>> '{item,number}', after ->> 'number')", persisted=True)
    ),
    UniqueConstraint("organization_id", "item", "event", "at", "subject"),
    Index("timeline_by_milestone", "organization_id", "project_id", "milestone_id"),
    Index("timeline_by_time", "organization_id", "project_id", "at"),
    Index(
        "timeline_by_content",
        "organization_id",
        text("(after ->> 'content')"),
        postgresql_where=text("kind in ('project_item', 'issue_field')"),
    ),
    Index(
        "timeline_beside_items",
        *("organization_id", "project_id", "kind", "at"),
        postgresql_where=text("kind not in ('issue', 'pull_request')"),
    ),
    Index(
        "timeline_by_number",
        *("organization_id", "project_id", "number"),
        postgresql_where=text("number is not null"),
    ),
    Index("timeline_by_recording", "organization_id", "project_id", text("created_at")),
    Index("timeline_corrections", "organization_id", "id", postgresql_where=text("source = 'correction'")),
)

# The milestones. Their facts are folded from the timeline; the columns hold those of the last measurement.
sprints = tenant_table(
    "sprints",
    *project_key(),
    Column("github_milestone_id", BigInteger, nullable=False),
    Column("github_milestone_number", Integer, nullable=False),
    Column("name", Text),
    Column("description", Text),
    Column("goal", Text),
    Column("start_date", Date),
    Column("end_date", Date),
    Column("status", Text, nullable=False, server_default="planned"),
    UniqueConstraint("organization_id", "project_id", "github_milestone_id"),
    Index("sprints_by_number", "organization_id", "project_id", "github_milestone_number"),
)

# Snapshots of closed sprints, made a day after the end. The application may add them, but never change them.
closed_sprints = tenant_table(
    "closed_sprints",
    *sprint_key(),
    Column("revision", Integer, nullable=False),
    moment_column("ended_at", nullable=False),
    moment_column("taken_at", nullable=False),
    Column("facts", JSON, nullable=False),
    UniqueConstraint("organization_id", "sprint_id", "revision"),
)

# Sprints that a cadence made ahead, one for each first day. `milestone` is GitHub's id, once it has answered.
planned_sprints = tenant_table(
    "planned_sprints",
    *project_key(),
    Column("title", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("milestone", BigInteger),
    UniqueConstraint("organization_id", "project_id", "first_day"),
)
