"""The tables, as migrations/ creates them.

Every tenant table begins its key with the tenant (`organization_id`), carries a row-level security policy
keyed to the transaction's tenant, and refers to other tables by keys that include the tenant, because
PostgreSQL's own foreign-key checks bypass policies.
"""

from storage.tables.accounts import (
    installation_claims,
    organization_members,
    organizations,
    projects,
    visibility_changes,
)
from storage.tables.base import metadata
from storage.tables.billing import (
    deletion_deadlines,
    seat_increases,
    stripe_events,
    subscription_problems,
    subscriptions,
    usage_ledger,
)
from storage.tables.history import (
    closed_sprints,
    event_gaps,
    github_events,
    missed_deliveries,
    planned_sprints,
    sprints,
    timeline,
)
from storage.tables.measurements import daily_metrics, forecasts, team_metrics
from storage.tables.messages import audit_log, changes, chart_files, outbox, posts, undone_steps
from storage.tables.projections import item_links, item_projections
from storage.tables.shared import calibration, clockwork, users

__all__ = [
    "TENANT_TABLES",
    "audit_log",
    "calibration",
    "changes",
    "chart_files",
    "clockwork",
    "closed_sprints",
    "daily_metrics",
    "deletion_deadlines",
    "event_gaps",
    "forecasts",
    "github_events",
    "installation_claims",
    "item_links",
    "item_projections",
    "metadata",
    "missed_deliveries",
    "organization_members",
    "organizations",
    "outbox",
    "planned_sprints",
    "posts",
    "projects",
    "seat_increases",
    "sprints",
    "stripe_events",
    "subscription_problems",
    "subscriptions",
    "team_metrics",
    "timeline",
    "undone_steps",
    "usage_ledger",
    "users",
    "visibility_changes",
]

_SHARED = (users, clockwork, calibration)
TENANT_TABLES = tuple(table for table in metadata.sorted_tables if table not in _SHARED)
