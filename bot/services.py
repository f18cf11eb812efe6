"""Composition root: opens the database, the job queue and GitHub as the settings name them."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import procrastinate
from sqlalchemy import make_url

from bot.github.call_counter import CallCounts, saving_calls
from bot.github.client import TIMEOUT, GitHub
from bot.github.markers import Markers
from bot.metrics.instruments import Instruments
from bot.metrics.pools import PoolCollector
from bot.settings import Settings, encryption_keys
from storage import schema
from storage.cipher import PayloadCipher
from storage.database import Database
from storage.embedded import APPLICATION, running_server
from storage.jobs import queue

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the current time in UTC. No other code reads the clock; it receives a `Clock` instead."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """The dependencies that the web application, the worker and the command line share."""

    settings: Settings
    database: Database
    # Holds the database's password.
    database_url: str = field(repr=False)
    cipher: PayloadCipher
    markers: Markers
    queue: procrastinate.App
    clock: Clock
    instruments: Instruments


@asynccontextmanager
async def open_services(
    settings: Settings, clock: Clock = wall_clock, *, has_worker: bool = True
) -> AsyncIterator[Services]:
    """Open the database that the settings name; the bundled one is started and migrated first.

    Without a worker, the queue has no connections of its own: jobs can be deferred, but not taken.

    Raises schema.SchemaError if the database has another version's schema or an unsuitable role.
    """
    async with AsyncExitStack() as stack:
        url = stack.enter_context(database_url(settings))
        database = Database(url, clock, is_pooled=settings.has_transaction_pooler)
        stack.push_async_callback(database.close)
        async with database.unscoped() as connection:
            await schema.check(connection)
        direct_url = settings.database_direct_url.reveal() if settings.database_direct_url else url
        if has_worker and settings.database_direct_url:
            await _check_direct(database, direct_url)
        app = queue(direct_url)
        if has_worker:
            await stack.enter_async_context(app.open_async())
        instruments = Instruments(clock)
        instruments.registry.register(PoolCollector(database, app))
        keys = encryption_keys(settings)
        cipher, markers = PayloadCipher(keys), Markers(keys)
        yield Services(settings, database, url, cipher, markers, app, clock, instruments)


async def _check_direct(database: Database, direct_url: str) -> None:
    """Raise schema.SchemaError unless DATABASE_DIRECT_URL leads to the database of DATABASE_URL."""
    direct = Database(direct_url, pool_size=1)
    try:
        async with direct.unscoped() as connection:
            await schema.check(connection, "DATABASE_DIRECT_URL")
            identity = await schema.identify(connection)
    finally:
        await direct.close()
    async with database.unscoped() as connection:
        if identity != await schema.identify(connection):
            raise schema.SchemaError(
                "DATABASE_DIRECT_URL and DATABASE_URL lead to different databases or roles: jobs would be "
                "queued in one and awaited in the other. Both must name the same database and role"
            )


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """Provide the database's URL for the application's role; a bundled database is started and migrated."""
    if settings.database_url is not None:
        yield settings.database_url.reveal()
        return
    with running_server(settings.data_dir) as server:
        schema.migrate(server.owner_url, APPLICATION)
        yield server.url


def migrate_database(settings: Settings) -> None:
    """Migrate the database to this version. Raises schema.SchemaError with the remedy."""
    if settings.database_url is None:
        with database_url(settings):
            return
    if settings.database_owner_url is None:
        raise schema.MissingSettingError(
            "DATABASE_OWNER_URL is missing: migrations run as the role that owns the tables, "
            "which must differ from the one in DATABASE_URL"
        )
    role = make_url(settings.database_url.reveal()).username
    if not role:
        raise schema.MissingSettingError(
            "DATABASE_URL must name the application's role: postgresql://role@host/…"
        )
    schema.migrate(settings.database_owner_url.reveal(), role)


@asynccontextmanager
async def open_github(base: Services) -> AsyncIterator[GitHub]:
    """Open a client of GitHub as the settings name it. Raises ValueError without the App's settings."""
    settings, calls = base.settings.github, CallCounts(base.clock)
    if settings is None:
        raise ValueError("GitHub needs the settings of the GitHub App")
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session, saving_calls(base.database, calls):
        url = base.settings.github_api_url
        yield GitHub(session, settings, url, base.clock, calls, base.markers, base.instruments)
