"""Tables of a tenant: the account, its repositories, its people, and the App's access."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import NOW, metadata, moment_column, project_key, tenant_table

# A tenant is an account on GitHub: its installation comes and goes, its history stays.
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
    moment_column("created_at", nullable=False, server_default=NOW),
    moment_column("updated_at", nullable=False, server_default=NOW),
    Column("former_installations", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    moment_column("next_measure_at"),
    moment_column("next_reconcile_at"),
    # When GitHub is next asked which repositories the App can see, which decides whose charts are served.
    moment_column("next_visibility_check_at"),
    moment_column("suspended_at"),
    # The settings file of the organization's `.github` repository, as it was last read.
    Column("file", JSONB, nullable=False, server_default=text("'{}'")),
    Column("file_sha", Text),
    # The Stripe customer of new purchases; older subscriptions may name another one.
    Column("stripe_customer_id", Text),
)

# A repository. `github_repo` is its last name (`named_at`: by GitHub's clock); null while another
# repository has that name.
projects = tenant_table(
    "projects",
    Column("github_repo", Text),
    Column("repository_node_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("is_private", Boolean, nullable=False, server_default=text("true")),
    moment_column("named_at", nullable=False),
    # When the last backfill was finished, and the progress of the present one.
    moment_column("synced_at"),
    Column("sync", JSONB, nullable=False, server_default=text("'{}'")),
    # Settings come from the operator (`settings`), the team's settings file (`file`, as it was last read) and
    # commands (`said`), the later winning. `other_bots` are command words that other bots answer to here.
    Column("file", JSONB, nullable=False, server_default=text("'{}'")),
    Column("file_sha", Text),
    Column("said", JSONB, nullable=False, server_default=text("'{}'")),
    Column("other_bots", JSONB, nullable=False, server_default=text("'[]'")),
    # Since when it is private after it was public; null if it never was.
    moment_column("private_since"),
    # Since when the App cannot see it any more; null while it can.
    moment_column("hidden_since"),
    # When the last complete backfill began: all events until then are known.
    moment_column("synced_from"),
    # Whether the rules changed by which its items' projections were computed (storage/item_projections.py).
    Column("projections_due", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("organization_id", "repository_node_id"),
    UniqueConstraint("organization_id", "github_repo"),
    Index("projects_by_node", "repository_node_id"),
    Index("projects_by_age", "organization_id", text("created_at")),
    Index(
        "projects_with_projections_due",
        *("organization_id", "id"),
        postgresql_where=text("projections_due"),
    ),
)

organization_members = tenant_table(
    "organization_members",
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("role", Text, nullable=False, server_default="member"),
    Column("invited_by", BigInteger),
    moment_column("joined_at", nullable=False, server_default=NOW),
    # The login in the tenant's newest event, and when it was first seen, by the times of the events.
    Column("login", Text, nullable=False),
    moment_column("login_seen_at", nullable=False, server_default=NOW),
    # The former logins of the person: `login`, and `since` when.
    Column("former_logins", JSONB, nullable=False, server_default=text("'[]'")),
    UniqueConstraint("organization_id", "user_id"),
)

# Installations that deliveries named for an account without GitHub having confirmed it (see assign_tenant).
# `refused` counts deliveries that were not stored; `checked_at` is when GitHub denied the claim.
installation_claims = tenant_table(
    "installation_claims",
    Column("installation", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("login", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("refused", BigInteger, nullable=False, server_default="0"),
    moment_column("claimed_at", nullable=False, server_default=NOW),
    moment_column("checked_at"),
    UniqueConstraint("organization_id", "installation", "account"),
)

# The visibility history of repositories (storage/visibility.py).
visibility_changes = tenant_table(
    "visibility_changes",
    *project_key(),
    moment_column("at", nullable=False),
    Column("is_private", Boolean, nullable=False),
    Column("is_change", Boolean, nullable=False),
    UniqueConstraint("organization_id", "project_id", "at", "is_private"),
)
