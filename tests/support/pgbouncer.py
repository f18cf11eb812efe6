"""A PgBouncer in front of the tests' PostgreSQL."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from tests.support.running import wait_until

_PORT = 6432
# `postgres` is for what tests look up as the administrator.
_ROLES = ("agile_app", "agile_owner", "postgres")


def find_pgbouncer() -> str:
    """Find the program; CI insists on it, elsewhere the test is skipped without it."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        message = "no PgBouncer on this machine: the bot was not tried behind a transaction pooler"
        if os.environ.get("POOLER_TESTS") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return program


@asynccontextmanager
async def running_pooler(
    server_url: str, *, mode: str = "transaction", server_connections: int
) -> AsyncIterator[str]:
    """Run a pooler with at most `server_connections` for each role. Yields `server_url` through it."""
    program, url = find_pgbouncer(), make_url(server_url)
    with tempfile.TemporaryDirectory(prefix="agp", dir="/tmp") as name:
        folder = Path(name)
        options = _prepare(folder, url, mode, server_connections)
        process = await asyncio.create_subprocess_exec(
            program, "-q", *options, f"{folder}/pgbouncer.ini", stderr=asyncio.subprocess.DEVNULL
        )
        pooled = url.set(host=None, query={"host": str(folder), "port": str(_PORT)})
        address = pooled.render_as_string(hide_password=False)

        async def is_reachable() -> bool:
            assert process.returncode is None, "PgBouncer has ended"
            try:
                async with await psycopg.AsyncConnection.connect(address):
                    return True
            except psycopg.OperationalError:
                return False

        try:
            await wait_until(is_reachable)
            yield address
        finally:
            process.terminate()
            await process.wait()


def _prepare(folder: Path, url: URL, mode: str, server_connections: int) -> list[str]:
    """Write the configuration. Returns further options of the command line."""
    socket = Path(str(url.query["host"]))
    (folder / "roles.txt").write_text("".join(f'"{role}" ""\n' for role in _ROLES))
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{url.database} = host={socket}\n"
        "[pgbouncer]\n"
        f"pool_mode = {mode}\n"
        f"default_pool_size = {server_connections}\n"
        "query_wait_timeout = 20\n"
        "auth_type = trust\n"
        f"auth_file = {folder}/roles.txt\n"
        f"unix_socket_dir = {folder}\n"
        f"listen_port = {_PORT}\n"
    )
    # Only their owner may enter the folders of both sockets; and PgBouncer refuses to run as root.
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, socket.owner())
    return ["-u", socket.owner()] if os.getuid() == 0 else []
