"""Settings report all problems at once with their fixes, and never reveal secrets."""

import base64
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, encryption_keys, load
from github_standin.seed import new_private_key
from storage.cipher import PayloadCipher, new_key

KEY = new_private_key()
GITHUB = {"GITHUB_APP_ID": "12345", "GITHUB_APP_PRIVATE_KEY": KEY, "GITHUB_WEBHOOK_SECRET": "one, two"}


def test_without_any_everything_has_a_default(tmp_path: Path) -> None:
    settings = load({}, needs_github=False)
    assert settings.data_dir.name == ".data"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.github_api_url == "https://api.github.com"
    assert settings.database_url is None


def test_what_talks_to_github_needs_its_settings() -> None:
    with pytest.raises(SettingsError) as problem:
        load({}, needs_github=True)
    for name in ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET"):
        assert f"{name} is missing" in str(problem.value)


def test_all_problems_are_reported_at_once_with_their_fixes() -> None:
    wrong = {
        "PORT": "eighty",
        "PUBLIC_URL": "example.org",
        "DATABASE_URL": "mysql://user:hunter2@host/db",
        "ENCRYPTION_KEYS": "short",
        "GITHUB_APP_ID": "my app",
        "GITHUB_APP_PRIVATE_KEY": "no key",
        "GITHUB_WEBHOOK_SECRET": "x",
    }
    with pytest.raises(SettingsError) as problem:
        load(wrong, needs_github=True)
    text = str(problem.value)
    assert "PORT is “eighty”; it must be a port number, such as 8080" in text
    assert "PUBLIC_URL is “example.org”; it must be a web address" in text
    assert "DATABASE_URL must look like postgresql://" in text
    assert "ENCRYPTION_KEYS: one of the keys is malformed" in text
    assert "GITHUB_APP_ID is “my app”" in text
    assert "GITHUB_APP_PRIVATE_KEY is not a private key" in text
    assert len(text.splitlines()) == 7
    assert "hunter2" not in text


def test_several_webhook_secrets_are_for_rotation() -> None:
    settings = load(GITHUB, needs_github=True)
    assert [secret.reveal() for secret in settings.webhook_secrets] == ["one", "two"]


def test_the_private_key_comes_as_text_path_or_base64(tmp_path: Path) -> None:
    file = tmp_path / "app.pem"
    file.write_text(KEY)
    for given in (KEY, KEY.replace("\n", "\\n"), str(file), base64.b64encode(KEY.encode()).decode()):
        settings = load(GITHUB | {"GITHUB_APP_PRIVATE_KEY": given}, needs_github=True)
        assert settings.github
        assert settings.github.private_key.reveal().strip() == KEY.strip()


def test_a_key_file_that_is_missing_is_named(tmp_path: Path) -> None:
    for given in (str(tmp_path / "app.pem"), "keys/app.pem", "~/nowhere/app"):
        with pytest.raises(SettingsError) as problem:
            load(GITHUB | {"GITHUB_APP_PRIVATE_KEY": given}, needs_github=True)
        (line,) = str(problem.value).splitlines()[1:]
        assert line == f"  - GITHUB_APP_PRIVATE_KEY: there is no file {given}; check the path"


def test_secrets_do_not_print() -> None:
    settings = load(GITHUB | {"DATABASE_URL": "postgresql://app:hunter2@host/db"}, needs_github=True)
    assert "hunter2" not in repr(settings)
    assert "PRIVATE KEY" not in repr(settings)
    assert "two" not in repr(settings)


def test_a_key_of_our_own_is_made_once_and_only_we_may_read_it(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path)}, needs_github=False)
    first = encryption_keys(settings)
    assert encryption_keys(settings) == first
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_keys_rotate() -> None:
    old, new = new_key(), new_key()
    sealed = PayloadCipher([old]).seal(b"payload", b"here")
    assert PayloadCipher([new, old]).open(sealed, b"here") == b"payload"
    with pytest.raises(LookupError, match="ENCRYPTION_KEYS"):
        PayloadCipher([new]).open(sealed, b"here")


DATABASE = {"DATABASE_URL": "postgresql://app:hunter2@pooler/db"}
DIRECT = {"DATABASE_DIRECT_URL": "postgresql://app:hunter2@server/db"}


def test_a_pooler_in_transaction_mode() -> None:
    settings = load(
        DATABASE | DIRECT | {"DATABASE_POOLER": "transaction"}, needs_github=False, runs_worker=True
    )
    assert settings.has_transaction_pooler
    assert settings.database_direct_url
    assert settings.database_direct_url.reveal() == "postgresql://app:hunter2@server/db"
    assert "hunter2" not in repr(settings)
    for environment in (DATABASE, DATABASE | DIRECT, DATABASE | {"DATABASE_POOLER": "session"}):
        assert not load(environment, needs_github=False, runs_worker=True).has_transaction_pooler
    # A pooler may serve the database in session mode, too, by another name or at another port.
    for address in ("postgresql://app:hunter2@pooler/db_session", "postgresql://app:hunter2@pooler:6433/db"):
        environment = DATABASE | {"DATABASE_POOLER": "transaction", "DATABASE_DIRECT_URL": address}
        assert load(environment, needs_github=False, runs_worker=True).database_direct_url
    # Without a worker nothing listens for notifications.
    assert load(DATABASE | {"DATABASE_POOLER": "transaction"}, needs_github=False).has_transaction_pooler


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            DATABASE | {"DATABASE_POOLER": "statement"},
            "DATABASE_POOLER is “statement”; it must be the mode of the pooler in DATABASE_URL",
        ),
        (
            DATABASE | {"DATABASE_POOLER": "transaction"},
            "DATABASE_DIRECT_URL is missing; behind a pooler in transaction mode a worker receives no",
        ),
        *(
            (
                DATABASE | {"DATABASE_POOLER": "transaction", "DATABASE_DIRECT_URL": address},
                "DATABASE_DIRECT_URL has the host, port and database of DATABASE_URL",
            )
            for address in (
                DATABASE["DATABASE_URL"],
                "postgres://another:hunter2@POOLER:5432/db",
                "postgresql://app:hunter2@/db?host=pooler&port=5432",
            )
        ),
        ({"DATABASE_POOLER": "transaction"}, "DATABASE_POOLER is set without DATABASE_URL"),
        (DIRECT, "DATABASE_DIRECT_URL is set without DATABASE_URL"),
        (
            DATABASE | {"DATABASE_DIRECT_URL": "server"},
            "DATABASE_DIRECT_URL must look like postgresql://user:password@host/database",
        ),
    ],
)
def test_a_pooler_that_cannot_work_is_one_problem(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as problem:
        load(environment, needs_github=False, runs_worker=True)
    assert sentence in str(problem.value)
    assert len(str(problem.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "given", "is_good"),
    [
        ("WEBHOOK_BODIES_MEGABYTES", "25", True),
        ("WEBHOOK_BODIES_MEGABYTES", "24", False),
        ("WEBHOOK_BODIES_MEGABYTES", "64 MB", False),
        ("WEBHOOK_BODIES_MEGABYTES", "9" * 5_000, False),
        ("WEBHOOK_BODY_SECONDS", "1", True),
        ("WEBHOOK_BODY_SECONDS", "0", False),
        ("WEBHOOK_BODY_SECONDS", "-1", False),
        ("WEBHOOK_BODY_SECONDS", "1.5", False),
        ("PAYLOAD_DAYS", "9" * 5_000, False),
    ],
)
def test_numbers_have_limits(name: str, given: str, is_good: bool) -> None:
    if is_good:
        assert int(given) in vars_of(load({name: given}, needs_github=False))
        return
    with pytest.raises(SettingsError, match=f"{name} must be a number of"):
        load({name: given}, needs_github=False)


def vars_of(settings: Settings) -> set[object]:
    """The values of the settings that hold a number."""
    return {settings.webhook_bodies_megabytes, settings.webhook_body_seconds, settings.payload_days}


def test_bodies_have_limits_without_any_setting() -> None:
    settings = load({}, needs_github=False)
    assert (settings.webhook_bodies_megabytes, settings.webhook_body_seconds) == (64, 10)
