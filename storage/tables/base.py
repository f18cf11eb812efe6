"""The metadata of all tables, and helpers that define tables of a tenant."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    func,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

# The clock of the application, whose moment each transaction sets (storage/database.py).
NOW = func.app_now()


def moment_column(name: str, **options: object) -> Column[object]:
    """A column of a moment, with time zone."""
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]


def tenant_table(name: str, *items: SchemaItem) -> Table:
    """A table whose key begins with the tenant."""
    return Table(
        name,
        metadata,
        Column("organization_id", BigInteger, ForeignKey("organizations.id"), nullable=False),
        Column("id", BigInteger, Identity(), nullable=False),
        *items,
        moment_column("created_at", nullable=False, server_default=NOW),
        PrimaryKeyConstraint("organization_id", "id"),
    )


def reference(column: str, table: str) -> ForeignKeyConstraint:
    """The foreign key of a column that refers to a row of the same tenant."""
    return ForeignKeyConstraint(["organization_id", column], [f"{table}.organization_id", f"{table}.id"])


def project_key(*, nullable: bool = False) -> tuple[SchemaItem, SchemaItem]:
    """The column of a reference to a project of the same tenant, and its foreign key."""
    return (
        Column("project_id", BigInteger, nullable=nullable),
        reference("project_id", "projects"),
    )


def sprint_key() -> tuple[SchemaItem, SchemaItem]:
    """The column of a reference to a sprint of the same tenant, and its foreign key."""
    return (
        Column("sprint_id", BigInteger, nullable=False),
        reference("sprint_id", "sprints"),
    )
