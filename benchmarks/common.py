"""What the benchmarks share: a scratch server, the bot as a child process, and load on its door.

Everything is on loopback or a Unix socket, in a temporary folder, and ended when its `with` ends.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from storage.embedded import EmbeddedServer

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SECRET = secrets.token_hex(16)
PATH = "/webhooks/github"
RECORDED = ROOT.parent / "shared/data/rust.deliveries.jsonl"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one run. Its name is short because sockets are in it."""
    folder = Path(tempfile.mkdtemp(prefix="bm"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def private_key() -> str:
    """A made-up App's key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


def bot_environment(data_dir: Path, port: int) -> dict[str, str]:
    """Settings for a bot that nobody knows, with everything else at its default."""
    return {
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "GITHUB_APP_ID": "12345",
        "GITHUB_APP_PRIVATE_KEY": private_key(),
        "GITHUB_WEBHOOK_SECRET": SECRET,
    }


@contextmanager
def child(
    command: Sequence[str | Path], environment: Mapping[str, str], *, ready: str, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers at the address `ready`; it is ended when the block ends."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "XDG_RUNTIME_DIR") if name in os.environ
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**kept, **environment}, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 30
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def bot(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m bot …`, ready to serve."""
    ready = f"http://{HOST}:{environment['PORT']}/readyz"
    with child([sys.executable, "-m", "bot", *arguments], environment, ready=ready, log=log) as process:
        yield process


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=2).close()
    except urllib.error.HTTPError as answer:
        return answer.code < 500
    except OSError:
        return False
    return True


def sign(body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return f"sha256={digest(SECRET.encode(), body, sha256).hex()}"


def superuser(server: EmbeddedServer, database: str = "agile") -> psycopg.Connection[tuple[Any, ...]]:
    """Sees all tenants' rows, which neither the bot nor the tables' owner does."""
    return psycopg.connect(server.address("postgres", database), autocommit=True)


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """What a process has used of the cores so far: a figure that other programs hardly change."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows(server: EmbeddedServer, table: str, database: str = "agile") -> int:
    """How many rows a table has."""
    with superuser(server, database) as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])  # type: ignore[index]


def report(figures: Mapping[str, object], sentence: str) -> None:
    """One JSON line, and one for people."""
    print(json.dumps(figures))
    print(sentence)
