"""Texts of people and secrets appear in no log, no error and no repr."""

import dataclasses
import importlib
import io
import logging
import pkgutil
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType

import aiohttp
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

import bot as bot_package
import commands
import handlers
import marketplace
import storage
from bot import logs
from bot.cli.serve import web_server
from bot.github.client import _Token
from bot.services import Services
from bot.settings import SettingsError, load
from bot.settings.secret import Secret, redacted
from storage.database import Database, Tenant, hide_values
from storage.deliveries import ReceivedDelivery
from storage.embedded import EmbeddedServer
from tests.support.running import Bot, query_as_administrator

CANARY = "xanthic-canary"
SECRETS = {
    "address": ("postgresql://app:hunter2@db/agile", "hunter2"),
    "address with odd password": ("postgresql://app:hun@ter2:x@db/agile", "ter2"),
    "keyword": ("host=db user=app password=hunter2 dbname=agile", "hunter2"),
    "installation's token": ("ghs_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F"),
    "personal token": ("github_pat_11AAAAAAA0abcdefghijkl_mnopqrstuv", "11AAAAAAA0"),
    "App's token": ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    "header": ("{'Authorization': 'Bearer abc.def-123'}", "abc.def-123"),
    "Stripe's key": ("sk_live_51Habcdefghij", "51Habc"),
    "Stripe's webhook": ("whsec_abcdefgh/12+", "abcdefgh"),
    "private key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEsecret\n-----END RSA PRIVATE KEY-----", "MIIE"),
    "picture": ("GET /charts/abcdefghijklmnopqrstuvwxyz_-1234.png", "abcdefghijkl"),
    "checkout": ("/billing/checkout/c2VhbGVkLWFuZC1zaWduZWQtd29yZHM", "c2VhbGVk"),
    "portal": ("/billing/portal/c2VhbGVkLWFuZC1zaWduZWQtd29yZHM", "c2VhbGVk"),
    "back from a purchase": ("/billing/done/c2VhbGVkLWFuZC1zaWduZWQtd29yZHM", "c2VhbGVk"),
    "back without one": ("/billing/cancelled/c2VhbGVkLWFuZC1zaWduZWQtd29yZHM", "c2VhbGVk"),
}


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Logs as `serve` writes them, and what is in them."""
    root, written = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", written)
    logs.configure()
    yield written.getvalue
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


# Errors of the database


STATEMENTS = {
    "not a number": "select cast(cast(:word as text) as bigint)",
    "not a date": "select cast(cast(:word as text) as date)",
    "not JSON": "select cast(cast(:word as text) as jsonb)",
    "there already": "insert into clockwork (name) values (:word), (:word)",
    "a row with a gap": "insert into clockwork (name, state) values (:word, null)",
    "no such table": "select 1 from nowhere where name = :word",
    "a division": "select 1 / (length(:word) - length(:word))",
    "NUL": "select cast(:word || chr(0) as text)",
}


def _told_of(problem: BaseException) -> str:
    return "".join([str(problem), repr(problem), *traceback.format_exception(problem)])


async def _fail(transaction: AbstractAsyncContextManager[AsyncConnection | Tenant], statement: str) -> None:
    async with transaction as opened:
        connection = opened.connection if isinstance(opened, Tenant) else opened
        await connection.execute(text(statement), {"word": CANARY})


@pytest.mark.parametrize("case", STATEMENTS)
async def test_an_error_of_the_database_tells_no_values(base: Services, case: str) -> None:
    transactions: tuple[Callable[[], AbstractAsyncContextManager[AsyncConnection | Tenant]], ...] = (
        base.database.unscoped,
        base.database.autocommit,
        lambda: base.database.tenant(1),
    )
    for transaction in transactions:
        with pytest.raises(SQLAlchemyError) as problem:
            await _fail(transaction(), STATEMENTS[case])
        data = _told_of(problem.value)
        assert CANARY not in data
        assert "SQLSTATE" in data


async def test_an_error_still_tells_what_is_wrong(base: Services) -> None:
    with pytest.raises(SQLAlchemyError, match="duplicate key value violates unique constraint"):
        async with base.database.unscoped() as connection:
            await connection.execute(text(STATEMENTS["there already"]), {"word": CANARY})


def test_the_owner_s_errors_tell_no_values_either(server: EmbeddedServer, database_name: str) -> None:
    url = make_url(server.address("agile_owner", database_name)).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    hide_values(engine)
    with pytest.raises(SQLAlchemyError) as problem, engine.begin() as connection:
        connection.execute(text(STATEMENTS["a row with a gap"]), {"word": CANARY})
    assert CANARY not in _told_of(problem.value)


async def test_a_database_that_is_not_there_tells_no_password() -> None:
    database = Database("postgresql://agile_app:hunter2@127.0.0.1:1/agile")
    with pytest.raises(SQLAlchemyError) as problem:
        async with database.unscoped():
            pass
    await database.close()
    assert "hunter2" not in _told_of(problem.value)


async def test_what_a_comment_says_is_not_logged_when_its_answer_cannot_be_stored(
    bot: Bot, log_lines: Callable[[], str]
) -> None:
    milestone = await bot.github.create_milestone(bot.repo, "Sprint 1")
    issue = await bot.github.create_issue(bot.repo, "Pay by card", milestone=milestone["number"])
    query_as_administrator(bot.base, "alter table outbox add constraint no_reply check (kind <> 'reply')")
    try:
        await bot.say(issue["number"], f"/sprint status as-of:{CANARY}")
    finally:
        query_as_administrator(bot.base, "alter table outbox drop constraint no_reply")
    data = log_lines()
    assert "no_reply" in data
    assert CANARY not in data


# Logs


def _fail_with(message: str) -> None:
    raise ValueError(message)


@pytest.mark.parametrize("case", SECRETS)
def test_a_secret_in_an_exception_is_not_written(case: str, log_lines: Callable[[], str]) -> None:
    shown, secret = SECRETS[case]
    for log in structlog.get_logger("ours"), logging.getLogger("of a library"):
        try:
            _fail_with(f"it failed with {shown} in the end")
        except ValueError:
            log.exception("failed")
        log.error(shown)
    data = log_lines()
    assert secret not in data
    assert len(re.findall(r"it failed with [^\n]*… ?[^\n]*in the end\"", data)) == 2


@given(st.text(st.characters(exclude_characters="@\"' ", categories=("L", "N", "P", "S")), max_size=100))
def test_any_password_of_an_address_is_left_out(password: str) -> None:
    hidden = redacted(f"cannot reach postgresql://app:{password}{CANARY}@db/agile and more")
    assert CANARY not in hidden
    assert hidden.endswith("@db/agile and more")


@given(st.text())
def test_no_text_stops_a_line_from_being_logged(line: str) -> None:
    assert isinstance(redacted(line), str)


def test_a_line_that_cannot_be_written_is_not_shown_in_the_report_of_it(log_lines: Callable[[], str]) -> None:
    (handler,) = (
        handler for handler in logging.getLogger().handlers if isinstance(handler, logs._StandardError)
    )
    handler.handle(logging.LogRecord("aiohttp", logging.ERROR, "", 1, "%d pieces", (CANARY,), None))
    data = log_lines()
    assert "a line of aiohttp could not be logged" in data
    assert CANARY not in data


def test_ordinary_lines_stay_as_they_are() -> None:
    for line in (
        '{"event": "serving", "host": "127.0.0.1", "port": 8080}',
        "GET https://api.github.com/repos/acme/shop/issues/1 answered 404",
        "mail to alice@example.org at 10:30",
        "delivery 0f9a3c6e-1111-2222-3333-444455556666 parked",
    ):
        assert redacted(line) == line


async def test_a_failing_request_is_logged_without_the_link(
    base: Services, log_lines: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr("bot.webhooks.chart_route.tenant_of_chart", fail)
    token = "short-but-secret"
    async with (
        web_server(base, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/charts/{token}.png") as response,
    ):
        assert response.status == 500
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    data = log_lines()
    assert "/charts/{token}.png" in data
    assert token not in data


# What is printed of our own objects


async def test_services_print_without_the_password(base: Services) -> None:
    assert "hunter2" not in repr(replace(base, database_url="postgresql://app:hunter2@db/agile"))


def test_a_token_prints_without_itself() -> None:
    assert "ghs_" not in repr(_Token(Secret("ghs_16C7e42F292c6912E7710c838347Ae178B4a"), datetime.now(UTC)))


def test_a_delivery_prints_without_its_payload() -> None:
    received = ReceivedDelivery("guid", "issues", "opened", 1, 2, "acme", None, 3, CANARY.encode())
    assert CANARY not in repr(received)


_SECRET_NAME = re.compile(
    r"(^|_)(password|passwords|secret|secrets|token|private_key|secret_key|payload|database_url|api_key"
    r"|owner_url|inputs|png|encryption_keys)$"
)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for walk_package in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not re.search(r"__main__|migrations|\.demo", walk_package.name):
            yield importlib.import_module(walk_package.name)


def test_no_field_with_a_secret_s_name_is_printed() -> None:
    """Whatever dataclass gets such a field later: it holds a Secret, or is left out of its repr."""
    shown, looked_at = [], 0
    for package in (bot_package, commands, handlers, marketplace, storage):
        for module in _modules(package):
            for value in vars(module).values():
                if not isinstance(value, type) or not dataclasses.is_dataclass(value):
                    continue
                looked_at += 1
                shown += [
                    f"{module.__name__}.{value.__name__}.{field.name}"
                    for field in dataclasses.fields(value)
                    if _SECRET_NAME.search(field.name) and field.repr and "Secret" not in str(field.type)
                ]
    assert looked_at > 50
    assert shown == []


# Settings


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://app:hunter2@3@host/db",
        "postgresql://app:hun/ter2@3@host/db",
        "postgresql://app:pw@host:hunter2/db",
    ],
)
def test_a_password_that_is_not_escaped_is_refused_before_it_is_taken_for_a_host(address: str) -> None:
    with pytest.raises(SettingsError) as problem:
        load({"DATABASE_URL": address}, needs_github=False)
    assert "hunter2" not in str(problem.value)
    assert "ter2" not in str(problem.value)
    assert "%40" in str(problem.value)


@pytest.mark.parametrize("name", ["PUBLIC_URL", "GITHUB_API_URL"])
def test_an_address_that_holds_a_password_is_refused_without_showing_it(name: str) -> None:
    for address in ("https://me:hunter2@example.org", "ftp://me:hunter2@example.org"):
        with pytest.raises(SettingsError) as problem:
            load({name: address}, needs_github=False)
        assert "hunter2" not in str(problem.value)


def test_a_key_in_the_wrong_place_is_not_shown() -> None:
    wrong = {"GITHUB_APP_ID": SECRETS["private key"][0], "GITHUB_APP_PRIVATE_KEY": "no key"}
    with pytest.raises(SettingsError) as problem:
        load(wrong, needs_github=False)
    assert "MIIE" not in str(problem.value)
