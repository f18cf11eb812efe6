"""Settings from environment variables: read once, typed, and validated with all problems at once."""

import base64
import binascii
import contextlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.settings import billing as billing_settings
from bot.settings.billing import BillingSettings
from bot.settings.metrics import MetricsSettings, read_metrics
from bot.settings.secret import Secret as Secret
from bot.settings.secret import redacted
from storage.cipher import PayloadCipher, new_key

_KEY_FILE = "encryption.key"


class SettingsError(Exception):
    """Some settings are missing or malformed; the text lists each problem with its correction."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["Invalid configuration:", *(f"  - {p}" for p in problems)]))


@dataclass(frozen=True, slots=True)
class GitHubSettings:
    """The identity of the GitHub App: its number or client id, and its private key in PEM form."""

    app_id: str
    private_key: Secret


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Without `database_url`, the bundled PostgreSQL in `data_dir` is used.

    `has_transaction_pooler`: `database_url` leads to a pooler that gives each transaction any connection to
    the server. `database_direct_url` leads to the server itself, for what needs a connection of its own.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = "http://127.0.0.1:8080"
    github_api_url: str = "https://api.github.com"
    database_url: Secret | None = None
    database_owner_url: Secret | None = None
    database_direct_url: Secret | None = None
    has_transaction_pooler: bool = False
    encryption_keys: tuple[Secret, ...] = ()
    webhook_secrets: tuple[Secret, ...] = ()
    github: GitHubSettings | None = None
    makes_own_key: bool = field(default=False)
    payload_days: int = 90
    webhook_bodies_megabytes: int = 64
    webhook_body_seconds: int = 10
    billing: BillingSettings = field(default_factory=BillingSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)


def load(environment: Mapping[str, str], *, needs_github: bool, runs_worker: bool = False) -> Settings:
    """Read the settings from an environment. Raises SettingsError with all problems.

    `needs_github`: the command talks to GitHub, so the settings of the GitHub App are required.
    `runs_worker`: the command runs a worker, which must reach the database without a transaction pooler.
    """
    reader = _EnvironmentReader(environment)
    data_dir = Path(environment.get("DATA_DIR") or Path(__file__).parents[2] / ".data").expanduser()
    host = environment.get("HOST") or "127.0.0.1"
    local_host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    port = reader.read_port("PORT", 8080)
    keys = reader.read_secrets("ENCRYPTION_KEYS", _check_encryption_key)
    settings = Settings(
        data_dir=data_dir.resolve(),
        host=host,
        port=port,
        public_url=reader.read_url("PUBLIC_URL", f"http://{local_host}:{port}"),
        github_api_url=reader.read_url("GITHUB_API_URL", "https://api.github.com"),
        database_url=reader.read_database_url("DATABASE_URL"),
        database_owner_url=reader.read_database_url("DATABASE_OWNER_URL"),
        database_direct_url=reader.read_database_url("DATABASE_DIRECT_URL"),
        has_transaction_pooler=reader.read_pooler() == "transaction",
        encryption_keys=keys,
        webhook_secrets=reader.read_secrets("GITHUB_WEBHOOK_SECRET", _accept_any_secret),
        github=reader.read_github(),
        makes_own_key=not keys,
        payload_days=reader.read_number("PAYLOAD_DAYS", 90, "days", (1, 36_500)),
        # At least one of the largest deliveries must have room.
        webhook_bodies_megabytes=reader.read_number(
            "WEBHOOK_BODIES_MEGABYTES", 64, "megabytes", (25, 100_000)
        ),
        webhook_body_seconds=reader.read_number("WEBHOOK_BODY_SECONDS", 10, "seconds", (1, 300)),
        billing=billing_settings.read_billing(environment, reader.problems),
        metrics=read_metrics(environment, reader.problems, reader.read_port, port),
    )
    if needs_github:
        reader.require_github(settings)
    reader.check_pooler(settings, runs_worker=runs_worker)
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def encryption_keys(settings: Settings) -> tuple[str, ...]:
    """Return the keys for stored payloads, newest first: the configured ones, or a generated one.

    A key is generated once, in the data folder.
    """
    if settings.encryption_keys:
        return tuple(key.reveal() for key in settings.encryption_keys)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.data_dir / _KEY_FILE
    if not path.exists():
        _write_once(path, new_key().encode())
    return (path.read_text().strip(),)


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that only this user may read, unless another process has just written it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


class _EnvironmentReader:
    """Reads single settings, and collects the problems of all."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def read_number(self, name: str, default: int, unit: str, limits: tuple[int, int]) -> int:
        """Read a whole number from `limits[0]` to `limits[1]`, both included; `unit` is for the message."""
        value = self._environment.get(name)
        if not value:
            return default
        least, most = limits
        if not value.isdecimal() or len(value) > len(str(most)) or not least <= int(value) <= most:
            self.problems.append(f"{name} must be a number of {unit} from {least} to {most:,}, not “{value}”")
            return default
        return int(value)

    def read_port(self, name: str, default: int) -> int:
        value = self._environment.get(name)
        if not value:
            return default
        if value.isdecimal() and 0 < int(value) < 65536:
            return int(value)
        self.problems.append(f"{name} is “{value}”; it must be a port number, such as {default}")
        return default

    def read_url(self, name: str, default: str) -> str:
        value = (self._environment.get(name) or default).rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            self.problems.append(
                f"{name} is “{redacted(value)}”; it must be a web address, such as {default}"
            )
        elif "@" in parts.netloc:
            self.problems.append(f"{name} must not hold a user name or a password")
        return value

    def read_database_url(self, name: str) -> Secret | None:
        value = self._environment.get(name)
        if not value:
            return None
        if urlsplit(value).scheme not in {"postgresql", "postgres"}:
            # The value may hold a password, so the message does not repeat it.
            self.problems.append(f"{name} must look like postgresql://user:password@host/database")
        elif not _is_database_address(value):
            self.problems.append(
                f"{name} cannot be read; characters of the password such as @, / and % must be written as "
                "%40, %2F and %25"
            )
        return Secret(value.replace("postgres://", "postgresql://", 1))

    def read_pooler(self) -> str | None:
        value = self._environment.get("DATABASE_POOLER") or None
        if value not in {None, "session", "transaction"}:
            self.problems.append(
                f"DATABASE_POOLER is “{redacted(str(value))}”; it must be the mode of the pooler in "
                "DATABASE_URL, transaction or session, or be left out if there is no pooler"
            )
        return value

    def check_pooler(self, settings: Settings, *, runs_worker: bool) -> None:
        """Note what is missing beside a pooler. A pooler in session mode needs nothing else."""
        if not self._environment.get("DATABASE_URL"):
            self.problems.extend(
                f"{name} is set without DATABASE_URL; it must be left out with the bundled PostgreSQL"
                for name in ("DATABASE_POOLER", "DATABASE_DIRECT_URL")
                if self._environment.get(name)
            )
        elif settings.has_transaction_pooler and settings.database_direct_url is None and runs_worker:
            self.problems.append(
                "DATABASE_DIRECT_URL is missing; behind a pooler in transaction mode a worker receives no "
                "notifications. Set it to the address of PostgreSQL itself, with the role of DATABASE_URL"
            )
        elif settings.has_transaction_pooler and _is_same_database(
            settings.database_url, settings.database_direct_url
        ):
            self.problems.append(
                "DATABASE_DIRECT_URL has the host, port and database of DATABASE_URL, which is a pooler in "
                "transaction mode; set it to the address of PostgreSQL itself"
            )

    def read_secrets(self, name: str, check: Callable[[str], str | None]) -> tuple[Secret, ...]:
        values = [value.strip() for value in self._environment.get(name, "").split(",") if value.strip()]
        for value in values:
            if problem := check(value):
                self.problems.append(f"{name}: {problem}")
        return tuple(map(Secret, values))

    def read_github(self) -> GitHubSettings | None:
        app_id = self._environment.get("GITHUB_APP_ID")
        key = self._environment.get("GITHUB_APP_PRIVATE_KEY")
        if not app_id or not key:
            return None
        if not app_id.isdecimal() and not app_id.startswith("Iv"):
            self.problems.append(
                f"GITHUB_APP_ID is “{redacted(app_id)}”; it must be the App's number or client id, "
                "shown on the App's settings page under “About”"
            )
        pem = _load_private_key(key)
        if pem is None:
            self.problems.append(_explain_invalid_key(key))
            return None
        return GitHubSettings(app_id, Secret(pem))

    def require_github(self, settings: Settings) -> None:
        sources = {
            "GITHUB_APP_ID": "the App's settings page on GitHub shows it",
            "GITHUB_APP_PRIVATE_KEY": "generate one on the App's settings page, under “Private keys”",
        }
        for name, source in sources.items():
            if not self._environment.get(name):
                self.problems.append(f"{name} is missing; {source}")
        if not settings.webhook_secrets:
            self.problems.append(
                "GITHUB_WEBHOOK_SECRET is missing; without it anybody could send events. Set the same value "
                "here and on the App's settings page under “Webhook”"
            )


def _is_database_address(value: str) -> bool:
    """Whether host, user and database of a URL are unambiguous.

    With an unescaped @, the end of a password would count as the host, which connection errors show.
    """
    try:
        address = make_url(value)
    except (ArgumentError, ValueError):
        return False
    return "@" not in (address.host or "") and "@" not in (address.database or "")


def _is_same_database(first: Secret | None, second: Secret | None) -> bool:
    """Whether two addresses have the same host, port and database.

    A pooler may serve one database in several modes, by different names: these are different addresses.
    """
    if first is None or second is None:
        return False
    try:
        return _read_location(first) == _read_location(second)
    except psycopg.ProgrammingError:  # Malformed, and noted as such.
        return False


def _read_location(address: Secret) -> tuple[str, str, str]:
    """Return an address's host, port and database. Raises psycopg.ProgrammingError if it is malformed."""
    parts = conninfo_to_dict(address.reveal())
    port, database = parts.get("port") or "5432", parts.get("dbname") or parts.get("user")
    return str(parts.get("host") or "").lower(), str(port), str(database or "")


def _load_private_key(value: str) -> str | None:
    """Return a private key in PEM form from its text, its path or base64. None if it is no key."""
    candidates = [value.replace("\\n", "\n")]
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        path = Path(value).expanduser()
        if path.is_file():
            candidates.append(path.read_text())
    with contextlib.suppress(binascii.Error, ValueError):
        candidates.append(base64.b64decode(value, validate=True).decode())
    return next((text for text in candidates if _is_private_key(text)), None)


# Paths begin or end so; the text and the base64 of a key do not.
_KEY_PATH = re.compile(r"(?:/|~|\.\.?/)[^\n]{1,250}|[^\n]{1,250}\.(?:pem|key)", re.IGNORECASE)


def _explain_invalid_key(value: str) -> str:
    """Explain why there is no private key: a file that is missing or unreadable, or other content."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        path = Path(value).expanduser()
        if path.is_dir():
            return f"GITHUB_APP_PRIVATE_KEY: {value} is a directory; name the .pem file in it"
        if path.is_file() and not os.access(path, os.R_OK):
            return f"GITHUB_APP_PRIVATE_KEY: the file {value} cannot be read; check its permissions"
        if path.is_file():
            return (
                f"GITHUB_APP_PRIVATE_KEY: the file {value} is not a private key; it must be the .pem file "
                "that the App's settings page makes under “Private keys”"
            )
        if _KEY_PATH.fullmatch(value):
            return f"GITHUB_APP_PRIVATE_KEY: there is no file {value}; check the path"
    return (
        "GITHUB_APP_PRIVATE_KEY is not a private key; it must be the .pem file that the App's settings page "
        "makes under “Private keys”, as its text, its path, or base64"
    )


def _is_private_key(text: str) -> bool:
    try:
        load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _check_encryption_key(value: str) -> str | None:
    try:
        PayloadCipher([value])
    except ValueError as problem:
        command = 'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
        return f"one of the keys is malformed: {problem}; make one with `{command}`"
    return None


def _accept_any_secret(value: str) -> str | None:  # noqa: ARG001
    return None
