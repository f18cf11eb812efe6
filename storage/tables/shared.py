"""Tables that all tenants share."""

from sqlalchemy import BigInteger, Column, Identity, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import NOW, metadata, moment_column

# People on GitHub, shared by all tenants; a policy shows each tenant only its own people. The username is the
# first one seen by any tenant; the login that a tenant has seen last is in `organization_members`.
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
    moment_column("created_at", nullable=False, server_default=NOW),
    moment_column("updated_at", nullable=False, server_default=NOW),
)

# The state of periodic tasks, over all tenants.
clockwork = Table(
    "clockwork",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", JSONB, nullable=False, server_default=text("'{}'")),
    moment_column("updated_at", nullable=False, server_default=NOW),
)

# How often forecasts came true, by the tenth of their chance, over all tenants; only counts.
calibration = Table(
    "calibration",
    metadata,
    Column("tenth", SmallInteger, primary_key=True, autoincrement=False),
    Column("shown", BigInteger, nullable=False, server_default="0"),
    Column("came_true", BigInteger, nullable=False, server_default="0"),
)
