"""Settings: read once from the environment, typed, and complaining of everything at once."""

import base64
import binascii
import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.settings import billing as billing_settings
from bot.settings.billing import BillingSettings
from bot.settings.secret import Secret as Secret
from bot.settings.secret import redacted
from storage.cipher import PayloadCipher, new_key

_KEY_FILE = "encryption.key"


class SettingsError(Exception):
    """Some settings are missing or malformed. Its text lists each with its mend."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["The settings need mending:", *(f"  - {p}" for p in problems)]))


@dataclass(frozen=True, slots=True)
class GitHubSettings:
    """How we are known to GitHub."""

    app_id: str
    private_key: Secret


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `database_url` None means the bundled PostgreSQL in `data_dir`."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = "http://127.0.0.1:8080"
    github_api_url: str = "https://api.github.com"
    database_url: Secret | None = None
    database_owner_url: Secret | None = None
    encryption_keys: tuple[Secret, ...] = ()
    webhook_secrets: tuple[Secret, ...] = ()
    github: GitHubSettings | None = None
    makes_own_key: bool = field(default=False)
    payload_days: int = 90
    webhook_bodies_megabytes: int = 64
    webhook_body_seconds: int = 10
    billing: BillingSettings = field(default_factory=BillingSettings)


def load(environment: Mapping[str, str], *, needs_github: bool) -> Settings:
    """The settings in an environment. Raises SettingsError with all problems.

    Only what talks to GitHub needs its settings.
    """
    reader = _Reader(environment)
    data_dir = Path(environment.get("DATA_DIR") or Path(__file__).parents[2] / ".data").expanduser()
    host = environment.get("HOST") or "127.0.0.1"
    port = reader.port("PORT", 8080)
    keys = reader.several("ENCRYPTION_KEYS", _check_encryption_key)
    settings = Settings(
        data_dir=data_dir.resolve(),
        host=host,
        port=port,
        public_url=reader.url("PUBLIC_URL", f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"),  # noqa: S104
        github_api_url=reader.url("GITHUB_API_URL", "https://api.github.com"),
        database_url=reader.database("DATABASE_URL"),
        database_owner_url=reader.database("DATABASE_OWNER_URL"),
        encryption_keys=keys,
        webhook_secrets=reader.several("GITHUB_WEBHOOK_SECRET", _check_nothing),
        github=reader.github(),
        makes_own_key=not keys,
        payload_days=reader.whole("PAYLOAD_DAYS", 90, "days", (1, 36_500)),
        # At least one of the largest deliveries must have room.
        webhook_bodies_megabytes=reader.whole("WEBHOOK_BODIES_MEGABYTES", 64, "megabytes", (25, 100_000)),
        webhook_body_seconds=reader.whole("WEBHOOK_BODY_SECONDS", 10, "seconds", (1, 300)),
        billing=billing_settings.read(environment, reader.problems),
    )
    if needs_github:
        reader.demand_github(settings)
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def encryption_keys(settings: Settings) -> tuple[str, ...]:
    """The keys for stored payloads, newest first: those set, or else one of our own in the data folder."""
    if settings.encryption_keys:
        return tuple(key.reveal() for key in settings.encryption_keys)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.data_dir / _KEY_FILE
    if not path.exists():
        _write_once(path, new_key().encode())
    return (path.read_text().strip(),)


def _write_once(path: Path, content: bytes) -> None:
    """Writes a file that only we may read, unless another process was faster."""
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


class _Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def whole(self, name: str, default: int, unit: str, limits: tuple[int, int]) -> int:
        """A whole number within limits."""
        given = self._environment.get(name)
        if not given:
            return default
        least, most = limits
        if not given.isdecimal() or len(given) > len(str(most)) or not least <= int(given) <= most:
            self.problems.append(f"{name} must be a number of {unit} from {least} to {most:,}, not “{given}”")
            return default
        return int(given)

    def port(self, name: str, default: int) -> int:
        given = self._environment.get(name)
        if not given:
            return default
        if given.isdecimal() and 0 < int(given) < 65536:
            return int(given)
        self.problems.append(f"{name} is “{given}”; it must be a port number, such as {default}")
        return default

    def url(self, name: str, default: str) -> str:
        given = (self._environment.get(name) or default).rstrip("/")
        parts = urlsplit(given)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            self.problems.append(
                f"{name} is “{redacted(given)}”; it must be a web address, such as {default}"
            )
        elif "@" in parts.netloc:
            self.problems.append(f"{name} must not hold a user name or a password")
        return given

    def database(self, name: str) -> Secret | None:
        given = self._environment.get(name)
        if not given:
            return None
        if urlsplit(given).scheme not in {"postgresql", "postgres"}:
            # What was given may hold a password, so it is not repeated.
            self.problems.append(f"{name} must look like postgresql://user:password@host/database")
        elif not _is_database_address(given):
            self.problems.append(
                f"{name} cannot be read; characters of the password such as @, / and % must be written as "
                "%40, %2F and %25"
            )
        return Secret(given.replace("postgres://", "postgresql://", 1))

    def several(self, name: str, check: Callable[[str], str | None]) -> tuple[Secret, ...]:
        values = [value.strip() for value in self._environment.get(name, "").split(",") if value.strip()]
        for value in values:
            if problem := check(value):
                self.problems.append(f"{name}: {problem}")
        return tuple(map(Secret, values))

    def github(self) -> GitHubSettings | None:
        app_id = self._environment.get("GITHUB_APP_ID")
        key = self._environment.get("GITHUB_APP_PRIVATE_KEY")
        if not app_id or not key:
            return None
        if not app_id.isdecimal() and not app_id.startswith("Iv"):
            self.problems.append(
                f"GITHUB_APP_ID is “{redacted(app_id)}”; it must be the App's number or client id, "
                "shown on the App's settings page under “About”"
            )
        pem = _private_key(key)
        if pem is None:
            self.problems.append(
                "GITHUB_APP_PRIVATE_KEY is no private key; it must be the .pem file that the App's settings "
                "page makes under “Private keys”, as its text, its path, or base64"
            )
            return None
        return GitHubSettings(app_id, Secret(pem))

    def demand_github(self, settings: Settings) -> None:
        for name in ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY"):
            if not self._environment.get(name):
                self.problems.append(f"{name} is missing; the App's settings page on GitHub shows it")
        if not settings.webhook_secrets:
            self.problems.append(
                "GITHUB_WEBHOOK_SECRET is missing; without it anybody could send events. Set the same value "
                "here and on the App's settings page under “Webhook”"
            )


def _is_database_address(given: str) -> bool:
    """Whether its parts can be told apart.

    With an unescaped @, the end of a password is taken for the host, which errors of the connection name.
    """
    try:
        address = make_url(given)
    except (ArgumentError, ValueError):
        return False
    return "@" not in (address.host or "") and "@" not in (address.database or "")


def _private_key(given: str) -> str | None:
    """The key in PEM form, from text, a path or base64."""
    candidates = [given.replace("\\n", "\n")]
    path = Path(given).expanduser()
    with contextlib.suppress(OSError, ValueError):
        if path.is_file():
            candidates.append(path.read_text())
    with contextlib.suppress(binascii.Error, ValueError):
        candidates.append(base64.b64decode(given, validate=True).decode())
    return next((text for text in candidates if _is_private_key(text)), None)


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
        make = 'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
        return f"one of the keys is malformed: {problem}; make one with `{make}`"
    return None


def _check_nothing(value: str) -> str | None:  # noqa: ARG001
    return None
