"""Tables of projections: indexes over the timeline for reads of the present, which can be computed anew."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY

from storage.tables.base import moment_column, project_key, tenant_table

# What the events of one item say (sprints/item_projection.py). `rules` is the digest of the rules by which it
# was computed, empty where it must be computed anew; `labels` are all names of all labels that it ever had. A
# row without a projection has not been computed yet.
item_projections = tenant_table(
    "item_projections",
    *project_key(),
    Column("item", Text, nullable=False),
    Column("number", Integer),
    Column("rules", Text, nullable=False, server_default=""),
    Column("is_open", Boolean, nullable=False, server_default=text("true")),
    moment_column("done_at"),
    moment_column("last_at"),
    Column("labels", ARRAY(Text), nullable=False, server_default="{}"),
    Column("projection", JSON(none_as_null=True)),
    UniqueConstraint("organization_id", "item", "project_id"),
    Index("item_projections_open", "organization_id", "project_id", postgresql_where=text("is_open")),
    Index("item_projections_by_last", "organization_id", "project_id", "last_at"),
    Index("item_projections_by_done", "organization_id", "project_id", "done_at"),
    Index("item_projections_by_rules", "organization_id", "project_id", "rules"),
    Index("item_projections_by_number", "organization_id", "project_id", "number"),
    Index(
        "item_projections_to_refresh",
        *("organization_id", "project_id"),
        postgresql_where=text("rules = ''"),
    ),
)

# What items have ever pointed to: `parent` and `previous` to a node id, `closes` to an issue's number. Rows
# are only added; the projections say which of them hold.
item_links = tenant_table(
    "item_links",
    *project_key(),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("item", Text, nullable=False),
    UniqueConstraint("organization_id", "kind", "target", "project_id", "item"),
)
