"""Tables of subscriptions, seats, usage and deletion deadlines."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import moment_column, tenant_table

# The subscriptions of accounts, as their source described them last (storage/subscriptions.py). `had` is the
# plan before the subscription was reduced.
subscriptions = tenant_table(
    "subscriptions",
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False, server_default=""),
    Column("stripe_customer_id", Text),
    Column("stripe_subscription_id", Text, unique=True),
    Column("marketplace_plan_id", BigInteger),
    Column("status", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("quantity", Integer),
    Column("is_yearly", Boolean, nullable=False, server_default=text("false")),
    moment_column("current_period_start"),
    moment_column("current_period_end"),
    moment_column("trial_ends_at"),
    moment_column("past_due_since"),
    moment_column("ended_at"),
    Column("pending", JSONB(none_as_null=True)),
    Column("had", JSONB(none_as_null=True)),
    Column("quantity_set_on", Date),
    # Since when Stripe has not known the subscription, as after a change of the key.
    moment_column("missing_since"),
    Column("is_customer_deleted", Boolean, nullable=False, server_default=text("false")),
    moment_column("read_at", nullable=False),
    Column("unit_amount", BigInteger),
    Column("currency", Text),
    Column("price_id", Text),
    moment_column("started_at"),
    UniqueConstraint("organization_id", "source", "reference"),
    Index("subscriptions_by_customer", "stripe_customer_id"),
)

# What could not be understood of a Stripe subscription when it was last read.
subscription_problems = tenant_table(
    "subscription_problems",
    Column("subscription_id", Text, nullable=False),
    Column("problem", Text, nullable=False),
    moment_column("noted_at", nullable=False),
    UniqueConstraint("organization_id", "subscription_id"),
)

# Increases of a subscription's quantity that an admin has to approve (storage/seat_increases.py).
seat_increases = tenant_table(
    "seat_increases",
    Column("reference", Text, nullable=False),
    Column("before", Integer, nullable=False),
    Column("after", Integer, nullable=False),
    Column("unit_amount", BigInteger),
    Column("currency", Text),
    Column("is_yearly", Boolean, nullable=False),
    Column("due_now", BigInteger),
    moment_column("asked_at", nullable=False),
    moment_column("approved_at"),
    Column("approved_by", Text),
    moment_column("closed_at"),
    Column("outcome", Text),
    Index("seat_increases_open", "organization_id", unique=True, postgresql_where=text("closed_at is null")),
)

# The quantity of each metric on each UTC day. `tried_at` is when it was first sent to Stripe, `reported_at`
# when Stripe confirmed it.
usage_ledger = tenant_table(
    "usage_ledger",
    Column("metric", Text, nullable=False),
    Column("period", Date, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    moment_column("tried_at"),
    moment_column("reported_at"),
    Column("refused", Text),
    UniqueConstraint("organization_id", "metric", "period"),
    Index(
        "usage_ledger_to_report",
        *("organization_id", "period"),
        postgresql_where=text("reported_at is null and refused is null"),
    ),
)

# The events of Stripe that were processed.
stripe_events = tenant_table(
    "stripe_events",
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    UniqueConstraint("organization_id", "event_id"),
)

# The deadlines for deleting data after a cancellation on the Marketplace (storage/deadlines.py). `is_told`:
# GitHub announced the day; otherwise the cancellation was inferred.
deletion_deadlines = tenant_table(
    "deletion_deadlines",
    moment_column("cancelled_at", nullable=False),
    moment_column("due_at", nullable=False),
    # By the database's own clock: only the database reads it, before it deletes.
    moment_column("noted_at", nullable=False, server_default=func.now()),
    Column("is_told", Boolean, nullable=False),
    moment_column("shown_at"),
    moment_column("withdrawn_at"),
    Column("withdrawn_because", Text),
    UniqueConstraint("organization_id", "cancelled_at"),
)
