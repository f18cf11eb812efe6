"""The bundled server is reached by its socket, and by nobody else on the machine."""

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage import embedded
from storage.embedded import APPLICATION, EmbeddedServer, running_server


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a socket's name has little room."""
    with tempfile.TemporaryDirectory(prefix="ag", dir="/tmp", ignore_cleanup_errors=True) as path:
        yield Path(path)


def _rules(server: EmbeddedServer) -> list[tuple[str, str]]:
    with psycopg.connect(server.address("postgres", "postgres")) as connection:
        connection.execute("select pg_reload_conf()")
        return connection.execute("select type, auth_method from pg_hba_file_rules").fetchall()


def _setting(server: EmbeddedServer, name: str) -> str:
    with psycopg.connect(server.address("postgres", "postgres")) as connection:
        row = connection.execute("select setting from pg_settings where name = %s", (name,)).fetchone()
    return str(row[0]) if row else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_refused(port: int, role: str) -> bool:
    with pytest.raises(psycopg.OperationalError) as problem:
        psycopg.connect(f"postgresql://{role}@127.0.0.1:{port}/postgres?sslmode=disable", connect_timeout=5)
    return "no pg_hba.conf entry" in str(problem.value)


def _socket_folder(server: EmbeddedServer) -> Path:
    return Path(str(psycopg.conninfo.conninfo_to_dict(server.url)["host"]))


def test_only_the_socket_is_trusted_and_only_its_user_reaches_it(folder: Path) -> None:
    with running_server(folder, durable=False) as server:
        assert _rules(server) == [("local", "trust")]
        assert _setting(server, "listen_addresses") == ""
        assert _socket_folder(server).stat().st_mode & 0o077 == 0


def test_a_folder_of_an_earlier_version_is_closed_when_it_starts(folder: Path) -> None:
    with running_server(folder, durable=False):
        pass
    access = folder / "postgres" / "pg_hba.conf"
    access.write_text("local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\n")
    with running_server(folder, durable=False) as server:
        assert _rules(server) == [("local", "trust")]


def test_even_a_server_that_listens_lets_nobody_in_by_tcp(folder: Path) -> None:
    """Somebody may start the same folder by hand, with an address to listen on."""
    with running_server(folder, durable=False):
        pass
    library = embedded._library()
    data, port = folder / "postgres", _free_port()
    running = library.postgres_server.PostgresServer(data)
    options = f"-h 127.0.0.1 -p {port} -k {data}"
    start = ("-w", "-o", options, "-l", str(data / "log"), "-D", str(data), "start")
    library.postgres_server.pgexec(
        "pg_ctl", start, bin_path=running.bin_path, user=running.system_user, timeout=30
    )
    try:
        assert _is_refused(port, "postgres")
        assert _is_refused(port, APPLICATION)
    finally:
        stop = ("-w", "-m", "fast", "-D", str(data), "stop")
        library.postgres_server.pgexec(
            "pg_ctl", stop, bin_path=running.bin_path, user=running.system_user, timeout=30
        )


def test_where_the_path_is_too_long_for_a_socket_the_other_folder_is_closed_as_well(folder: Path) -> None:
    long = folder / ("x" * 90)
    with running_server(long, durable=False) as server:
        assert _socket_folder(server) != long / "postgres"
        assert _socket_folder(server).stat().st_mode & 0o077 == 0
        if subprocess.run(["id", "-u"], capture_output=True, check=True, text=True).stdout.strip() == "0":
            as_nobody = ["setpriv", "--reuid=65534", "--clear-groups", "ls", str(_socket_folder(server))]
            assert subprocess.run(as_nobody, capture_output=True, check=False).returncode != 0
