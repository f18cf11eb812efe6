"""The migrations make what storage/tables/ says, on a server that is new enough, for a role that may."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url

from storage import schema
from storage.embedded import APPLICATION, EmbeddedServer
from storage.tables import metadata


def test_migrations_and_tables_agree(server: EmbeddedServer, database_name: str) -> None:
    url = make_url(server.address("agile_owner", database_name)).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.connect() as connection:
        options = {
            "include_name": lambda name, kind, _: kind != "table" or not str(name).startswith("procrastinate")
        }
        context = MigrationContext.configure(connection, opts=options | {"compare_server_default": False})
        differences = [entry for entry in compare_metadata(context, metadata) if not _is_name_of_index(entry)]
    engine.dispose()
    assert differences == []


def _is_name_of_index(difference: object) -> bool:
    """An index on an expression is not described in storage/tables/."""
    names = ("projects_by_name", "users_by_username", "organizations_to_", "posts_to_retry")
    return isinstance(difference, tuple) and any(name in str(difference[1]) for name in names)


def test_the_newest_revision_is_found_without_alembic() -> None:
    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert schema.newest_revision() == scripts.get_current_head()


def test_migrating_twice_changes_nothing(server: EmbeddedServer, database_name: str) -> None:
    schema.migrate(server.address("agile_owner", database_name), APPLICATION)


def test_the_owner_cannot_be_the_application(server: EmbeddedServer, database_name: str) -> None:
    with pytest.raises(schema.SchemaError, match="the application must own nothing"):
        schema.migrate(server.address("agile_owner", database_name), "agile_owner")


def test_a_missing_role_is_named_with_its_mend(server: EmbeddedServer, database_name: str) -> None:
    with pytest.raises(schema.SchemaError, match="create role nobody_yet login"):
        schema.migrate(server.address("agile_owner", database_name), "nobody_yet")
