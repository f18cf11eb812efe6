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
import uuid
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
EXAMPLES = ROOT / "bot/demo/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
RECORDED = ROOT.parent / "shared/data/rust.deliveries.jsonl"
_CONNECTIONS = 32
_BODIES = 64

# GUIDs are made while running, so that no delivery comes twice however long it runs.
_WRK = """
local lines, guid, event, n = {}, nil, nil, 0
function init(args)
  for line in io.lines(args[1]) do lines[#lines + 1] = {line:sub(1, 71), line:sub(73)} end
  guid, event = args[2], args[3]
end
function request()
  n = n + 1
  local one = lines[n % #lines + 1]
  return wrk.format("POST", nil, {
    ["Content-Type"] = "application/json", ["X-GitHub-Event"] = event,
    ["X-GitHub-Delivery"] = string.format("%s%012x", guid, n), ["X-Hub-Signature-256"] = one[1],
  }, one[2])
end
function done(summary, latency)
  io.write(string.format('\\n{"requests":%d,"seconds":%f,"bad":%d,"p50_ms":%f,"p99_ms":%f}\\n',
    summary.requests, summary.duration / 1e6, summary.errors.status + summary.errors.connect
    + summary.errors.read + summary.errors.timeout, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


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
    kind, encoding = serialization.PrivateFormat.TraditionalOpenSSL, serialization.Encoding.PEM
    return key.private_bytes(encoding, kind, serialization.NoEncryption()).decode()


def bot_environment(data_dir: Path, port: int, **more: str) -> dict[str, str]:
    """Settings for a bot that nobody knows, with everything else at its default."""
    return {
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "GITHUB_APP_ID": "12345",
        "GITHUB_APP_PRIVATE_KEY": private_key(),
        "GITHUB_WEBHOOK_SECRET": SECRET,
        **more,
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
        process = subprocess.Popen(command, cwd=ROOT, env=kept | environment, stdout=output, stderr=output)
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


def issue_payloads() -> list[bytes]:
    """GitHub's own example of an event on an issue, about 12 KB, in as many versions as are cheap to keep."""
    for event in json.loads(EXAMPLES.read_bytes()):
        for payload in event["examples"]:
            if event["name"] == "issues" and payload["action"] == "reopened" and "installation" in payload:
                return [_version(payload, number) for number in range(_BODIES)]
    raise LookupError("the examples hold no event of the kind we send")


def _version(payload: dict[str, Any], number: int) -> bytes:
    issue = payload["issue"] | {"id": 1_000_000 + number, "number": number, "node_id": secrets.token_hex(12)}
    return json.dumps(payload | {"issue": issue}, separators=(",", ":")).encode()


class Load:
    """Signed deliveries from `wrk`, which costs far less than what it asks."""

    def __init__(self, folder: Path, bodies: Sequence[bytes]) -> None:
        if shutil.which("wrk") is None:
            raise FileNotFoundError("wrk is missing: apt-get install wrk")
        self._script, self._bodies = folder / "deliver.lua", folder / "bodies.txt"
        self._script.write_text(_WRK)
        self._bodies.write_bytes(b"".join(b"%s %s\n" % (sign(body).encode(), body) for body in bodies))

    def run(self, url: str, seconds: float, event: str = "issues") -> dict[str, float]:
        """Sends over 32 connections, as fast as they are answered."""
        guid = str(uuid.uuid4())[:24]
        shape = ["-t1", f"-c{_CONNECTIONS}", f"-d{seconds:g}s", "-s", str(self._script)]
        done = subprocess.run(
            ["wrk", *shape, url, "--", str(self._bodies), guid, event],
            check=True,
            capture_output=True,
            text=True,
        )
        found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        if found["bad"]:
            raise RuntimeError(f"{found['bad']:.0f} of {found['requests']:.0f} were not taken by {url}")
        return found


def superuser(server: EmbeddedServer, database: str = "agile") -> psycopg.Connection[tuple[Any, ...]]:
    """Sees all tenants' rows, which neither the bot nor the tables' owner does."""
    return psycopg.connect(server.address("postgres", database), autocommit=True)


def rows(server: EmbeddedServer, table: str, database: str = "agile") -> int:
    """How many rows a table has."""
    with superuser(server, database) as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])  # type: ignore[arg-type, index]


def report(figures: Mapping[str, object], sentence: str) -> None:
    """One JSON line, and one for people."""
    print(json.dumps(figures))
    print(sentence)
