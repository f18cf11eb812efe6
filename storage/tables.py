"""The tables, as migrations/ creates them.

Every tenant table begins its key with the tenant (`organization_id`), carries a row-level security policy
keyed to the transaction's tenant, and refers to other tables by keys that include the tenant, because
PostgreSQL's own foreign-key checks bypass policies.
"""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

# The application's clock, as the transaction was told it (storage/database.py).
_NOW = func.app_now()


def _moment(name: str, **options: object) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]


def _tenant_table(name: str, *items: SchemaItem) -> Table:
    return Table(
        name,
        metadata,
        Column("organization_id", BigInteger, ForeignKey("organizations.id"), nullable=False),
        Column("id", BigInteger, Identity(), nullable=False),
        *items,
        _moment("created_at", nullable=False, server_default=_NOW),
        PrimaryKeyConstraint("organization_id", "id"),
    )


def _project_key(*, nullable: bool = False) -> tuple[SchemaItem, SchemaItem]:
    return (
        Column("project_id", BigInteger, nullable=nullable),
        ForeignKeyConstraint(["organization_id", "project_id"], ["projects.organization_id", "projects.id"]),
    )


def _sprint_key() -> tuple[SchemaItem, SchemaItem]:
    return (
        Column("sprint_id", BigInteger, nullable=False),
        ForeignKeyConstraint(["organization_id", "sprint_id"], ["sprints.organization_id", "sprints.id"]),
    )


# The tenant is the account on GitHub: its installation comes and goes, its history stays.
organizations = Table(
    "organizations",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("github_account_id", BigInteger, nullable=False, unique=True),
    Column("account_type", Text, nullable=False, server_default="Organization"),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("plan", Text, nullable=False, server_default="free"),
    Column("github_installation_id", BigInteger, unique=True),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    _moment("created_at", nullable=False, server_default=_NOW),
    _moment("updated_at", nullable=False, server_default=_NOW),
    Column("former_installations", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    _moment("next_measure_at"),
    _moment("next_reconcile_at"),
    # When GitHub is asked again which repositories can be seen, because of their pictures.
    _moment("next_visibility_check_at"),
    _moment("suspended_at"),
    # The settings file of the organization's `.github` repository, as it was last read.
    Column("file", JSONB, nullable=False, server_default=text("'{}'")),
    Column("file_sha", Text),
    # By whom the account buys; a subscription from before may name another customer.
    Column("stripe_customer_id", Text),
)

# A repository. `github_repo` is the name it last had (`named_at`: by GitHub's clock); it is null while
# another repository is known to have taken the name.
projects = _tenant_table(
    "projects",
    Column("github_repo", Text),
    Column("repository_node_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("is_private", Boolean, nullable=False, server_default=text("true")),
    _moment("named_at", nullable=False),
    # When its past had been asked for, and how far that has come.
    _moment("synced_at"),
    Column("sync", JSONB, nullable=False, server_default=text("'{}'")),
    # Settings come from the operator (`settings`), the team's settings file (`file`, as it was last read) and
    # commands (`said`), the later winning. `other_bots` are bots here that own some of our words.
    Column("file", JSONB, nullable=False, server_default=text("'{}'")),
    Column("file_sha", Text),
    Column("said", JSONB, nullable=False, server_default=text("'{}'")),
    Column("other_bots", JSONB, nullable=False, server_default=text("'[]'")),
    # Since when it is private after it was public; null if it never was.
    _moment("private_since"),
    # Since when the App cannot see it any more; null while it can.
    _moment("hidden_since"),
    # When the last complete reading of its past began: all until then is known.
    _moment("synced_from"),
    UniqueConstraint("organization_id", "repository_node_id"),
    UniqueConstraint("organization_id", "github_repo"),
    Index("projects_by_node", "repository_node_id"),
)

# Which milestones there are. What they say is a fold over the timeline; here stands what it was when the
# figures were last measured.
sprints = _tenant_table(
    "sprints",
    *_project_key(),
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

# Inbox and log of every delivery that we act on. `github_id` is the repository's id, `payload` encrypted, and
# empty once its retention is over. Waiting: neither processed_at nor parked_at; `due_at` says from when on.
# `note` says why it was parked, tried again, or found to carry nothing usable.
github_events = _tenant_table(
    "github_events",
    Column("delivery_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("action", Text),
    Column("github_id", BigInteger),
    Column("payload", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("note", Text),
    _moment("due_at", nullable=False, server_default=_NOW),
    _moment("processed_at"),
    _moment("parked_at"),
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

# The append-only planning history: the application may add rows and read them, nothing else.
# A fact is known by (item, event, at, subject); the subject is the label, the milestone, or what else it
# names. So a backfill and a webhook meet in one row. `source` says which of them told it first.
timeline = _tenant_table(
    "timeline",
    *_project_key(nullable=True),
    Column("item", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("event", Text, nullable=False),
    _moment("at", nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("milestone_id", BigInteger),
    Column("delivery", Text),
    Column("actor", Text),
    Column("source", Text, nullable=False, server_default="webhook"),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB, nullable=False),
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
    Index("timeline_corrections", "organization_id", "id", postgresql_where=text("source = 'correction'")),
)

# The numbers of a finished sprint, taken a day after its end. The application may add, never change them.
closed_sprints = _tenant_table(
    "closed_sprints",
    *_sprint_key(),
    Column("revision", Integer, nullable=False),
    _moment("ended_at", nullable=False),
    _moment("taken_at", nullable=False),
    Column("facts", JSON, nullable=False),
    UniqueConstraint("organization_id", "sprint_id", "revision"),
)

# A sprint at the end of each local day, as the fold gives it.
daily_metrics = _tenant_table(
    "daily_metrics",
    *_project_key(),
    *_sprint_key(),
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

# Installations that deliveries named for an account although GitHub had not told us that they belong together
# (see assign_tenant). `refused` counts those not stored; `checked_at`: GitHub was asked since, and denied it.
installation_claims = _tenant_table(
    "installation_claims",
    Column("installation", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("login", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("refused", BigInteger, nullable=False, server_default="0"),
    _moment("claimed_at", nullable=False, server_default=_NOW),
    _moment("checked_at"),
    UniqueConstraint("organization_id", "installation", "account"),
)

# People on GitHub, shared by all tenants; a policy shows each tenant those that it has met. The username is
# that under which anybody met them first; what a tenant knows them by is in `organization_members`.
users = Table(
    "users",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("github_id", BigInteger, nullable=False, unique=True),
    Column("github_username", Text, nullable=False),
    Column("name", Text),
    Column("email", Text),
    Column("avatar_url", Text),
    Column("oidc_subject", Text, unique=True),
    _moment("created_at", nullable=False, server_default=_NOW),
    _moment("updated_at", nullable=False, server_default=_NOW),
)

organization_members = _tenant_table(
    "organization_members",
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("role", Text, nullable=False, server_default="member"),
    Column("invited_by", BigInteger),
    _moment("joined_at", nullable=False, server_default=_NOW),
    # The login of the newest event that this tenant had, and when it was first seen by the events' own times.
    Column("login", Text, nullable=False),
    _moment("login_seen_at", nullable=False, server_default=_NOW),
    # Those that the person had before: `login`, and `since` when.
    Column("former_logins", JSONB, nullable=False, server_default=text("'[]'")),
    UniqueConstraint("organization_id", "user_id"),
)

# What was done on each local day, for teams. Without a user: by nobody that we know, so that sums are right.
team_metrics = _tenant_table(
    "team_metrics",
    *_project_key(),
    Column("user_id", BigInteger, ForeignKey("users.id")),
    Column("date", Date, nullable=False),
    Column("commits_count", Integer, nullable=False, server_default="0"),
    Column("issues_closed", Integer, nullable=False, server_default="0"),
    Column("points_completed", Numeric(12, 2), nullable=False, server_default="0"),
    Column("pull_requests", Integer, nullable=False, server_default="0"),
    UniqueConstraint("organization_id", "project_id", "user_id", "date", postgresql_nulls_not_distinct=True),
    Index("team_metrics_by_date", "organization_id", "project_id", "user_id", text("date desc")),
)

# Deliveries that GitHub could not hand over, as it told us afterwards, and whether they came in the end.
missed_deliveries = _tenant_table(
    "missed_deliveries",
    Column("delivery_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("action", Text),
    _moment("delivered_at", nullable=False),
    Column("asked_again", Integer, nullable=False, server_default="0"),
    _moment("recovered_at"),
    # GitHub's id of the repository that it is about, if it is about one; older rows have none.
    Column("repository_id", BigInteger),
    # Since when it is taken to be lost for good.
    _moment("lost_at"),
    UniqueConstraint("organization_id", "delivery_id"),
)

# Spans in which GitHub's events did not reach us: of one repository, or (null) of all that the tenant had by
# then. `ended_at` is null while we still hear nothing. Whether a span was read again: `projects.synced_from`.
event_gaps = _tenant_table(
    "event_gaps",
    *_project_key(nullable=True),
    Column("cause", Text, nullable=False),
    _moment("began_at", nullable=False),
    _moment("ended_at"),
)

# What GitHub told of a repository's visibility, and when (storage/visibility.py).
visibility_changes = _tenant_table(
    "visibility_changes",
    *_project_key(),
    _moment("at", nullable=False),
    Column("is_private", Boolean, nullable=False),
    Column("is_change", Boolean, nullable=False),
    UniqueConstraint("organization_id", "project_id", "at", "is_private"),
)

# How far what runs by the clock for all tenants has come.
clockwork = Table(
    "clockwork",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", JSONB, nullable=False, server_default=text("'{}'")),
    _moment("updated_at", nullable=False, server_default=_NOW),
)

# What we owe to a thread: written with the answer's transaction, sent afterwards by bot/publishing/outbox.py.
# `slot` names the answer within its thread, so that asking again edits it; `comment_id` is GitHub's.
outbox = _tenant_table(
    "outbox",
    *_project_key(),
    Column("event_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("thread", Integer, nullable=False),
    Column("slot", Text, nullable=False, server_default=""),
    Column("body", Text, nullable=False),
    Column("comment_id", BigInteger),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("refused", Text),
    _moment("sent_at"),
    ForeignKeyConstraint(
        ["organization_id", "event_id"], ["github_events.organization_id", "github_events.id"]
    ),
    UniqueConstraint("organization_id", "event_id", "position"),
    Index("outbox_by_slot", "organization_id", "project_id", "thread", "slot"),
)

# What commands proposed and did. A line of an event is decided on once; for `steps` see
# commands/framework/changes.py.
changes = _tenant_table(
    "changes",
    *_project_key(),
    Column("event_id", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("thread", Integer, nullable=False),
    Column("command", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("done", Text, nullable=False),
    Column("undoes", BigInteger),
    Column("state", Text, nullable=False),
    Column("note", Text),
    Column("decided_by", Text),
    _moment("decided_at"),
    ForeignKeyConstraint(
        ["organization_id", "event_id"], ["github_events.organization_id", "github_events.id"]
    ),
    UniqueConstraint("organization_id", "event_id", "line"),
    Index("changes_by_thread", "organization_id", "project_id", "thread", "id"),
)

# Who did what, for ever: the application may add and read.
audit_log = _tenant_table(
    "audit_log",
    *_project_key(nullable=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    _moment("at", nullable=False),
    Index("audit_log_by_time", "organization_id", text("at desc")),
)

# Each forecast that was written, and what came of it. `low` to `high` is the 80 % band of what is delivered.
# `carrier` names the message that it stands in, `shown_at` is when GitHub took that message.
forecasts = _tenant_table(
    "forecasts",
    *_sprint_key(),
    _moment("made_at", nullable=False),
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
    _moment("graded_at"),
    Column("carrier", Text),
    _moment("shown_at"),
    Index("forecasts_by_sprint", "organization_id", "sprint_id", "made_at"),
    Index("forecasts_to_grade", "organization_id", "sprint_id", postgresql_where=text("graded_at is null")),
    Index("forecasts_to_show", "organization_id", "carrier", postgresql_where=text("shown_at is null")),
)

# What we say unasked, one row for each thing that is kept up to date: a sprint's living comment, a summary, a
# check. `body` and `data` are what it should say, `sent` is a digest of what GitHub has, `external_id` its id
# there. `sent_as` is what GitHub took last, `attempted` are the texts that it may have taken since. One that
# `is_gone` was deleted by a person, and stays deleted.
posts = _tenant_table(
    "posts",
    *_project_key(),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("thread", Integer),
    Column("body", Text, nullable=False),
    Column("data", JSONB, nullable=False, server_default=text("'{}'")),
    _moment("wanted_at", nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("external_id", BigInteger),
    Column("sent", Text),
    _moment("sent_at"),
    Column("is_gone", Boolean, nullable=False, server_default=text("false")),
    Column("refused", Text),
    _moment("refused_at"),
    Column("is_withdrawn", Boolean, nullable=False, server_default=text("false")),
    Column("sent_as", JSONB),
    Column("attempted", JSONB),
    UniqueConstraint("organization_id", "project_id", "key"),
    Index("posts_sent", "organization_id", "sent_at"),
)

# How often a chance came true, over all tenants: counts alone.
calibration = Table(
    "calibration",
    metadata,
    Column("tenth", SmallInteger, primary_key=True, autoincrement=False),
    Column("shown", BigInteger, nullable=False, server_default="0"),
    Column("came_true", BigInteger, nullable=False, server_default="0"),
)

# Drawn pictures, under an unguessable name that changes with the picture and its repository. `shared_with`
# are the other repositories whose work it shows. One that nobody has looked at for long has no `png` any
# more; it is drawn again from `inputs`.
chart_files = _tenant_table(
    "chart_files",
    *_project_key(),
    Column("shared_with", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("token", Text, nullable=False, unique=True),
    Column("content_key", Text, nullable=False),
    Column("png", LargeBinary),
    Column("inputs", LargeBinary),
    _moment("used_at", nullable=False, server_default=_NOW),
    UniqueConstraint("organization_id", "project_id", "content_key"),
    Index("chart_files_by_use", "organization_id", "used_at", postgresql_where=text("png is not null")),
)

# What an account has bought, as its source told when it was last asked (storage/subscriptions.py).
subscriptions = _tenant_table(
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
    _moment("current_period_start"),
    _moment("current_period_end"),
    _moment("trial_ends_at"),
    _moment("past_due_since"),
    _moment("ended_at"),
    Column("pending", JSONB(none_as_null=True)),
    Column("had", JSONB(none_as_null=True)),
    Column("quantity_set_on", Date),
    # Since when Stripe has not known the subscription, as after a change of the key.
    _moment("missing_since"),
    Column("is_customer_deleted", Boolean, nullable=False, server_default=text("false")),
    _moment("read_at", nullable=False),
    Column("unit_amount", BigInteger),
    Column("currency", Text),
    Column("price_id", Text),
    _moment("started_at"),
    UniqueConstraint("organization_id", "source", "reference"),
    Index("subscriptions_by_customer", "stripe_customer_id"),
)

# What of a subscription of Stripe could not be understood when Stripe was last asked.
subscription_problems = _tenant_table(
    "subscription_problems",
    Column("subscription_id", Text, nullable=False),
    Column("problem", Text, nullable=False),
    _moment("noted_at", nullable=False),
    UniqueConstraint("organization_id", "subscription_id"),
)

# Increases of a subscription's quantity that an admin has to approve (storage/seat_increases.py).
seat_increases = _tenant_table(
    "seat_increases",
    Column("reference", Text, nullable=False),
    Column("before", Integer, nullable=False),
    Column("after", Integer, nullable=False),
    Column("unit_amount", BigInteger),
    Column("currency", Text),
    Column("is_yearly", Boolean, nullable=False),
    Column("due_now", BigInteger),
    _moment("asked_at", nullable=False),
    _moment("approved_at"),
    Column("approved_by", Text),
    _moment("closed_at"),
    Column("outcome", Text),
    Index("seat_increases_open", "organization_id", unique=True, postgresql_where=text("closed_at is null")),
)

# How much of what was used on which UTC day. `tried_at`: told to Stripe, without knowing yet that it arrived.
usage_ledger = _tenant_table(
    "usage_ledger",
    Column("metric", Text, nullable=False),
    Column("period", Date, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    _moment("tried_at"),
    _moment("reported_at"),
    Column("refused", Text),
    UniqueConstraint("organization_id", "metric", "period"),
    Index(
        "usage_ledger_to_report",
        *("organization_id", "period"),
        postgresql_where=text("reported_at is null and refused is null"),
    ),
)

# Which events of Stripe have had their effect.
stripe_events = _tenant_table(
    "stripe_events",
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    UniqueConstraint("organization_id", "event_id"),
)

# By when an account's data must be gone, because it cancelled on the Marketplace (storage/deadlines.py).
deletion_deadlines = _tenant_table(
    "deletion_deadlines",
    _moment("cancelled_at", nullable=False),
    _moment("due_at", nullable=False),
    # By the database's own clock: only the database looks at it, before it deletes.
    _moment("noted_at", nullable=False, server_default=func.now()),
    Column("is_told", Boolean, nullable=False),
    _moment("shown_at"),
    _moment("withdrawn_at"),
    Column("withdrawn_because", Text),
    UniqueConstraint("organization_id", "cancelled_at"),
)

_SHARED = (users, clockwork, calibration)
TENANT_TABLES = tuple(table for table in metadata.sorted_tables if table not in _SHARED)
